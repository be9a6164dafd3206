"""Articles without a disk or a database: their form, their text, their search and feeds. Pure."""

from vestibule.knowledge.rules.articles import (
    SYSTEMS,
    TAGS,
    Article,
    ArticleBroken,
    Shown,
    parse_article,
)
from vestibule.knowledge.rules.markup import Document, Heading, Picture, Place, View

__all__ = [
    "SYSTEMS",
    "TAGS",
    "Article",
    "ArticleBroken",
    "Document",
    "Heading",
    "Picture",
    "Place",
    "Shown",
    "View",
    "parse_article",
]
