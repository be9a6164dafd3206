"""What the browser that began an attempt is told: values for its pages."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base.context import Context
from vestibule.login.rules import RESPONSE_TRIES, Attempt, Kind, State, Step, Way, next_step


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One attempt as its own browser sees it. Times are milliseconds since the epoch."""

    id: str
    kind: Kind
    step: Step
    round: int
    way: str
    """The kind of what was chosen: ``phone``, ``sms``, that of a factor; empty before."""
    phone: str
    """Its owner's name for it."""
    several: bool
    """Whether there is anything else to choose."""
    push: bool
    why_no_push: str
    number: bool
    challenge: str
    tries_left: int
    request_expires_at: int
    challenge_expires_at: int
    expires_at: int
    claimed: bool = False
    """A phone has scanned this browser's code."""
    passwordless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """The outcome of an accepted password: a session at once, or an attempt to follow.

    `secret` proves to later calls that they come from the browser that began the attempt;
    `session` is the cookie value of a session opened by the password alone.
    """

    session: str | None
    secret: str
    view: View | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """Which attempt, and the proof that this browser began it."""

    id: str
    secret: str


def browser_digest(ctx: Context, secret: str) -> bytes:
    """How the secret of the beginning browser is stored."""
    return ctx.sealer.digest("login-browser", secret)


def view_of(
    attempt: Attempt, *, way: Way | None, several: bool, now: int, why_no_push: str = ""
) -> View:
    """The attempt as its browser may see it at `now`."""
    return View(
        id=attempt.id,
        kind=attempt.kind,
        step=next_step(attempt, now=now),
        round=attempt.round,
        way=way.kind if way else "",
        phone=way.label if way else "",
        several=several,
        push=attempt.push,
        why_no_push=why_no_push,
        number=attempt.number,
        challenge=attempt.challenge if attempt.state is not State.CHOOSING else "",
        tries_left=max(0, RESPONSE_TRIES - attempt.tries),
        request_expires_at=attempt.request_expires_at,
        challenge_expires_at=attempt.challenge_expires_at,
        expires_at=attempt.expires_at,
        claimed=attempt.claimed,
        passwordless=attempt.passwordless,
    )
