"""The articles of this house, what is found in them, and what readers say of them."""

from vestibule.knowledge.service.feedback import (
    WORDS_MOST,
    Counted,
    Feedback,
    add_words,
    give_feedback,
    list_feedback,
    sweep_feedback,
)
from vestibule.knowledge.service.index import Found
from vestibule.knowledge.service.library import Library, library, open_library

__all__ = [
    "WORDS_MOST",
    "Counted",
    "Feedback",
    "Found",
    "Library",
    "add_words",
    "give_feedback",
    "library",
    "list_feedback",
    "open_library",
    "sweep_feedback",
]
