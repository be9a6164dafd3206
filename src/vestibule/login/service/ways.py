"""What could answer for an account: its phones, its other factors, and a number in between."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.contacts import rules as contact_rules
from vestibule.devices import rules as device_rules
from vestibule.factors import rules as factor_rules
from vestibule.login.rules import PHONE, SMS, Way, in_order
from vestibule.login.service.round import Phone

_SMS_PREFIX = "sms:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Of one account, at one moment."""

    phones: tuple[Phone, ...]
    """Those that may approve now, the last used first."""
    all: tuple[Way, ...]
    """What the chooser lists, in its order."""
    password_suffices: bool
    """Nothing stronger was ever shown: no phone, not even one that rests, and no factor."""

    def find(self, way_id: str) -> Way | None:
        """The way of that id."""
        return next((way for way in self.all if way.id == way_id), None)

    def phone(self, phone_id: str | None) -> Phone | None:
        """The phone of that id; None stands for the one last used."""
        return next((phone for phone in self.phones if phone_id in {None, phone.id}), None)


def ways_of(ctx: Context, rows: list[Row], *, now: int) -> Ways:
    """The ways in the rows of a statement that reads them."""
    linked = [row for row in rows if row["phone_id"] is not None]
    phones = sorted(
        (_phone(row) for row in linked if _able(row, now)),
        key=lambda phone: (phone.used_at or 0, phone.linked_at),
        reverse=True,
    )
    ways = [_of_phone(phone) for phone in phones]
    ways += [_of_factor(row) for row in rows if row["other_id"] is not None]
    # A number stands in only until the first phone is there, also where that one still rests.
    if factor_rules.sms_allowed(on=ctx.settings.sms_sign_in, phones=len(linked)):
        ways += [_of_number(row) for row in rows if row["contact_id"] is not None]
    return Ways(phones=tuple(phones), all=in_order(ways), password_suffices=not linked and not ways)


def number_of(way_id: str | None) -> str | None:
    """The contact's id in the way of a number; None for other ways."""
    if way_id is None or not way_id.startswith(_SMS_PREFIX):
        return None
    return way_id.removeprefix(_SMS_PREFIX)


def _able(row: Row, now: int) -> bool:
    return device_rules.may_approve(
        rests_until=row["rests_until"], retires_at=row["retires_at"], now=now
    )


def _phone(row: Row) -> Phone:
    return Phone(
        id=row["phone_id"],
        label=row["label"],
        platform=row["platform"],
        used_at=row["used_at"],
        linked_at=row["linked_at"],
        subscription=row["subscription"],
        ntfy_topic=row["ntfy_topic"],
        language=row["language"],
    )


def _of_phone(phone: Phone) -> Way:
    return Way(
        id=phone.id,
        kind=PHONE,
        label=phone.label,
        platform=phone.platform,
        used_at=phone.used_at,
        added_at=phone.linked_at,
    )


def _of_factor(row: Row) -> Way:
    return Way(
        id=row["other_id"],
        kind=row["other_kind"],
        label=row["other_label"],
        used_at=row["other_used_at"],
        added_at=row["other_added_at"],
    )


def _of_number(row: Row) -> Way:
    return Way(
        id=f"{_SMS_PREFIX}{row['contact_id']}",
        kind=SMS,
        label=contact_rules.masked(contact_rules.Kind.NUMBER, row["contact_address"]),
    )
