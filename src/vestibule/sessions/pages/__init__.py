"""Settings: where the account is signed in, what has happened, and what its owner prefers."""

from vestibule.sessions.pages import preferences, sign_ins
from vestibule.sessions.pages.sign_ins import why, words

__all__ = ["routes", "why", "words"]

routes = [*sign_ins.routes, *preferences.routes]
