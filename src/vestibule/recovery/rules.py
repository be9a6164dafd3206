"""A recovery case's states and the decisions about it. Pure: no I/O, ``now`` is passed in.

A case leads from username and password to an enrollment without the portal. The password alone
never suffices. A text message beside it links a phone at once only where the account has nothing
stronger; elsewhere the new phone rests first, and whoever holds the old one, or reads the mail,
may stop it: a stolen password and a hijacked number open nothing in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.activation.rules import Authority
from vestibule.base.errors import Refused
from vestibule.contacts.rules import Contact, can_be_called_only, may_recover
from vestibule.devices.rules import Enrollment, can_approve
from vestibule.factors.rules import Factor, Kind as FactorKind


class State(StrEnum):
    """Where a stored case stands. Running out of time is not stored: `over` derives it."""

    OPEN = "open"
    ASKED = "asked"
    GRANTED = "granted"
    RESTING = "resting"
    DONE = "done"
    DENIED = "denied"
    SPENT = "spent"
    STOPPED = "stopped"


class Event(StrEnum):
    """What can happen to a case."""

    CHOOSE = "choose"
    FAIL = "fail"
    """The phone that was asked did not answer, or answered wrongly."""
    WRONG = "wrong"
    SPEND = "spend"
    DENY = "deny"
    GRANT = "grant"
    LINK = "link"
    """The new phone is linked and approves at once."""
    REST = "rest"
    """The new phone is linked and has to wait."""
    ASK_AGAIN = "ask_again"
    """The old phone is asked to shorten the wait."""
    HASTEN = "hasten"
    RIPEN = "ripen"
    STOP = "stop"


_S, _E = State, Event
# What is not in this table is refused. A finished case can still be stopped: its owner may have
# been asleep.
MOVES: Final[dict[tuple[State, Event], State]] = {
    (_S.OPEN, _E.CHOOSE): _S.ASKED,
    (_S.OPEN, _E.STOP): _S.STOPPED,
    (_S.ASKED, _E.CHOOSE): _S.ASKED,
    (_S.ASKED, _E.FAIL): _S.OPEN,
    (_S.ASKED, _E.WRONG): _S.ASKED,
    (_S.ASKED, _E.SPEND): _S.SPENT,
    (_S.ASKED, _E.DENY): _S.DENIED,
    (_S.ASKED, _E.GRANT): _S.GRANTED,
    (_S.ASKED, _E.STOP): _S.STOPPED,
    (_S.GRANTED, _E.LINK): _S.DONE,
    (_S.GRANTED, _E.REST): _S.RESTING,
    (_S.GRANTED, _E.STOP): _S.STOPPED,
    (_S.RESTING, _E.ASK_AGAIN): _S.RESTING,
    (_S.RESTING, _E.HASTEN): _S.DONE,
    (_S.RESTING, _E.RIPEN): _S.DONE,
    (_S.RESTING, _E.STOP): _S.STOPPED,
    (_S.DONE, _E.STOP): _S.STOPPED,
}

RUNNING: Final = frozenset({State.OPEN, State.ASKED, State.GRANTED})
CODE_TRIES: Final = 5


class Situation(StrEnum):
    """Why an app comes with credentials."""

    FIRST = "first"
    """The account has no phone."""
    ADD = "add"
    """Another phone, beside those there are."""
    RENEW = "renew"
    """The same device: its PIN is forgotten, or the app was installed anew."""
    MOVE = "move"
    """A new phone in the place of another."""


class WayKind(StrEnum):
    """What is shown beside the password."""

    SMS = "sms"
    VOICE = "voice"
    CODE = "code"
    PHONE = "phone"


AUTHORITY: Final = {
    WayKind.SMS: Authority.SMS,
    WayKind.VOICE: Authority.SMS,
    WayKind.CODE: Authority.RECOVERY_CODE,
    WayKind.PHONE: Authority.PHONE,
}
ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to prove more than the password."""

    kind: WayKind
    subject: str
    """The contact, the factor or the enrollment that it goes by."""
    label: str
    rests: bool

    @property
    def id(self) -> str:
        """How the app names it."""
        return f"{self.kind.value}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an account has at one moment."""

    phones: tuple[Enrollment, ...]
    """Those that are not revoked, resting and retiring ones among them."""
    used_at: dict[str, int | None]
    numbers: tuple[Contact, ...]
    """Verified numbers, the preferred first."""
    factors: tuple[Factor, ...]
    """Those that may answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A stored case. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    device_id: str
    label: str
    platform: str
    former: str | None
    state: State
    situation: Situation
    way: str | None
    """The `Way.id` that was chosen."""
    replaces: str
    """An enrollment, ``all``, or nothing."""
    rests: bool
    tries: int
    ticket_id: str | None
    enrollment_id: str | None
    replaced: str
    """Ids, separated by spaces, of the enrollments that retire for the new one."""
    rests_until: int | None
    opened_at: int
    expires_at: int
    browser: str
    address: str
    place: str
    version: int

    @property
    def way_kind(self) -> WayKind | None:
        """The kind of the way that was chosen."""
        return WayKind(self.way.partition(":")[0]) if self.way else None

    @property
    def way_subject(self) -> str:
        """What the chosen way goes by."""
        return self.way.partition(":")[2] if self.way else ""


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused ``case_over``."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("case_over") from None


def over(case: Case, *, now: int) -> bool:
    """Whether a case has run out of time before its phone was linked."""
    return case.state in RUNNING and now >= case.expires_at


def demand_running(case: Case, *, now: int) -> None:
    """Refuse a case that ended: ``case_expired``, or ``case_over`` for any other end."""
    if case.state not in RUNNING:
        raise Refused("case_over")
    if now >= case.expires_at:
        raise Refused("case_expired")


def situation(facts: Facts, *, device_id: str, former: str | None) -> Situation:
    """Why this device comes, as far as the records tell."""
    if not facts.phones:
        return Situation.FIRST
    if own(facts, device_id=device_id, former=former):
        return Situation.RENEW
    return Situation.MOVE


def own(facts: Facts, *, device_id: str, former: str | None) -> tuple[Enrollment, ...]:
    """The account's enrollments that this device holds, or held before its PIN was forgotten."""
    return tuple(p for p in facts.phones if p.device_id == device_id or p.id == former)


