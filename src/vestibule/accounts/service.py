"""Accounts: making, finding and changing them, and checking passwords.

Signing in reads the account in one statement of login's own; here is everything else.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret

from vestibule.accounts import rules, store
from vestibule.accounts.rules import Account
from vestibule.base import audit, limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused, Unavailable
from vestibule.base.ids import new_id
from vestibule.base.sealing import Sealer

# OWASP's first choice of argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB: Final = 19 * 1024
_PASSES: Final = 2
_QUEUE_PER_THREAD: Final = 32

T = TypeVar("T")


class PasswordPool:
    """Hashes passwords in threads (argon2 lets go of the interpreter), with a bounded queue.

    What is hashed is a digest under the house's master key: without that key, a stolen database
    cannot be searched for passwords at all.
    """

    def __init__(
        self,
        sealer: Sealer,
        *,
        threads: int,
        memory_kib: int = _MEMORY_KIB,
        passes: int = _PASSES,
    ) -> None:
        self._sealer = sealer
        self._memory_kib = memory_kib
        self._passes = passes
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._free = threads * _QUEUE_PER_THREAD
        # Checked for names that do not exist, so that they take as long as those that do.
        self._nobody = self._hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        """An encoded argon2id hash. Raises Unavailable ``password_busy``."""
        secret = self._peppered(password)
        return (await self._run(self._hash, secret)).decode("ascii")

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits; None (no such account) takes as long and is False.

        Raises Unavailable ``password_busy``.
        """
        hashed = self._nobody if encoded is None else encoded.encode("ascii")
        fits = await self._run(_fits, hashed, self._peppered(password))
        return fits and encoded is not None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _peppered(self, password: str) -> bytes:
        return self._sealer.digest("password", rules.password_bytes(password))

    def _hash(self, secret: bytes) -> bytes:
        return hash_secret(
            secret,
            secrets.token_bytes(16),
            time_cost=self._passes,
            memory_cost=self._memory_kib,
            parallelism=1,
            hash_len=32,
            type=Type.ID,
        )

    async def _run(self, work: Callable[..., T], *args: bytes) -> T:
        if self._free <= 0:
            raise Unavailable("password_busy")
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._free += 1


def _fits(hashed: bytes, secret: bytes) -> bool:
    try:
        return verify_secret(hashed, secret, Type.ID)
    except VerificationError:
        return False


def account_of(row: Row | Mapping[str, Any]) -> Account:
    """The account in a row that has the columns of ``store.PERSON``."""
    return Account(
        id=row["id"],
        username=row["username"],
        display_name=row["display_name"],
        seamless=bool(row["seamless"]),
        password_change_needed=bool(row["password_change_needed"]),
        pushes_stopped_until=row["pushes_stopped_until"],
        language=row["language"],
        timezone=row["timezone"],
        networks=rules.networks_of(row["networks"]),
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
        renew_at=row["renew_at"],
        guarded_until=row["guarded_until"],
        disabled_at=row["disabled_at"],
        created_at=row["created_at"],
    )


async def create_account(
    ctx: Context,
    *,
    username: str,
    password: str,
    display_name: str = "",
    seamless: bool = True,
    password_change_needed: bool = False,
    language: str | None = None,
) -> Account:
    """Make an account.

    Raises Refused ``username_invalid``, ``username_taken``, ``password_too_short``,
    ``password_too_long`` or ``password_common``.
    """
    key = rules.username_key(username)
    name = username.strip()
    rules.demand_good_password(password, username=key)
    values: dict[str, Any] = {
        "id": new_id(),
        "username": name,
        "username_key": key,
        "display_name": rules.display_name(display_name, username=name),
        "password_hash": await ctx.passwords.hash(password),
        "seamless": seamless,
        "password_change_needed": password_change_needed,
        "pushes_stopped_until": None,
        "language": language,
        "timezone": None,
        "networks": None,
        "quiet_from": None,
        "quiet_until": None,
        "renew_at": None,
        "guarded_until": None,
        "unread_notice": None,
        "disabled_at": None,
        "created_at": ctx.clock.now(),
    }

    async def body(tx: Tx) -> None:
        await tx.run(store.CREATE, **values)
        await _record(tx, ctx, "account.created", values["id"], actor="system")

    try:
        await ctx.db.write(body)
    except Duplicate:
        raise Refused("username_taken") from None
    return account_of(values)


async def find_account(ctx: Context, *, username: str) -> Account | None:
    """The account of that name, however it is written."""
    try:
        key = rules.username_key(username)
    except Refused:
        return None
    row = await ctx.db.one(store.BY_KEY, username_key=key)
    return account_of(row) if row else None


async def get_account(ctx: Context, account_id: str) -> Account:
    """The account of that id; KeyError if there is none (ids come from our own records)."""
    row = await ctx.db.one(store.BY_ID, id_=account_id)
    if row is None:
        raise KeyError(account_id)
    return account_of(row)


async def list_accounts(ctx: Context) -> list[Account]:
    """All accounts by name: for the operator's command line."""
    return [account_of(row) for row in await ctx.db.all(store.ALL)]


