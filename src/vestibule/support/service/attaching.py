"""Attaching a file: streamed, sealed, whole or absent.

    key    := 32 random bytes, kept in the row, sealed under the master key
    object := attachments/<random>
    object <- sealed(key, scanned(limited(body)))                    a file
    object <- sealed(key, scanned(cleaned(limited(body))))           a picture
    object <- sealed(key, scanned(sanitised(body)) ‖ list of it)     a browser recording
    one transaction, in the author's turn: there is room for one more; the row

What fails anywhere before the row leaves nothing that can be found, and what a killed process
leaves of an object is swept. Once the row is committed its author is told, and not before. A
recording passes through the sanitiser whatever its browser did with it, and a picture loses what it
tells beside itself, before the first byte is written. The scanner reads what is kept, for that is
what somebody will open: nothing lies between what was found well and what is handed out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from vestibule.accounts import service as accounts
from vestibule.base import audit, orphans, sealed_stream
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.sessions import service as sessions
from vestibule.support.rules import attachments as rules, tickets
from vestibule.support.rules.attachments import Attachment, Details, Kind, State
from vestibule.support.rules.pictures import Picture, format_of, may_tell
from vestibule.support.service.claiming import adder
from vestibule.support.service.records import reload
from vestibule.support.service.sanitising import Sanitising, a_turn
from vestibule.support.service.scanning import scanned
from vestibule.support.store import attachments as store

_log = structlog.get_logger("vestibule.support")

KEY_PURPOSE: Final = "attachment"
REPORT_PURPOSE: Final = "attachment-report"
FOLDER: Final = "attachments"
"""The kind of our objects. No other room lists or deletes them (statements have their own)."""
_OVERLAP: Final = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is attached, and by whom."""

    ticket_id: str
    """Of a conversation, also of one that a form has yet to begin (`ticket_id_of`)."""
    account_id: str
    """Its client."""
    added_by: str
    """The client's account, or that of a member of staff."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """What was kept."""

    attachment: Attachment
    report: bytes
    """What was taken out, as JSON: of a recording (spec/captures.md section 9, and ``marks``: by
    reason, all that is gone, also what the browser had taken out), of a picture (``details``);
    empty for another file."""
    signed_out: int
    """Sessions that were ended because their cookies were in the file."""


class _Source(Protocol):
    """What is stored, and what is known of it once `pieces` has ended."""

    @property
    def kind(self) -> Kind: ...
    @property
    def media(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def index_size(self) -> int: ...
    @property
    def entries(self) -> int: ...
    @property
    def report(self) -> bytes: ...
    @property
    def exposed(self) -> frozenset[str]: ...
    def pieces(self) -> AsyncGenerator[bytes, None]: ...


async def attach(
    ctx: Context,
    place: Place,
    name: str,
    chunks: AsyncIterator[bytes],
    *,
    length: int | None = None,
) -> Attached:
    """Keep a file that waits for its author's next message in a conversation.

    ``length`` is what was announced. Raises Refused ``attachments_too_many``,
    ``attachment_empty``, ``attachment_too_large``, ``attachment_type``, ``attachment_infected``,
    ``picture_unreadable``, ``capture_…``, and to staff ``desk_moved`` where the conversation is
    over; Unavailable ``busy``, ``attachment_unchecked``, ``store_full``, ``store_unavailable``; and
    what ``chunks`` raises.
    """
    shown = rules.clean_name(name)
    await ctx.db.read(lambda tx: _demand_room(tx, ctx, place))
    rules.demand_length(
        shown,
        length or 0,
        most=ctx.settings.attachment_megabytes * rules.MEGABYTE,
        capture_most=ctx.settings.capture_megabytes * rules.MEGABYTE,
    )
    head, body = await _head_of(chunks)
    if not head:
        raise Refused("attachment_empty")
    if rules.is_capture(shown, head, _inside(head)):
        async with a_turn():
            return await _keep(ctx, place, shown, _Recording(ctx, body))
    rules.demand_harmless(shown, head)
    return await _keep(ctx, place, shown, _File(ctx, head, body, length=length))


async def _head_of(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, and all of them."""
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= rules.HEAD:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield bytes(head)
        async for chunk in chunks:
            yield chunk

    return bytes(head), whole()


def _inside(head: bytes) -> bytes:
    """The first bytes of what a gzip file holds."""
    if not rules.is_gzip(head):
        return b""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, rules.HEAD)
    except zlib.error:
        return b""


