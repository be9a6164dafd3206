"""What people are told of, how loudly, by which ways and when. Pure: no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Final

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

NOT_ME_MS: Final = 14 * _DAY
"""How long "this was not me" may be said: mails are read late."""
TEXTS_A_DAY: Final = 10
"""Text messages about notices to one number; each costs money, and a thief could cause many."""
LEASE_MS: Final = 2 * _MINUTE
"""Who took a delivery and died gives it back after this long."""
TESTS: Final = 6
TESTS_WITHIN_MS: Final = 10 * _MINUTE
"""So many test pushes a phone may ask for within that time."""
READY: Final = "statements.ready"
"""The event whose detail counts new statements by their kind (`READY_KINDS`)."""
READY_KINDS: Final = ("daily", "monthly", "trade")
SENT_BY_OPERATOR: Final = "notice.sent"
"""The event whose detail holds its own title and text."""
RECEIPT_WRITTEN_MS: Final = _HOUR
"""A phone's last delivery is remembered this exactly, so that receipts hardly ever write."""


class ByMail(StrEnum):
    """What a reader chose to get by mail, in the detail of an event that is told by choice."""

    OFF = "off"
    NOTICE = "notice"
    ENCLOSED = "attachment"
    """The notice, and with it what it is about."""


class Weight(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    ALARM = "alarm"
    """Who may sign in has changed. Every way is used, and quiet hours do not hold it back."""


class Way(StrEnum):
    """How a notice reaches its reader, beside the list in portal and app."""

    MAIL = "mail"
    PUSH = "push"
    TEXT = "sms"


class Kind(StrEnum):
    """What a push is about."""

    SIGN_IN = "sign-in"
    NOTICE = "notice"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One row of the table of events that people are told of."""

    weight: Weight = Weight.INFO
    not_me: bool = False
    """Whether it comes with "this was not me"."""
    only: str = ""
    """An SQL LIKE pattern that the event's detail (JSON) has to match; empty: any."""
    unless: str = ""
    """One that it must not match; empty: none."""
    by_choice: str = ""
    """The page on which its reader chose the ways; then the event's detail names them, as ``mail``
    (`ByMail`) and ``push`` (true or false). Empty: every way of its weight."""
    opens: str = ""
    """The page of the portal that it is about, whose link is ``notifications.open.<event>``.

    ``{ticket}`` in it stands for that member of the event's detail.
    """
    quotes: bool = False
    """Whether its mails may carry the text that it is about, for readers who chose that."""


_ALARM: Final = Told(weight=Weight.ALARM, not_me=True)
_CHANGE: Final = Told(not_me=True)
_NEWS: Final = Told()
_CERTIFICATE: Final = Told(opens="/settings/delivery/certificate")
_DELIVERY: Final = _ALARM
_CONVERSATION: Final = "/messages/{ticket}"

TOLD: Final[Mapping[str, Told]] = MappingProxyType(
    {
        "codes.renewed": _ALARM,
        "account.password_changed": _ALARM,
        "account.disabled": _NEWS,
        "account.networks_changed": _ALARM,
        "account.seamless_on": _CHANGE,
        "account.seamless_off": _CHANGE,
        # By an operator, who has seen whose it is; the others are told when they are verified.
        "contact.added": Told(weight=Weight.ALARM, not_me=True, only='%"verified":true%'),
        "contact.verified": _ALARM,
        "contact.removed": _ALARM,
        "contact.preferred": _CHANGE,
        # Of a phone that came by a case, the case tells.
        "enrollment.created": Told(weight=Weight.ALARM, not_me=True, unless='%"case":true%'),
        "delivery.key_added": _DELIVERY,
        "delivery.key_removed": _DELIVERY,
        "delivery.networks_changed": _DELIVERY,
        "delivery.certificate_set": _DELIVERY,
        "delivery.certificate_removed": _DELIVERY,
        "delivery.switched_on": _DELIVERY,
        "delivery.switched_off": _DELIVERY,
        "delivery.notices_changed": _CHANGE,
        "enrollment.pin_locked": Told(weight=Weight.ALARM),
        "enrollment.removed": _ALARM,
        "delivery.certificate_expires": _CERTIFICATE,
        "delivery.certificate_expired": _CERTIFICATE,
        "factor.confirmed": _ALARM,
        "factor.removed": _ALARM,
        "login.proofs_spent": _CHANGE,
        "login.reported": Told(weight=Weight.ALARM),
        SENT_BY_OPERATOR: _NEWS,
        READY: Told(by_choice="/settings/delivery/notices", opens="/statements"),
        "pass.confirmed": _ALARM,
        "recovery.started": _ALARM,
        "recovery.rested": _ALARM,
        "recovery.finished": _ALARM,
        "recovery.stopped": Told(weight=Weight.ALARM),
        # From a browser that its owner has not signed in from before; the others are no news.
        "session.opened": Told(not_me=True, unless='%"known":true%'),
        "support.answered": Told(opens=_CONVERSATION, quotes=True),
        # By its client: no news to them.
        "support.closed": Told(opens=_CONVERSATION, only='%"by":"staff"%'),
        "support.notices_changed": Told(opens="/messages/notices"),
        "support.reminded": Told(opens=_CONVERSATION),
    }
)
"""The events that people are told of. A further one is a line here and its two texts
(``notifications.title.<event>`` and ``notifications.text.<event>``); the database learns of it at
the next start, for the trigger reads a table that is filled from this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an account is told of. Times are milliseconds since the epoch."""

    id: int
    """That of its audit event."""
    account_id: str
    event: str
    at: int
    subject: str | None
    """The id of the record that changed."""
    source: str
    """The address it came from, or an empty string."""
    detail: Mapping[str, str | int | bool | None]
    weight: Weight
    read: bool

    @property
    def not_me(self) -> bool:
        """Whether its reader may say that it was somebody else."""
        return self._told.not_me

    @property
    def by_choice(self) -> str:
        """The page on which its reader chose the ways of such news; empty: nobody chose."""
        return self._told.by_choice

    @property
    def opens(self) -> str:
        """The page of the portal that it is about; empty: none."""
        return self._told.opens.replace("{ticket}", str(self.detail.get("ticket", "")))

    @property
    def quotes(self) -> bool:
        """Whether its mails may carry the text that it is about."""
        return self._told.quotes

    def wanted(self, way: Way) -> bool:
        """Whether its reader wants to be told of it this way."""
        if not self.by_choice:
            return True
        if way is Way.MAIL:
            return self.detail.get("mail") in (ByMail.NOTICE, ByMail.ENCLOSED)
        return way is Way.PUSH and self.detail.get("push") is True

    @property
    def encloses(self) -> bool:
        """Whether its mails bring along what it is about, where that may travel."""
        return bool(self.by_choice) and self.detail.get("mail") == ByMail.ENCLOSED

    @property
    def _told(self) -> Told:
        return TOLD.get(self.event, _NEWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMe:
    """What a "this was not me" link says: sealed, so that it cannot be made up."""

    account_id: str
    notice_id: int
    event: str
    subject: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which an account wants no informational push, as minutes of its day."""

    start: int
    end: int
    zone: tzinfo

    def until(self, now: int) -> int | None:
        """When the quiet that lasts at ``now`` (ms) ends; None where there is none."""
        here = datetime.fromtimestamp(now / 1000, self.zone)
        minute = here.hour * 60 + here.minute
        if self.start == self.end or (minute - self.start) % 1440 >= (self.end - self.start) % 1440:
            return None
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        ends = midnight + timedelta(minutes=self.end, days=int(minute >= self.end))
        # The wall's clock decides, whatever summer time does in between.
        return int(ends.replace(tzinfo=self.zone).timestamp() * 1000)


def quiet_of(start: int | None, end: int | None, zone: tzinfo) -> Quiet | None:
    """The account's quiet hours; None where it set none."""
    return None if start is None or end is None else Quiet(start, end, zone)


_PAUSES: Final[Mapping[Way, tuple[int, ...]]] = MappingProxyType(
    {
        Way.MAIL: (_MINUTE, 5 * _MINUTE, 20 * _MINUTE, _HOUR, 4 * _HOUR, 12 * _HOUR, _DAY),
        Way.PUSH: (_MINUTE, 5 * _MINUTE, 20 * _MINUTE),
        Way.TEXT: (_MINUTE, 5 * _MINUTE, _HOUR, 4 * _HOUR),
    }
)


def next_try(way: Way, tries: int, now: int) -> int | None:
    """When to try again after the ``tries``-th failure; None: give up."""
    pauses = _PAUSES[way]
    return now + pauses[tries - 1] if tries <= len(pauses) else None
