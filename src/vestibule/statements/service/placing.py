"""How a statement comes to lie where it lies: written whole first, listed second, in one commit.

    object := statements/<random>
    stored := objects.write(object, encrypted(checked(plain), certificate))     durable, unlisted
    one transaction, in turn with whoever changes this account:
        the certificate is still the one encrypted to, else again
        the row is inserted, or moved to the new object; its event; the upload's rows go
    the former object and the upload's parts are deleted

A process that dies before the commit leaves an object that no row names: `base.orphans`
takes it. One that dies after it leaves the same of former objects and parts. Where the outcome of a
commit is unknown (the connection broke) nothing is deleted: the row may name the object.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import structlog

from vestibule.accounts import service as accounts
from vestibule.base import audit, orphans
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Lost, Refused, Unavailable
from vestibule.base.ids import new_id
from vestibule.delivery import rules as delivery_rules
from vestibule.outside import openpgp
from vestibule.statements import rules, store
from vestibule.statements.rules import Published, State

_log = structlog.get_logger("vestibule.statements")

_TRIES: Final = 5

Source = Callable[[], AsyncIterator[bytes]]
"""Brings a file from its beginning, as often as it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A statement that may be placed: checked, and its account is known."""

    publisher: str
    account_id: str
    kind: rules.Kind
    period: str
    name: str
    media: str
    size: int
    sha256: bytes
    replace: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whom an account's statements are encrypted to."""

    id: str
    """Of its record: the same key with other subkeys is another record."""
    fingerprint: str
    expires_at: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class _Other:
    """The certificate is another than the one that was encrypted to."""

    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class _Placed:
    published: Published
    left_over: tuple[str, ...]
    """Objects that no row names any more."""


def certificate_in(row: Row) -> Certificate | None:
    """The certificate of a row that has its fingerprint and data."""
    if row["certificate_id"] is None:
        return None
    return Certificate(row["certificate_id"], row["fingerprint"], row["expires_at"], row["data"])


def demand_unexpired(ctx: Context, certificate: Certificate | None) -> None:
    """Refuse an account whose certificate has expired (``certificate_expired``).

    Not in clear instead, and not to a key whose owner said that it ends (decision 0013).
    """
    if certificate is not None:
        delivery_rules.demand_unexpired(certificate.expires_at, now=ctx.clock.now())


async def place(
    ctx: Context,
    incoming: Incoming,
    source: Source,
    *,
    certificate: Certificate | None,
    upload_id: str | None = None,
) -> Published:
    """Publish what ``source`` brings. Of an upload, its rows and parts go.

    Raises Refused ``digest_wrong``, ``statement_differs``, ``upload_unknown``, Unavailable, and
    what the source raises.
    """
    for _ in range(_TRIES):
        target = f"statements/{new_id()}"
        plain = checked(source(), size=incoming.size, sha256=incoming.sha256)
        stored = await write(ctx, target, plain, certificate)
        listing = _Listing(ctx, incoming, target, stored, certificate, upload_id)
        try:
            outcome = await ctx.db.write(listing.body)
        except Refused:
            await orphans.discard(ctx, [target])  # refused within the transaction: no row names it
            raise
        if isinstance(outcome, _Placed):
            await orphans.discard(ctx, outcome.left_over)
            return outcome.published
        certificate = outcome.certificate
        await orphans.discard(ctx, [target])
    raise Unavailable("busy", reason="the account's certificate changed again and again")


async def checked(
    chunks: AsyncIterator[bytes], *, size: int, sha256: bytes
) -> AsyncIterator[bytes]:
    """The same bytes; raises Refused ``digest_wrong`` in place of their end where they differ.

    The end comes only to what is whole: whoever writes what comes out of this stores all or none.
    """
    digest, seen = hashlib.sha256(), 0
    async for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            break
        digest.update(chunk)
        yield chunk
    if seen != size or digest.digest() != sha256:
        raise Refused("digest_wrong")


