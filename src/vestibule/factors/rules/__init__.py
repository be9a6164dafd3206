"""The kinds of second factors and the decisions about them. Pure: ``now`` is passed in."""

from vestibule.factors.rules.factor import (
    LABEL_MAX,
    LASTING,
    MOST_OF_A_KIND,
    MOVES,
    Event,
    Factor,
    Kind,
    State,
    clean_label,
    move,
    proof_of,
    sms_allowed,
)

__all__ = [
    "LABEL_MAX",
    "LASTING",
    "MOST_OF_A_KIND",
    "MOVES",
    "Event",
    "Factor",
    "Kind",
    "State",
    "clean_label",
    "move",
    "proof_of",
    "sms_allowed",
]
