"""Signing in: one attempt from the typed password to the session, or to its end.

`opening` begins it, `following` is what its own browser does with it, `answering` the phone's
side, `responding` the eight typed digits. Each returns to the browser's `/login/next`, which
decides from the stored state.
"""

from vestibule.login.service.answering import Waiting, answer_login, waiting_for
from vestibule.login.service.asking import Asked, ask_phone, take
from vestibule.login.service.checking import check_credentials
from vestibule.login.service.choosing import choose, send_again
from vestibule.login.service.claiming import claim_login, code_now, open_unclaimed
from vestibule.login.service.following import (
    cancel,
    collect,
    glance,
    look,
    sweep_attempts,
)
from vestibule.login.service.opening import begin_login
from vestibule.login.service.passkeys import passkey_options, sign_in_by_passkey
from vestibule.login.service.proving import Question, prove, question, send_number_code
from vestibule.login.service.responding import respond
from vestibule.login.service.stepping_up import begin_step_up, step_up_ways
from vestibule.login.service.view import Began, Mine, View
from vestibule.login.service.ways import Ways

__all__ = [
    "Asked",
    "Began",
    "Mine",
    "Question",
    "View",
    "Waiting",
    "Ways",
    "answer_login",
    "ask_phone",
    "begin_login",
    "begin_step_up",
    "cancel",
    "check_credentials",
    "choose",
    "claim_login",
    "code_now",
    "collect",
    "glance",
    "look",
    "open_unclaimed",
    "passkey_options",
    "prove",
    "question",
    "respond",
    "send_again",
    "send_number_code",
    "sign_in_by_passkey",
    "step_up_ways",
    "sweep_attempts",
    "take",
    "waiting_for",
]
