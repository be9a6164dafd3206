"""Beginning an attempt: from the typed password to the first round, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from vestibule.accounts import rules as account_rules
from vestibule.base import audit, ids, limits
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused
from vestibule.login import store
from vestibule.login.rules import Attempt, State
from vestibule.login.service.round import (
    Phone,
    Round,
    Shown,
    attempt_of,
    make_round,
    phones_of,
    sign_request,
)
from vestibule.login.service.view import Began, Mine, browser_digest, view_of
from vestibule.notifications import service as notifications
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor

_UNANSWERED: Final = Round(
    number=False, challenge="", request="", request_expires_at=0, challenge_expires_at=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the one read of a sign-in brought: the account if there is one, and its limits."""

    account: Row | None
    phones: tuple[Phone, ...]
    name: limits.Slot
    source: limits.Slot
    per_account: limits.Slot
    known: bool
    others: int


async def begin_login(
    ctx: Context,
    *,
    username: str,
    password: str,
    visitor: Visitor,
    browser_secret: str,
    replaces: Mine | None = None,
) -> Began:
    """Check a password; open a session, or an attempt that a phone must answer.

    `browser_secret` is the known-browser cookie; `replaces` an attempt that this browser began
    before and gives up now. Raises Refused `username_invalid`, `wrong_credentials` (the same for
    unknown names), `password_wait` or `source_wait` (with `wait`, seconds), and Unavailable
    `password_busy`.
    """
    key = account_rules.username_key(username)
    known_digest = sessions.browser_digest(ctx, browser_secret)
    query: dict[str, str | bytes] = {
        "username_key": key,
        "name_subject": _name_subject(ctx, key),
        "source_subject": f"source:{visitor.source}",
        "known_digest": known_digest,
        "not_id": replaces.id if replaces else "",
    }
    found = await ctx.db.read(lambda tx: _find(tx, ctx, query))
    _demand_patience(found, now=ctx.clock.now())
    encoded = found.account["password_hash"] if found.account else None
    right = await ctx.passwords.verify(encoded, password)
    if not right or found.account is None or found.account["disabled_at"] is not None:
        await _refuse(ctx, query=query, visitor=visitor, right=right)
    secret = ids.new_secret()
    first = [found]

    async def body(tx: Tx) -> tuple[Began, Attempt | None, Phone | None]:
        # The first run uses what was read before the hash: that read's versions are part of
        # the attempt's condition, so a change since then is noticed and read again.
        current = first.pop() if first else await _find(tx, ctx, query)
        if not current.phones:
            current = await _find(tx, ctx, query)
        now = ctx.clock.now()
        _demand_patience(current, now=now)
        if current.account is None or current.account["password_hash"] != encoded:
            raise Refused("wrong_credentials")
        name_version = await _forgive(tx, current, now=now)
        if replaces is not None:
            await _replace(tx, ctx, replaces, visitor=visitor, now=now)
        if not current.phones:
            began = await _open_by_password(
                tx, ctx, current, known_digest=known_digest, visitor=visitor, now=now
            )
            return began, None, None
        return await _open_attempt(
            tx,
            ctx,
            current,
            secret=secret,
            known_digest=known_digest,
            name_version=name_version,
            visitor=visitor,
            now=now,
        )

    began, attempt, phone = await ctx.db.write(body)
    if attempt is not None and phone is not None:
        announce(ctx, attempt=attempt, phone=phone, push=attempt.push)
    return began


async def _find(tx: Tx, ctx: Context, query: dict[str, str | bytes]) -> _Found:
    now = ctx.clock.now()
    rows = await tx.all(store.SIGN_IN, **query, now=now, known_since=sessions.known_since(ctx, now))
    row = rows[0]
    account = row if row["account_id"] is not None else None
    return _Found(
        account=account,
        phones=phones_of(rows),
        name=limits.Slot.of(str(query["name_subject"]), row["name_version"], row["name_state"]),
        source=limits.Slot.of(
            str(query["source_subject"]), row["source_version"], row["source_state"]
        ),
        per_account=limits.Slot.of(
            f"account:{row['account_id']}", row["account_version"], row["account_state"]
        ),
        known=bool(row["known"]),
        others=int(row["others"] or 0),
    )


