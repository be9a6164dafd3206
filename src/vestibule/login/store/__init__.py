"""The login_attempt table and its statements: one statement a step on the hot path.

Nothing here decides.
"""

from vestibule.login.store.moving import (
    ANSWER,
    CANCEL,
    CLAIM,
    COLLECT,
    FORCE_NUMBER,
    INSERT,
    NEXT_ROUND,
    NUDGED,
    OPEN,
    PROVE,
    RESPOND,
    SWEEP,
    TAKE,
    round_of,
)
from vestibule.login.store.reading import (
    BY_ACCOUNT,
    FOR_ROUND,
    MINE,
    OTHERS,
    SIGN_IN,
    TO_ANSWER,
    TO_CLAIM,
    TO_PROVE,
    TO_RESPOND,
    WAITING_FOR,
    WAYS_OF,
)
from vestibule.login.store.table import login_attempt, values_of

__all__ = [
    "ANSWER",
    "BY_ACCOUNT",
    "CANCEL",
    "CLAIM",
    "COLLECT",
    "FORCE_NUMBER",
    "FOR_ROUND",
    "INSERT",
    "MINE",
    "NEXT_ROUND",
    "NUDGED",
    "OPEN",
    "OTHERS",
    "PROVE",
    "RESPOND",
    "SIGN_IN",
    "SWEEP",
    "TAKE",
    "TO_ANSWER",
    "TO_CLAIM",
    "TO_PROVE",
    "TO_RESPOND",
    "WAITING_FOR",
    "WAYS_OF",
    "login_attempt",
    "round_of",
    "values_of",
]
