"""Passwords: hashed and checked away from the event loop, and changed."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret

from vestibule.accounts import rules, store
from vestibule.accounts.service.records import record_event
from vestibule.base import limits
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused, Unavailable
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
        await record_event(
            tx, ctx, "account.password_changed", account_id, actor=actor, source=source
        )

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