def guarded(facts: Facts) -> bool:
    """Whether the account has more than its password: then a text message is not enough."""
    return bool(facts.phones) or bool(facts.factors)


def ways(
    facts: Facts,
    *,
    device_id: str,
    former: str | None,
    by_text: bool,
    by_voice: bool,
    trust_ms: int,
    now: int,
) -> tuple[Way, ...]:
    """What may be shown beside the password, the strongest first.

    ``by_text`` and ``by_voice`` say what the house sends. A number verified within ``trust_ms``
    proves nobody who lost a phone: it may have been added for just that.
    """
    mine = {phone.id for phone in own(facts, device_id=device_id, former=former)}
    found = [
        Way(kind=WayKind.PHONE, subject=phone.id, label=phone.label, rests=False)
        for phone in facts.phones
        if phone.id not in mine and can_approve(phone, now)
    ]
    found += [
        Way(kind=WayKind.CODE, subject=factor.id, label=factor.label, rests=False)
        for factor in facts.factors
        if factor.kind is FactorKind.RECOVERY_CODES
    ]
    rests = guarded(facts)
    for contact in facts.numbers:
        if rests and not may_recover(contact, now=now, trust_ms=trust_ms):
            continue
        if by_text and not can_be_called_only(contact.address):
            found.append(_by_number(WayKind.SMS, contact, rests=rests))
        if by_voice:
            found.append(_by_number(WayKind.VOICE, contact, rests=rests))
    return tuple(found)


def _by_number(kind: WayKind, contact: Contact, *, rests: bool) -> Way:
    return Way(kind=kind, subject=contact.id, label=contact.masked, rests=rests)


def find_way(offered: Sequence[Way], wanted: str) -> Way:
    """The way of that id. Raises Refused ``case_way``."""
    for way in offered:
        if way.id == wanted:
            return way
    raise Refused("case_way")


def demand_replaces(facts: Facts, replaces: str) -> None:
    """Refuse to replace what the account has not (``case_way``)."""
    if replaces not in {"", ALL, *(phone.id for phone in facts.phones)}:
        raise Refused("case_way")


def settled(first: Situation, replaces: str) -> Situation:
    """The situation, once it is chosen what the new phone takes the place of."""
    if first in (Situation.MOVE, Situation.ADD):
        return Situation.MOVE if replaces else Situation.ADD
    return first


def displaced(case: Case, facts: Facts) -> tuple[Enrollment, ...]:
    """The enrollments that the new one takes the place of."""
    mine = {p.id for p in own(facts, device_id=case.device_id, former=case.former)}
    return tuple(
        phone for phone in facts.phones if phone.id in mine or case.replaces in (ALL, phone.id)
    )


def stoppable(case: Case, *, ended_at: int, grace_ms: int, now: int) -> bool:
    """Whether stopping a case still undoes something."""
    if case.state is State.DONE:
        return now < ended_at + grace_ms
    return (case.state, Event.STOP) in MOVES