async def write(
    ctx: Context, name: str, plain: AsyncIterator[bytes], certificate: Certificate | None
) -> int:
    """Store a file, encrypted where there is a certificate; the plain text is never written.

    Raises Refused ``certificate_expired`` or ``certificate_cannot_encrypt``.
    """
    if certificate is None:
        return await ctx.objects.write(name, plain)
    demand_unexpired(ctx, certificate)
    async with aclosing(openpgp.encrypted(plain, certificate.data)) as message:
        return await ctx.objects.write(name, message)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The transaction that makes an object a statement."""

    ctx: Context
    incoming: Incoming
    target: str
    stored: int
    certificate: Certificate | None
    upload_id: str | None

    async def body(self, tx: Tx) -> _Placed | _Other:
        """Decide by what holds now, and write it."""
        # In turn with whoever sets a certificate: either it is seen here, or it sees this row.
        await accounts.lock_account(tx, self.incoming.account_id)
        held = await tx.one(
            store.HELD,
            account_id_=self.incoming.account_id,
            kind_=self.incoming.kind.value,
            name_key_=rules.name_key(self.incoming.name),
        )
        if held is None:
            raise Refused("statement_account")
        now = certificate_in(held)
        if (now and now.id) != (self.certificate and self.certificate.id):
            return _Other(now)
        state = rules.judge(
            (held["sha256"], held["size"]) if held["statement_id"] else None,
            (self.incoming.sha256, self.incoming.size),
            replace=self.incoming.replace,
        )
        parts = await self._end_upload(tx, state)
        if state is State.SAME:
            return _Placed(Published(state=state, id=held["statement_id"]), (*parts, self.target))
        if state is State.NEW:
            return _Placed(Published(state=state, id=await self._add(tx)), parts)
        await self._replace(tx, held)
        left_over = (*parts, held["object"])
        return _Placed(Published(state=state, id=held["statement_id"]), left_over)

    async def _end_upload(self, tx: Tx, state: State) -> tuple[str, ...]:
        if self.upload_id is None:
            return ()
        parts = await tx.all(store.PARTS, upload_id_=self.upload_id)
        ended = await tx.run(store.END_UPLOAD, id_=self.upload_id)
        if not ended and state is not State.SAME:
            raise Refused("upload_unknown")  # abandoned while it was put together
        await tx.run(store.END_PARTS, upload_id_=self.upload_id)
        return tuple(part["object"] for part in parts)

    async def _add(self, tx: Tx) -> str:
        made = new_id()
        values = self._values("statement.published", at=self.ctx.clock.now())
        await tx.run(
            store.ADD,
            id=made,
            account_id=self.incoming.account_id,
            kind=self.incoming.kind.value,
            **values,
        )
        return made

    async def _replace(self, tx: Tx, held: Row) -> None:
        # Two in one millisecond are two events: the journal tells them apart by their time.
        at = max(self.ctx.clock.now(), held["event_at"] + 1)
        moved = await tx.run(
            store.REPLACE,
            id_=held["statement_id"],
            from_object=held["object"],
            **self._values("statement.replaced", at=at),
        )
        if not moved:
            raise Lost  # purged or encrypted since it was read: look again

    def _values(self, event: str, *, at: int) -> dict[str, Any]:
        one, now = self.incoming, self.ctx.clock.now()
        return {
            "period": one.period,
            "name": one.name,
            "name_key": rules.name_key(one.name),
            "media": one.media,
            "size": one.size,
            "stored_size": self.stored,
            "sha256": one.sha256,
            "encrypted_to": self.certificate.fingerprint if self.certificate else None,
            "object": self.target,
            "published_at": now,
            "purge_at": now + self.ctx.settings.statement_days * DAY,
            "told_at": None,
            "seen_at": None,
            **audit.journal(
                event=event,
                actor=f"publisher:{one.publisher}",
                at=at,
                detail={
                    "kind": one.kind.value,
                    "period": one.period,
                    "name": one.name,
                    "size": one.size,
                    "encrypted": self.certificate is not None,
                },
            ),
        }
