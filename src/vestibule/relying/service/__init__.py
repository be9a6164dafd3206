"""Letting terminals in.

`opening` is what a terminal asks for, `confirming` what its owner says on the portal,
`collecting` how the terminal gets its token.
"""

from vestibule.relying.service.collecting import Token, collect_token, respond
from vestibule.relying.service.confirming import (
    Wait,
    confirm,
    deny,
    find_by_user_code,
    get_grant,
    look,
)
from vestibule.relying.service.opening import Challenge, Opened, begin_challenge, begin_device
from vestibule.relying.service.settling import sweep_grants

__all__ = [
    "Challenge",
    "Opened",
    "Token",
    "Wait",
    "begin_challenge",
    "begin_device",
    "collect_token",
    "confirm",
    "deny",
    "find_by_user_code",
    "get_grant",
    "look",
    "respond",
    "sweep_grants",
]