def _name_subject(ctx: Context, key: str) -> str:
    # Counted by name, not by account: whether the account exists must not show in the limit.
    return "name:" + ctx.sealer.digest("limit-name", key).hex()[:32]


def _demand_patience(found: _Found, *, now: int) -> None:
    for slot, code in ((found.name, "password_wait"), (found.source, "source_wait")):
        wait = slot.limits.password_wait(now=now)
        if wait > 0:
            raise Refused(code, wait=-(-wait // 1000))


async def _refuse(
    ctx: Context, *, query: dict[str, str | bytes], visitor: Visitor, right: bool
) -> NoReturn:
    """Count a wrong password and refuse. What is counted and said is the same for every name."""

    async def body(tx: Tx) -> None:
        found = await _find(tx, ctx, query)
        now = ctx.clock.now()
        # Beyond the limit nothing is said of the password, so guesses sent side by side
        # learn no more than guesses sent one after the other.
        _demand_patience(found, now=now)
        for slot in (found.name, found.source):
            await limits.save(tx, slot, slot.limits.password_failed(now=now))
        await audit.record(
            tx,
            event="login.password_refused",
            account_id=found.account["account_id"] if found.account else None,
            actor="browser",
            source=visitor.address,
            result="account_disabled" if right else "wrong_credentials",
            at=now,
        )

    await ctx.db.write(body)
    raise Refused("wrong_credentials")


async def _forgive(tx: Tx, found: _Found, *, now: int) -> int:
    """Clear the name's failures after a right password; the version of its limits then."""
    cleared = found.name.limits.password_right(now=now)
    if cleared == found.name.limits:
        return found.name.version
    await limits.save(tx, found.name, cleared)
    return found.name.version + 1


async def _open_by_password(
    tx: Tx, ctx: Context, found: _Found, *, known_digest: bytes, visitor: Visitor, now: int
) -> Began:
    assert found.account is not None  # noqa: S101  -- for the type checker; the caller looked
    opened = await sessions.open_session(
        tx,
        ctx,
        account_id=found.account["account_id"],
        attempt_id=None,
        proof=Proof.PASSWORD,
        enrollment_id=None,
        browser_digest=known_digest,
        visitor=visitor,
        now=now,
    )
    return Began(session=opened.cookie, secret="", view=None)


async def _open_attempt(
    tx: Tx,
    ctx: Context,
    found: _Found,
    *,
    secret: str,
    known_digest: bytes,
    name_version: int,
    visitor: Visitor,
    now: int,
) -> tuple[Began, Attempt, Phone | None]:
    account = found.account
    assert account is not None  # noqa: S101  -- for the type checker; the caller looked
    phone = found.phones[0] if len(found.phones) == 1 else None
    allowed = PushAllowed(push=False)
    if phone is not None:
        allowed = await allow_push(
            tx, account, found.per_account, phone=phone, phones=found.phones, now=now
        )
    attempt_id = ids.new_id()
    until = now + ctx.settings.attempt_seconds * 1000
    shown = Shown(
        account=account["username"],
        browser=visitor.browser,
        place=visitor.place,
        address=visitor.address,
        known=found.known,
        others=found.others,
    )
    made = _UNANSWERED
    if phone is not None:
        made = make_round(
            ctx,
            attempt_id=attempt_id,
            phone_id=phone.id,
            shown=shown,
            number=None,
            until=until,
            now=now,
        )
    attempt = Attempt(
        id=attempt_id,
        account_id=account["account_id"],
        enrollment_id=phone.id if phone else None,
        state=State.WAITING if phone else State.CHOOSING,
        round=1,
        known=found.known,
        push=allowed.push,
        number=made.number,
        challenge=made.challenge,
        tries=0,
        proofs=0,
        resync_counter=None,
        request=made.request or None,
        request_expires_at=made.request_expires_at,
        challenge_expires_at=made.challenge_expires_at,
        expires_at=until,
        browser=visitor.browser,
        address=visitor.address,
        place=visitor.place,
    )
    await _insert(
        tx,
        ctx,
        found,
        attempt=attempt,
        secret=secret,
        known_digest=known_digest,
        name_version=name_version,
        visitor=visitor,
        now=now,
    )
    if found.others:
        await _force_numbers(
            tx, ctx, attempt, username=account["username"], others=found.others, now=now
        )
    view = view_of(
        attempt,
        phone=phone.label if phone else "",
        several=len(found.phones) > 1,
        now=now,
        why_no_push=allowed.why,
    )
    return Began(session=None, secret=secret, view=view), attempt, phone


async def _insert(
    tx: Tx,
    ctx: Context,
    found: _Found,
    *,
    attempt: Attempt,
    secret: str,
    known_digest: bytes,
    name_version: int,
    visitor: Visitor,
    now: int,
) -> None:
    opened = await tx.run(
        store.OPEN,
        **store.values_of(attempt),
        browser_digest=browser_digest(ctx, secret),
        known_digest=known_digest,
        proof=None,
        opened_at=now,
        name_subject=found.name.subject,
        name_version=name_version,
        **audit.journal(
            event="login.began",
            actor="browser",
            source=visitor.address,
            at=now,
            detail={"known": found.known, "push": attempt.push, "phones": len(found.phones)},
        ),
    )
    if not opened:
        raise Lost


async def _force_numbers(
    tx: Tx, ctx: Context, attempt: Attempt, *, username: str, others: int, now: int
) -> None:
    """With two attempts at once only the number tells them apart: ask for it in all of them."""
    rows = await tx.all(store.OTHERS, now=now, account_id=attempt.account_id, not_id=attempt.id)
    for row in rows:
        other = attempt_of(row)
        if other.enrollment_id is None:
            continue
        shown = Shown(
            account=username,
            browser=other.browser,
            place=other.place,
            address=other.address,
            known=other.known,
            others=others,
        )
        request = sign_request(
            ctx,
            attempt_id=other.id,
            phone_id=other.enrollment_id,
            shown=shown,
            number=True,
            expires_at=other.request_expires_at,
            now=now,
        )
        await tx.run(
            store.FORCE_NUMBER,
            id_=other.id,
            request=request,
            **audit.journal(
                event="login.number_forced", actor="system", source=attempt.address, at=now
            ),
        )


async def _replace(tx: Tx, ctx: Context, old: Mine, *, visitor: Visitor, now: int) -> None:
    await tx.run(
        store.CANCEL,
        id_=old.id,
        browser_digest_=browser_digest(ctx, old.secret),
        **audit.journal(event="login.replaced", actor="browser", source=visitor.address, at=now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAllowed:
    """Whether the phone is to be asked now, and if not, or not by a notification, why."""

    push: bool
    why: str = ""


async def allow_push(
    tx: Tx, account: Row, slot: limits.Slot, *, phone: Phone, phones: tuple[Phone, ...], now: int
) -> PushAllowed:
    """Decide about a notification and count it in the same transaction."""
    if not account["seamless"]:
        return PushAllowed(push=False, why="seamless_off")
    if (account["pushes_stopped_until"] or 0) > now:
        return PushAllowed(push=False, why="reported")
    if phone.subscription is None:
        # Nothing is sent, so nothing is counted: the request waits in the app.
        return PushAllowed(push=True, why="not_subscribed")
    before = slot.limits
    # A sign-in since the last push starts the count afresh. It is noticed here, where the row
    # is written anyway, so that signing in need not write it.
    if max(phone.used_at or 0 for phone in phones) > before.pushes.last:
        before = before.signed_in()
    if before.push_wait(now=now) > 0:
        return PushAllowed(push=False, why="limit")
    await limits.save(tx, slot, before.pushed(now=now))
    return PushAllowed(push=True)


def announce(ctx: Context, *, attempt: Attempt, phone: Phone, push: bool) -> None:
    """After the commit: wake an open app, and nudge a closed one."""
    ctx.wake.tell(f"enrollment:{phone.id}", "change")
    if push and phone.subscription is not None:
        notifications.nudge(
            ctx,
            enrollment_id=phone.id,
            subscription=phone.subscription,
            attempt_id=attempt.id,
            life_s=ctx.settings.login_request_seconds,
        )
