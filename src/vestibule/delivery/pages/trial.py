"""Settings: what would happen to a key from an address. Nothing connects, nothing is stored."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.i18n import t
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import HUB, session_in, to
from vestibule.delivery.pages.telling import Line, Telling
from vestibule.delivery.rules.home import Door, Home, Key, username_key
from vestibule.delivery.rules.keys import parse_public_key
from vestibule.delivery.rules.visits import Outcome, Visit, clean_username, judge
from vestibule.sessions.rules import Session
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_PAGE: Final = f"{HUB}/trial"
_NONE: Final = "none"
# What is looked at, one after the other, and what each may end with.
_STEPS: Final = (
    ("username", {Outcome.USERNAME_UNKNOWN}),
    ("on", {Outcome.OFF}),
    ("address", {Outcome.ADDRESS_NOT_ALLOWED}),
    ("key", {Outcome.NO_KEY_OFFERED, Outcome.KEY_NOT_REGISTERED}),
)


@dataclass(frozen=True, slots=True)
class _Typed:
    username: str
    address: str
    key: str
    pasted: str = ""


@dataclass(frozen=True, slots=True)
class _Tried:
    outcome: Outcome
    fingerprint: str | None
    line: Line
    steps: tuple[tuple[str, str], ...]
    """Each step with its state: done, failed, next."""


async def form(request: Request) -> Response:
    """GET /settings/delivery/trial: what is registered, and the address of now, filled in."""
    session = await session_in(request)
    found = await _found(request, session)
    if found is None:
        return to(HUB)
    home, keys = found
    typed = _Typed(home.username, visitor(request).address, keys[0].id if keys else _NONE)
    return _page(request, session, keys, typed)


async def attempt(request: Request) -> Response:
    """POST /settings/delivery/trial: what would happen, and what to do."""
    session = await session_in(request)
    sent = await forms.read(request, "username", "address", "key", "pasted", bound=session.id)
    found = await _found(request, session)
    if found is None:
        return to(HUB)
    home, keys = found
    typed = _Typed(
        clean_username(sent["username"]), sent["address"].strip()[:60], sent["key"], sent["pasted"]
    )
    if not _is_address(typed.address):
        return _page(request, session, keys, typed, wrong_address=True)
    try:
        fingerprint = _fingerprint(typed, keys)
    except Refused as fault:
        if fault.code.name == "private_key_sent":
            typed = _Typed(typed.username, typed.address, typed.key)
        problem = problem_of(fault, request.state.reference)
        return _page(request, session, keys, typed, problem=problem)
    telling = Telling(home, keys, language_of(request, session.language))
    tried = _tried(home, keys, telling, typed, fingerprint)
    return _page(request, session, keys, typed, tried=tried)


async def _found(request: Request, session: Session) -> tuple[Home, tuple[Key, ...]] | None:
    ctx: Context = request.app.state.ctx
    home = await service.home_of(ctx, session.account_id)
    if home is None:
        return None
    return home, tuple(await service.list_keys(ctx, session.account_id))


def _is_address(typed: str) -> bool:
    try:
        ip_address(typed)
    except ValueError:
        return False
    return True


def _fingerprint(typed: _Typed, keys: tuple[Key, ...]) -> str | None:
    if typed.pasted.strip():
        return parse_public_key(typed.pasted.encode()).fingerprint
    chosen = next((key for key in keys if key.id == typed.key), None)
    return chosen.fingerprint if chosen else None


def _tried(
    home: Home, keys: tuple[Key, ...], telling: Telling, typed: _Typed, fingerprint: str | None
) -> _Tried:
    door = Door(
        account_id=home.account_id,
        username=home.username,
        enabled=home.enabled,
        networks=home.networks,
        keys={key.fingerprint: key.id for key in keys},
        certificate=None,
    )
    # Only one's own door is ever looked at: another's username is as wrong as one that nobody has.
    own = username_key(typed.username) == home.username
    outcome = judge(door if own else None, fingerprint=fingerprint, address=typed.address)
    states = []
    failed = False
    for name, ends in _STEPS:
        state = "next" if failed else "failed" if outcome in ends else "done"
        failed = failed or outcome in ends
        states.append((name, state))
    return _Tried(outcome, fingerprint, telling.line(_visit(typed, outcome)), tuple(states))


def _visit(typed: _Typed, outcome: Outcome) -> Visit:
    """The line that the log would have of it."""
    return Visit(
        id="",
        account_id="",
        at=0,
        last_at=0,
        times=1,
        username=typed.username,
        address=typed.address,
        program="",
        outcome=outcome,
        fingerprint=None,
        key_id=None,
        detail={},
        files=0,
        bytes=0,
        ended_at=None,
        ended_as=None,
    )


def _page(
    request: Request,
    session: Session,
    keys: tuple[Key, ...],
    typed: _Typed,
    *,
    tried: _Tried | None = None,
    wrong_address: bool = False,
    problem: Problem | None = None,
) -> Response:
    language = language_of(request, session.language)
    return render(
        request,
        "delivery/trial.html",
        status=problem.code.status if problem else 400 if wrong_address else 200,
        session=session,
        keys=keys,
        choices=[
            *((key.id, f"{key.label} ({key.fingerprint[:19]}…)") for key in keys),
            (_NONE, t("delivery.trial.no_key", language)),
        ],
        username=typed.username,
        address=typed.address,
        key=typed.key,
        pasted=typed.pasted,
        here=visitor(request).address,
        tried=tried,
        wrong_address=wrong_address,
        problem=problem,
    )


routes = [
    Route(_PAGE, form, methods=["GET"]),
    Route(_PAGE, attempt, methods=["POST"]),
]
