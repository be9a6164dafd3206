"""Statements to try it with: made up, for the demo accounts, published once by the real way."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from vestibule.accounts.rules import Account
from vestibule.base.context import Context
from vestibule.statements import service as statements
from vestibule.statements.rules import Kind, Publisher, Wanted

_DAYS: Final = 6
_MONTHS: Final = 2
_TRADES: Final = ("buy,Larkfield Tramways,40,31.15", "sell,Ostmark Paper,12,88.60")
_PUBLISHER: Final = "demo"
_WEEKEND: Final = 5


@dataclass(frozen=True, slots=True)
class _Sample:
    kind: Kind
    period: str
    name: str
    media: str
    data: bytes


async def publish_samples(ctx: Context, accounts: list[Account]) -> int:
    """Give each account that has no statement yet a few; how many were published.

    What is there stays as it is: whoever tries the portal for a week is not sent more every day.
    """
    fresh = [one for one in accounts if not await _has_any(ctx, one)]
    if not fresh:
        return 0
    publisher = await _publisher(ctx)
    count = 0
    today = datetime.fromtimestamp(ctx.clock.now() / 1000, UTC).date()
    for account in fresh:
        for sample in sorted(_samples(account, today), key=lambda one: one.period):
            wanted = Wanted(
                account=account.username,
                kind=sample.kind.value,
                name=sample.name,
                size=len(sample.data),
                sha256=hashlib.sha256(sample.data).digest(),
                period=sample.period,
                media=sample.media,
            )
            await statements.publish(ctx, publisher, wanted, chunks=_once(sample.data))
            count += 1
    return count


async def _has_any(ctx: Context, account: Account) -> bool:
    listing = await statements.tree(ctx, account.id)
    return bool(listing.statements or listing.hidden)


async def _publisher(ctx: Context) -> Publisher:
    for one in await statements.list_publishers(ctx):
        if one.name == _PUBLISHER:
            return one
    # Its token is shown to nobody: only this process publishes in its name.
    made, _token = await statements.add_publisher(ctx, _PUBLISHER)
    return made


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _samples(account: Account, today: date) -> Iterator[_Sample]:
    days = [day for day in _days_before(today) if day.weekday() < _WEEKEND][:_DAYS]
    for number, day in enumerate(days):
        name = f"activity-{day}.csv"
        yield _Sample(Kind.DAILY, str(day), name, "text/csv", _activity(day, number))
    for number, line in enumerate(_TRADES):
        day = days[number]
        data = f"side,name,quantity,price\r\n{line}\r\n".encode()
        yield _Sample(Kind.TRADE, str(day), f"trade-{day}-{number + 1}.csv", "text/csv", data)
    month = today.replace(day=1)
    for _ in range(_MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        title = f"Monthly statement {month:%Y-%m}"
        lines = [
            title,
            account.display_name,
            "",
            "Opening balance  10,250.00",
            "Closing balance  10,731.40",
            "",
            "This is a sample. Nothing in it is real.",
        ]
        name = f"statement-{month:%Y-%m}.pdf"
        data = _pdf(lines)
        yield _Sample(Kind.MONTHLY, f"{month:%Y-%m}", name, "application/pdf", data)


def _days_before(today: date) -> Iterator[date]:
    for back in range(1, 20):
        yield today - timedelta(days=back)


def _activity(day: date, number: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["date", "description", "amount", "currency"])
    rows.writerow([day, "Dividend, Larkfield Tramways", f"{12 + number}.40", "EUR"])
    rows.writerow([day, "Custody fee", "-1.20", "EUR"])
    return text.getvalue().encode()


def _pdf(lines: list[str]) -> bytes:
    """A page of text in the fewest objects that ISO 32000-1 allows; ASCII only."""
    shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
    content = f"BT /F1 14 Tf 72 770 Td 22 TL\n{shown}ET".encode("ascii", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
            b"/Resources << /Font << /F1 4 0 R >> >> >>"
        ),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    file = bytearray(b"%PDF-1.4\n")
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(file)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
