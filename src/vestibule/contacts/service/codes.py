"""Six digits by text, call or mail: sent, checked, spent."""

import asyncio
import hmac
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import structlog

from vestibule.base import audit, limits
from vestibule.base.clock import DAY, SECOND
from vestibule.base.context import Context, Mail, MessageOutcome
from vestibule.base.database import Row, Tx, Value
from vestibule.base.errors import Fault, Lost, Refused, Unavailable
from vestibule.base.i18n import duration, t
from vestibule.contacts import rules, store
from vestibule.contacts.rules import By, Code, Contact

_log = structlog.get_logger("vestibule.contacts")

Purpose = Literal["verify", "activate", "recover", "sign_in"]
# Where the code is typed: what fills it in by itself may do so there and nowhere else.
_AT_THE_PHONE: Final = frozenset({"activate", "recover"})
# The loop holds tasks weakly; without this set one could vanish before it ran.
_running: set[asyncio.Task[MessageOutcome]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A code under way. Times are milliseconds since the epoch."""

    resend_at: int
    """Before this no other one is sent."""
    expires_at: int
    sends_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A right code that is not used up yet: `spend_code` does that."""

    subject: str
    contact_id: str
    account_id: str
    purpose: str
    by: By
    digest: bytes


async def send_code(
    ctx: Context,
    *,
    contact: Contact,
    subject: str,
    purpose: Purpose,
    by: By,
    language: str,
    source: str,
    wait: bool = False,
) -> Sent:
    """Send a fresh code; the one before it, if any, is void.

    `subject` is what the code is for: the contact's id, or a case's. `source` is the visitor's
    (`Visitor.source`): messages are limited per account, per number and per source. With `wait`
    the outcome is awaited; without, this takes as long whether or not the gateway answers.

    Raises Refused ``code_wait`` (``wait`` in seconds), ``way_unavailable``, ``contact_unverified``
    or ``contact_unknown``; with `wait` also ``contact_refused`` and Unavailable ``message_failed``.
    """
    rules.demand_way(contact, purpose=purpose, by=by)
    if by != "mail" and by not in ctx.text.ways:
        raise Refused("way_unavailable")
    code = f"{secrets.randbelow(10**6):06}"
    sent = await ctx.db.write(
        lambda tx: _renew(
            tx, ctx, contact=contact, subject=subject, purpose=purpose, by=by, code=code, at=source
        )
    )
    message = _deliver(ctx, contact, purpose=purpose, by=by, language=language, code=code)
    if not wait:
        _start(message)
        return sent
    outcome = await message
    if outcome is MessageOutcome.REFUSED:
        raise Refused("contact_refused")
    if outcome is MessageOutcome.FAILED:
        raise Unavailable("message_failed")
    return sent


async def _renew(
    tx: Tx,
    ctx: Context,
    *,
    contact: Contact,
    subject: str,
    purpose: Purpose,
    by: By,
    code: str,
    at: str,
) -> Sent:
    now = ctx.clock.now()
    row = await tx.one(store.CODE, subject_=subject)
    before = code_of(row) if row else None
    sends = rules.demand_sendable(before, now=now)
    await _count(tx, ctx, contact, source=at, now=now)
    values: dict[str, Value] = {
        "contact_id": contact.id,
        "purpose": purpose,
        "code_digest": _digest(ctx, subject, code),
        "tries": 0,
        "sends": sends,
        "resend_at": now + rules.resend_wait(sends),
        "expires_at": now + ctx.settings.sms_code_seconds * SECOND,
        "by": by,
    }
    if before is None:
        saved = await tx.run(store.NEW_CODE, subject=subject, used_at=None, **values)
    else:
        saved = await tx.run(
            store.RENEW_CODE,
            subject_=subject,
            sends_=before.sends,
            resend_at_=before.resend_at,
            **values,
        )
    if not saved:
        raise Lost
    detail = {"to": contact.masked, "by": by, "purpose": purpose}
    await _record(tx, "contact.code_sent", contact, source=at, at=now, detail=detail)
    return Sent(
        resend_at=now + rules.resend_wait(sends),
        expires_at=now + ctx.settings.sms_code_seconds * SECOND,
        sends_left=rules.SENDS - sends,
    )


async def _record(
    tx: Tx, event: str, contact: Contact, *, source: str, at: int, detail: audit.Detail
) -> None:
    await audit.record(
        tx,
        event=event,
        account_id=contact.account_id,
        subject=contact.id,
        actor="browser",
        source=source,
        at=at,
        detail=detail,
    )


async def _count(tx: Tx, ctx: Context, contact: Contact, *, source: str, now: int) -> None:
    """Count a message for all who bear it. Raises Refused ``code_wait``."""
    place = ctx.sealer.digest("contact-address", contact.address).hex()
    subjects = {f"account:{contact.account_id}", f"address:{place}", f"source:{source}"}
    slots = [await limits.load(tx, subject) for subject in sorted(subjects)]
    if wait := max(slot.limits.code_wait(now=now) for slot in slots):
        raise Refused("code_wait", wait=-(-wait // SECOND))
    for slot in slots:
        await limits.save(tx, slot, slot.limits.code_sent(now=now))


async def code_under_way(ctx: Context, subject: str) -> Code | None:
    """The code that was last sent for a subject, if it still can be typed."""
    row = await ctx.db.one(store.CODE, subject_=subject)
    code = code_of(row) if row else None
    if code is None or code.used_at is not None or ctx.clock.now() >= code.expires_at:
        return None
    return code


async def check_code(ctx: Context, *, subject: str, code: str, source: str = "") -> Checked:
    """Whether this is the code; a wrong one is counted before this returns.

    Raises Refused ``sms_code_wrong`` (``left``), ``sms_code_expired``, ``sms_code_spent`` or
    ``sms_codes_blocked`` (``wait`` in seconds): of an account's wrong codes five a day and twenty
    a year are looked at, whatever they were sent for.
    """
    typed = rules.digits(code)
    # A refusal leaves the transaction by its result: raised inside, it would undo the count.
    found = await ctx.db.write(lambda tx: _try(tx, ctx, subject=subject, typed=typed, at=source))
    if isinstance(found, Fault):
        raise found
    return found


async def _try(tx: Tx, ctx: Context, *, subject: str, typed: str, at: str) -> Checked | Refused:
    now = ctx.clock.now()
    row = await tx.one(store.CODE, subject_=subject)
    code = rules.demand_open(code_of(row) if row else None, now=now)
    if row is None:  # never: demand_open refused it
        raise Refused("sms_code_expired")
    account_id = row["account_id"]
    slot = await limits.load(tx, f"account:{account_id}")
    if wait := slot.limits.code_try_wait(now=now):
        return Refused("sms_codes_blocked", wait=-(-wait // SECOND))
    if hmac.compare_digest(_digest(ctx, subject, typed), row["code_digest"]):
        return Checked(
            subject=subject,
            contact_id=code.contact_id,
            account_id=account_id,
            purpose=code.purpose,
            by=code.by,
            digest=row["code_digest"],
        )
    tried = await tx.run(
        store.TRIED, subject_=subject, code_digest_=row["code_digest"], tries_=code.tries
    )
    if not tried:
        raise Lost
    await limits.save(tx, slot, slot.limits.code_failed(now=now))
    await audit.record(
        tx,
        event="contact.code_refused",
        account_id=account_id,
        subject=code.contact_id,
        actor="browser",
        source=at,
        result="sms_code_wrong",
        at=now,
        detail={"left": rules.TRIES - code.tries - 1, "purpose": code.purpose},
    )
    left = rules.TRIES - code.tries - 1
    return Refused("sms_code_wrong", left=left) if left else Refused("sms_code_spent")


async def spend_code(tx: Tx, checked: Checked, *, now: int) -> None:
    """Use a right code up, inside the transaction of what it was good for.

    Raises Refused ``sms_code_spent``: somebody else was first, or a newer code was sent.
    """
    spent = await tx.run(
        store.SPEND, subject_=checked.subject, code_digest_=checked.digest, now=now
    )
    if not spent:
        raise Refused("sms_code_spent")


async def sweep_codes(ctx: Context) -> int:
    """Delete codes that ran out a day ago: until then pages can say that they did."""
    return await ctx.db.run(store.SWEEP_CODES, before=ctx.clock.now() - DAY)


def code_of(row: Row) -> Code:
    """The code in a row of ``store.CODE``."""
    return Code(
        subject=row["subject"],
        contact_id=row["contact_id"],
        purpose=row["purpose"],
        tries=row["tries"],
        sends=row["sends"],
        resend_at=row["resend_at"],
        expires_at=row["expires_at"],
        by=row["by"],
        used_at=row["used_at"],
    )


def _digest(ctx: Context, subject: str, code: str) -> bytes:
    return ctx.sealer.digest("contact-code", subject, code)


# --- the message -------------------------------------------------------------------------------


async def _deliver(
    ctx: Context, contact: Contact, *, purpose: Purpose, by: By, language: str, code: str
) -> MessageOutcome:
    settings = ctx.settings
    facts = {
        "organisation": settings.organisation,
        "code": code,
        "time": duration(settings.sms_code_seconds, language),
    }
    if by == "mail":
        return await ctx.mail.send(
            Mail(
                to=contact.address,
                subject=t("contacts.message.subject", language, **facts),
                text=t("contacts.message.mail", language, **facts),
                language=language,
            )
        )
    if by == "voice":
        # Digit by digit: else a voice reads four hundred thousand and something.
        spoken = facts | {"code": ", ".join(code)}
        text = t("contacts.message.voice", language, **spoken)
    else:
        origin = settings.phone_url if purpose in _AT_THE_PHONE else settings.portal_url
        words = t(f"contacts.message.sms_{purpose}", language, **facts)
        # The last line binds the code to the site that may fill it in by itself (origin-bound
        # one-time codes), so that a look-alike is not handed it.
        text = f"{words}\n\n@{urlsplit(origin).hostname} #{code}"
    return await ctx.text.send(contact.address, text, by=by, language=language)


def _start(message: Coroutine[Any, Any, MessageOutcome]) -> None:
    task = asyncio.get_running_loop().create_task(message)
    _running.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[MessageOutcome]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()):
        _log.error("message.failed", exc_info=error)


async def settle() -> None:
    """Wait for the messages under way: on shutdown, and in tests."""
    while _running:
        await asyncio.gather(*_running, return_exceptions=True)
