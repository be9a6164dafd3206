"""One round of an attempt: a request for the phone, a challenge for the page, their lives."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base import ids
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.login.rules import Attempt, Kind, NumberEntry, State, number_needed
from vestibule.protocol import messages
from vestibule.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone that can approve, as the chooser shows it."""

    id: str
    label: str
    platform: str
    used_at: int | None
    linked_at: int
    subscription: bytes | None
    ntfy_topic: bytes | None
    language: str | None
    """What its owner's account speaks; None: the house's."""

    @property
    def nudgeable(self) -> bool:
        """Whether there is any way to nudge it."""
        return self.subscription is not None or self.ntfy_topic is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What changes when a phone is chosen or a request renewed."""

    number: bool
    challenge: str
    request: str
    request_expires_at: int
    challenge_expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the person is shown on the phone beside the names of the house."""

    account: str
    browser: str
    place: str
    address: str
    known: bool
    others: int
    kind: Kind = Kind.SIGN_IN
    detail: str = ""
    far: bool = False


def make_round(
    ctx: Context,
    *,
    attempt_id: str,
    phone_id: str,
    shown: Shown,
    number: bool | None,
    until: int,
    now: int,
) -> Round:
    """A fresh challenge and a signed request, neither of which outlives the attempt (`until`).

    `number` None: as the policy says.
    """
    settings = ctx.settings
    if number is None:
        policy = NumberEntry(settings.number_entry)
        number = number_needed(policy, known=shown.known, others=shown.others, kind=shown.kind)
    expires = min(now + settings.login_request_seconds * 1000, until)
    return Round(
        number=number,
        challenge=ids.new_challenge(),
        request=sign_request(
            ctx,
            attempt_id=attempt_id,
            phone_id=phone_id,
            shown=shown,
            number=number,
            expires_at=expires,
            now=now,
        ),
        request_expires_at=expires,
        challenge_expires_at=min(now + settings.challenge_seconds * 1000, until),
    )


def other_round(until: int) -> Round:
    """A round that asks no phone: its challenge binds a passkey's answer to it."""
    return Round(
        number=False,
        challenge=ids.new_challenge(),
        request="",
        request_expires_at=0,
        challenge_expires_at=until,
    )


def sign_request(
    ctx: Context,
    *,
    attempt_id: str,
    phone_id: str,
    shown: Shown,
    number: bool,
    expires_at: int,
    now: int,
) -> str:
    """The approval-request (spec §8), signed by the house."""
    settings = ctx.settings
    return messages.sign(
        messages.ApprovalRequest(
            iss=settings.portal_url,
            aud=phone_id,
            iat=now // 1000,
            exp=expires_at // 1000,
            jti=attempt_id,
            kind=shown.kind.value,
            number=number,
            show=messages.Show(
                organisation=settings.organisation,
                application=settings.application,
                account=shown.account,
                browser=shown.browser,
                place=shown.place,
                address=shown.address,
                known=shown.known,
                others=shown.others,
                detail=shown.detail,
                far=shown.far,
            ),
        ),
        key=ctx.keys.signing,
        kid=ctx.keys.signing_id,
    )


def asks_nobody(ctx: Context, visitor: Visitor, *, state: State, now: int) -> Attempt:
    """A fresh attempt of no account yet: what its first round is made from."""
    return Attempt(
        id=ids.new_id(),
        kind=Kind.SIGN_IN,
        account_id="",
        session_id=None,
        detail="",
        enrollment_id=None,
        factor_id=None,
        state=state,
        round=1,
        known=False,
        push=False,
        number=False,
        challenge="",
        tries=0,
        proofs=0,
        resync_counter=None,
        request=None,
        request_expires_at=0,
        challenge_expires_at=0,
        expires_at=now + ctx.settings.attempt_seconds * 1000,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
        passwordless=state is State.UNCLAIMED,
    )


def attempt_of(row: Row) -> Attempt:
    """The stored row as a value."""
    return Attempt(
        id=row["id"],
        kind=Kind(row["kind"]),
        account_id=row["account_id"] or "",
        session_id=row["session_id"],
        detail=row["detail"],
        enrollment_id=row["enrollment_id"],
        factor_id=row["factor_id"],
        state=State(row["state"]),
        round=row["round"],
        known=bool(row["known"]),
        push=bool(row["push"]),
        number=bool(row["number"]),
        challenge=row["challenge"],
        tries=row["tries"],
        proofs=row["proofs"],
        resync_counter=row["resync_counter"],
        request=row["request"],
        request_expires_at=row["request_expires_at"],
        challenge_expires_at=row["challenge_expires_at"],
        expires_at=row["expires_at"],
        browser=row["browser"],
        address=row["address"],
        place=row["place"],
        claimed=bool(row["claimed"]),
        passwordless=bool(row["passwordless"]),
    )
