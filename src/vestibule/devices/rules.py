"""What an enrollment is, and who may remove one. Pure: no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused

LABEL_MAX: Final = 40


class PushHealth(StrEnum):
    """What is known about nudging a phone."""

    UNKNOWN = "unknown"
    OK = "ok"
    DENIED = "denied"
    """The person does not allow notifications."""
    UNAVAILABLE = "unavailable"
    """The phone cannot have any."""
    GONE = "gone"
    """The subscription ended; the app makes a new one at its next contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """One account on one phone, without its keys. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    device_id: str
    label: str
    platform: str
    push_health: PushHealth
    biometric: bool
    created_at: int
    rests_until: int | None = None
    """It cannot approve before this: it came without the old phone's word (milliseconds)."""
    retires_at: int | None = None
    """It cannot approve from this on, only deny and report: another one took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One line of the list of phones."""

    enrollment: Enrollment
    used_at: int | None
    """When it last signed somebody in, in milliseconds."""


def can_approve(enrollment: Enrollment, now: int) -> bool:
    """Whether a phone that is not revoked may approve sign-ins and give responses at ``now``.

    The store says the same to the database.
    """
    return may_approve(
        rests_until=enrollment.rests_until, retires_at=enrollment.retires_at, now=now
    )


def may_approve(*, rests_until: int | None, retires_at: int | None, now: int) -> bool:
    """As `can_approve`, for who has read only the two times."""
    rests = rests_until is not None and now < rests_until
    retired = retires_at is not None and now >= retires_at
    return not rests and not retired


def demand_able(*, rests_until: int | None, retires_at: int | None, now: int) -> None:
    """Refuse an approval or a response of a phone that rests or has retired.

    Raises Refused ``enrollment_rests`` (with ``wait``, seconds) or ``enrollment_retired``.
    """
    if rests_until is not None and now < rests_until:
        raise Refused("enrollment_rests", wait=-(-(rests_until - now) // 1000))
    if retires_at is not None and now >= retires_at:
        raise Refused("enrollment_retired")


def clean_label(typed: str) -> str:
    """A phone's name as shown: one line, 1 to 40 printable characters.

    Raises Refused ``device_name_invalid``.
    """
    label = " ".join(typed.split())
    if not 1 <= len(label) <= LABEL_MAX or not label.isprintable():
        raise Refused("device_name_invalid", most=LABEL_MAX)
    return label


def linked_in(enrollment: Enrollment, opened_at: int) -> bool:
    """Whether a session opened then has seen the phone come: it may undo what was done in it.

    Any other phone is changed only after a proof: a stolen password must not unlink it.
    """
    return enrollment.created_at >= opened_at