async def set_password(
    ctx: Context,
    *,
    account_id: str,
    password: str,
    actor: str,
    source: str = "",
    change_needed: bool = False,
) -> None:
    """Give an account a new password, checked against the rules."""
    row = await ctx.db.one(store.BY_ID, id_=account_id)
    if row is None:
        raise KeyError(account_id)
    rules.demand_good_password(password, username=row["username"])
    new_hash = await ctx.passwords.hash(password)

    async def body(tx: Tx) -> None:
        changed = await tx.run(
            store.SET_PASSWORD,
            id_=account_id,
            old_hash=row["password_hash"],
            new_hash=new_hash,
            change_needed=change_needed,
        )
        if not changed:
            # Somebody else's change came first: the current password that was checked is no more.
            raise Refused("wrong_credentials")
        await _record(tx, ctx, "account.password_changed", account_id, actor=actor, source=source)

    await ctx.db.write(body)


async def change_password(
    ctx: Context, *, account_id: str, current: str, new: str, source: str
) -> None:
    """Change a password by its owner.

    Raises Refused ``wrong_credentials``, ``password_wait`` (with ``wait`` in seconds) or a password
    rule's code: somebody who found an open session must not guess the password with it.
    """
    now = ctx.clock.now()
    row = await ctx.db.one(store.BY_ID, id_=account_id)
    slot = await ctx.db.read(lambda tx: limits.load(tx, f"account:{account_id}"))
    if wait := slot.limits.password_wait(now=now):
        raise Refused("password_wait", wait=-(-wait // SECOND))
    if row is None or not await ctx.passwords.verify(row["password_hash"], current):
        await ctx.db.write(lambda tx: _count_failure(tx, account_id, now=now))
        raise Refused("wrong_credentials")
    await set_password(ctx, account_id=account_id, password=new, actor="browser", source=source)
    await ctx.db.write(lambda tx: _count_success(tx, account_id, now=now))


async def _count_failure(tx: Tx, account_id: str, *, now: int) -> None:
    slot = await limits.load(tx, f"account:{account_id}")
    await limits.save(tx, slot, slot.limits.password_failed(now=now))


async def _count_success(tx: Tx, account_id: str, *, now: int) -> None:
    slot = await limits.load(tx, f"account:{account_id}")
    await limits.save(tx, slot, slot.limits.password_right(now=now))


async def set_seamless(ctx: Context, *, account_id: str, on: bool, source: str) -> bool:
    """Switch seamless authentication; True if that changed anything."""

    async def body(tx: Tx) -> bool:
        changed = await tx.run(store.SET_SEAMLESS, id_=account_id, seamless_=on)
        if changed:
            event = "account.seamless_on" if on else "account.seamless_off"
            await _record(tx, ctx, event, account_id, actor="browser", source=source)
        return bool(changed)

    return await ctx.db.write(body)


async def mark_reported(tx: Tx, *, account_id: str, until: int) -> None:
    """Somebody else knows the password: no nudges until then (ms), and a new password is due."""
    await tx.run(store.REPORTED, id_=account_id, until=until)


async def notices_seen(tx: Tx, *, account_id: str, upto: int) -> None:
    """Take back the unread mark of every page, unless there is a later notice than ``upto``."""
    await tx.run(store.NOTICES_SEEN, id_=account_id, upto=upto)


async def lock_account(tx: Tx, account_id: str) -> bool:
    """Queue up behind whoever changes this account's phones; False if it may not sign in."""
    row = await tx.one(store.LOCK, id_=account_id)
    return row is not None and row["disabled_at"] is None


async def set_disabled(ctx: Context, *, account_id: str, disabled: bool) -> None:
    """Disable or enable an account. Its sessions end with it: each request looks here."""

    async def body(tx: Tx) -> None:
        at = ctx.clock.now() if disabled else None
        await tx.run(store.SET_DISABLED, id_=account_id, disabled_at_=at)
        event = "account.disabled" if disabled else "account.enabled"
        await _record(tx, ctx, event, account_id, actor="system")

    await ctx.db.write(body)


async def unlock_account(ctx: Context, *, account_id: str) -> None:
    """Lift every limit of an account: failures, blocked responses, stopped nudges."""

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, f"account:{account_id}")
        await limits.save(tx, slot, limits.Limits())
        await tx.run(store.ALLOW_PUSHES, id_=account_id)
        await _record(tx, ctx, "account.unlocked", account_id, actor="system")

    await ctx.db.write(body)


class Guarded(Protocol):
    """An account, or a session of one."""

    @property
    def guarded_until(self) -> int | None:
        """Milliseconds; see `rules.Account`."""
        ...


def demand_unguarded(guarded: Guarded, now: int) -> None:
    """Refuse what matters while the account cools down after a recovery.

    Raises Refused ``cooling_down`` with ``until`` (ms).
    """
    if rules.cooling(guarded.guarded_until, now=now):
        raise Refused("cooling_down", until=guarded.guarded_until or 0)


async def _record(
    tx: Tx, ctx: Context, event: str, account_id: str, *, actor: str, source: str = ""
) -> None:
    await audit.record(
        tx,
        event=event,
        account_id=account_id,
        subject=account_id,
        actor=actor,
        source=source,
        result="ok",
        at=ctx.clock.now(),
    )
