"""Signing in: one attempt from the typed password to the session, or to its end.

`opening` begins it, `following` is what its own browser does with it, `answering` the phone's
side, `responding` the eight typed digits. Each returns to the browser's `/login/next`, which
decides from the stored state.
"""

from vestibule.login.service.answering import Waiting, answer_login, waiting_for
from vestibule.login.service.asking import Asked, ask_phone, take
from vestibule.login.service.checking import check_credentials
from vestibule.login.service.following import (
    cancel,
    choose,
    collect,
    glance,
    look,
    send_again,
    sweep_attempts,
)
from vestibule.login.service.opening import begin_login
from vestibule.login.service.responding import respond
from vestibule.login.service.round import Phone
from vestibule.login.service.view import Began, Mine, View

__all__ = [
    "Asked",
    "Began",
    "Mine",
    "Phone",
    "View",
    "Waiting",
    "answer_login",
    "ask_phone",
    "begin_login",
    "cancel",
    "check_credentials",
    "choose",
    "collect",
    "glance",
    "look",
    "respond",
    "send_again",
    "sweep_attempts",
    "take",
    "waiting_for",
]
