"""Second factors: made and proven by their owner, listed, renamed, removed, and answered with.

For signing in: `usable` lists, `challenge` says what a page needs to ask, `verify` judges an
answer inside the caller's transaction; `login_options` and `verify_passkey_login` are a passkey
as a sign-in of its own. Nothing here counts wrong answers: whoever asks limits how often.
"""

from vestibule.factors.service.answering import challenge, usable, verify, verify_passkey_login
from vestibule.factors.service.card import CardShown, activate_card, make_card, show_card
from vestibule.factors.service.codes import make_codes
from vestibule.factors.service.passes import (
    Issued,
    ask_pass,
    confirm_pass,
    list_requests,
    refuse_pass,
)
from vestibule.factors.service.passkeys import (
    LoginOptions,
    Registration,
    login_options,
    register_passkey,
    registration_options,
)
from vestibule.factors.service.records import (
    demand_adding,
    demand_changing,
    demand_weakening,
    disown,
    get_factor,
    list_factors,
    remove,
    rename,
    sweep_factors,
)
from vestibule.factors.service.totp import TotpShown, add_totp, confirm_totp, show_totp

__all__ = [
    "CardShown",
    "Issued",
    "LoginOptions",
    "Registration",
    "TotpShown",
    "activate_card",
    "add_totp",
    "ask_pass",
    "challenge",
    "confirm_pass",
    "confirm_totp",
    "demand_adding",
    "demand_changing",
    "demand_weakening",
    "disown",
    "get_factor",
    "list_factors",
    "list_requests",
    "login_options",
    "make_card",
    "make_codes",
    "refuse_pass",
    "register_passkey",
    "registration_options",
    "remove",
    "rename",
    "show_card",
    "show_totp",
    "sweep_factors",
    "usable",
    "verify",
    "verify_passkey_login",
]