class _File:
    """A file as it is; a picture without what it tells beside the picture."""

    kind = Kind.FILE
    index_size = 0
    entries = 0
    exposed: frozenset[str] = frozenset()

    def __init__(
        self, ctx: Context, head: bytes, body: AsyncIterator[bytes], *, length: int | None
    ) -> None:
        self.media = rules.media_of(head)
        self.size = 0
        picture = format_of(head, self.media)
        self._picture = Picture(picture) if picture else None
        self._told = Details.KEPT if not picture and may_tell(head) else Details.NONE
        self._body = body
        self._scanner = ctx.settings.attachment_scanner
        self._most = ctx.settings.attachment_megabytes * rules.MEGABYTE
        self._watched = rules.may_turn_out_capture(head)
        rules.demand_size(length or 0, most=self._most)

    @property
    def report(self) -> bytes:
        removed = self._picture is not None and self._picture.removed
        details = Details.REMOVED if removed else self._told
        return json.dumps({"details": details.value}).encode() if details else b""

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes that are kept."""
        async with aclosing(scanned(self._scanner, self._cleaned())) as well:
            async for piece in well:
                self.size += len(piece)
                yield piece

    async def _cleaned(self) -> AsyncIterator[bytes]:
        async for piece in self._limited():
            made = self._picture.feed(piece) if self._picture else piece
            if made:
                yield made
        if self._picture:
            self._picture.finish()

    async def _limited(self) -> AsyncIterator[bytes]:
        arrived, tail = 0, b""
        async for piece in self._body:
            arrived += len(piece)
            rules.demand_size(arrived, most=self._most)
            if self._watched:
                tail += piece
                if rules.names_log(tail):
                    # Found too late to make it safe; nothing of it stays.
                    raise Refused("capture_unnamed")
                tail = tail[-_OVERLAP:]
            yield piece


class _Recording:
    """A browser recording: what is left of it, and behind that the list of its requests."""

    kind = Kind.CAPTURE
    media = rules.MEDIA_CAPTURE

    def __init__(self, ctx: Context, body: AsyncIterator[bytes]) -> None:
        limit = ctx.settings.capture_megabytes * rules.MEGABYTE
        self._sanitising = Sanitising(body, limit=limit)
        self._scanner = ctx.settings.attachment_scanner
        self.index_size = 0

    @property
    def size(self) -> int:
        return self._sanitising.size

    @property
    def entries(self) -> int:
        return self._sanitising.entries

    @property
    def report(self) -> bytes:
        told = self._sanitising.report
        if told is None:
            return b""
        # Of a recording that was safe already, the sanitiser has nothing to tell.
        whole = json.loads(told.as_json()) | {"marks": self._sanitising.removed}
        return json.dumps(whole, separators=(",", ":")).encode()

    @property
    def exposed(self) -> frozenset[str]:
        return frozenset(self._sanitising.exposed)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes that are kept, and the list."""
        async with (
            aclosing(self._sanitising.pieces()) as safe,
            aclosing(scanned(self._scanner, safe)) as well,
        ):
            async for piece in well:
                yield piece
        index = self._sanitising.index
        self.index_size = len(index)
        yield index


async def _keep(ctx: Context, place: Place, name: str, source: _Source) -> Attached:
    id_, target, key = new_id(), f"{FOLDER}/{new_id()}", sealed_stream.new_key()
    async with (
        aclosing(source.pieces()) as plain,
        aclosing(sealed_stream.sealed(plain, key)) as stored,
    ):
        stored_size = await ctx.objects.write(target, stored)
    if source.size == 0:
        await orphans.discard(ctx, [target])
        raise Refused("attachment_empty")
    values = _values(ctx, place, name, source) | {
        "id": id_,
        "stored_size": stored_size,
        "object": target,
        "key": ctx.sealer.seal(KEY_PURPOSE, key, id_.encode()),
        "report": ctx.sealer.seal(REPORT_PURPOSE, source.report, id_.encode()),
    }
    happened = audit.journal(
        event="support.attachment_added",
        actor=adder(place.account_id, place.added_by),
        source=place.source,
        at=values["at"],
        detail={"kind": source.kind.value, "size": source.size},
    )

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, place.added_by)
        await _demand_room(tx, ctx, place)
        await tx.run(store.ADD, **values, **happened)

    try:
        await ctx.db.write(body)
    except Refused:
        # Within the transaction: no row names it. Where its outcome is unknown, the sweeper looks.
        await orphans.discard(ctx, [target])
        raise
    ended = 0
    for cookie in source.exposed:
        ended += await sessions.end_exposed(ctx, cookie=cookie, source=place.source)
    kept = attachment_of({**values, "answered": False}, source.report)
    return Attached(kept, source.report, ended)


def _values(ctx: Context, place: Place, name: str, source: _Source) -> dict[str, Any]:
    now = ctx.clock.now()
    return {
        "account_id": place.account_id,
        "ticket_id": place.ticket_id,
        "message_id": None,
        "added_by": place.added_by,
        "kind": source.kind.value,
        "name": name,
        "media": source.media,
        "size": source.size,
        "index_size": source.index_size,
        "entries": source.entries,
        "state": State.WAITING.value,
        "at": now,
        "expires_at": now + rules.UNSENT_MS,
    }


async def _demand_room(tx: Tx, ctx: Context, place: Place) -> None:
    if place.added_by != place.account_id:
        # A client's file may be what opens a conversation again; an answer never does.
        here = await reload(tx, place.ticket_id)
        tickets.move(here.state, tickets.Event.ANSWER)
    row = await tx.one(
        store.ROOM,
        ticket_id_=place.ticket_id,
        added_by_=place.added_by,
        since=ctx.clock.now() - DAY,
    )
    if row is None:
        raise AssertionError
    rules.demand_room(row["waiting"], row["today"], most=ctx.settings.attachments_per_message)


def attachment_of(row: Any, report: bytes = b"") -> Attachment:  # noqa: ANN401  -- a row or values
    """The attachment that a row of the reading statements describes."""
    state = State(row["state"])
    told = json.loads(report) if report else {}
    return Attachment(
        id=row["id"],
        account_id=row["account_id"],
        ticket_id=row["ticket_id"],
        message_id=row["message_id"],
        added_by=row["added_by"],
        kind=Kind(row["kind"]),
        name=row["name"],
        media=row["media"],
        size=row["size"],
        entries=row["entries"],
        details=Details(told.get("details", "")),
        state=state,
        at=row["at"],
        expires_at=row["expires_at"],
        removable=state is State.WAITING or (state is State.SENT and not row["answered"]),
    )
