"""Portal sessions: opened by a sign-in, looked up by every page, ended by people or by time.

The cookie holds 32 random bytes; the database holds their digest under the house's master key,
so neither a dump nor a log opens a session.
"""

from vestibule.sessions.service.browsers import (
    browser_digest,
    browser_id,
    forget_browser,
    forget_reported,
    known_since,
    list_known_browsers,
)
from vestibule.sessions.service.ending import (
    end_exposed,
    end_other_sessions,
    end_others,
    end_session,
    end_session_of_attempt,
    outgrow,
    sweep_sessions,
)
from vestibule.sessions.service.holding import (
    NewSession,
    demand,
    get_session,
    open_session,
    prove_again,
    session_id,
    session_of,
)
from vestibule.sessions.service.listing import list_happenings, list_sessions, list_sign_ins
from vestibule.sessions.service.terminals import (
    end_terminal_session,
    open_terminal_session,
    terminal_session_of,
)

__all__ = [
    "NewSession",
    "browser_digest",
    "browser_id",
    "demand",
    "end_exposed",
    "end_other_sessions",
    "end_others",
    "end_session",
    "end_session_of_attempt",
    "end_terminal_session",
    "forget_browser",
    "forget_reported",
    "get_session",
    "known_since",
    "list_happenings",
    "list_known_browsers",
    "list_sessions",
    "list_sign_ins",
    "open_session",
    "open_terminal_session",
    "outgrow",
    "prove_again",
    "session_id",
    "session_of",
    "sweep_sessions",
    "terminal_session_of",
]
