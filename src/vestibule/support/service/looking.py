"""What is attached, and its bytes: for whoever added it, for the client, for staff.

A file that lies in the store differently from how it was put there is not handed out at all: its
reader proves each piece, and the last one before the first is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from vestibule.base import audit, orphans, sealed_stream
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.base.errors import Refused, Unavailable
from vestibule.base.sealed_stream import SealedReader
from vestibule.base.sealing import Unsealable
from vestibule.staff.rules import Member
from vestibule.support.rules import Ticket
from vestibule.support.rules.attachments import (
    MEDIA_UNKNOWN,
    PICTURE_MOST,
    Attachment,
    Event,
    State,
    move,
)
from vestibule.support.rules.queue import demand_reading
from vestibule.support.rules.recordings import ENTRY_MOST, Listed
from vestibule.support.service.attaching import (
    KEY_PURPOSE,
    REPORT_PURPOSE,
    Place,
    attachment_of,
)
from vestibule.support.service.claiming import adder
from vestibule.support.service.records import staff_actor
from vestibule.support.service.sanitising import listed_in
from vestibule.support.store import attachments as store
from vestibule.web.downloads import File


@dataclass(frozen=True, slots=True)
class Opened:
    """An attachment and its bytes, to be closed by whoever asked for it."""

    attachment: Attachment
    reader: SealedReader
    index_size: int
    report: bytes
    """What was taken out, as JSON; empty where nothing was looked for."""

    async def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file itself: not of the list that lies behind a recording.

        Raises Unavailable ``attachment_damaged`` and as the store.
        """
        end = min(offset + size, self.attachment.size)
        try:
            return await self.reader.read(offset, max(0, end - offset))
        except Unsealable as fault:
            raise Unavailable("attachment_damaged", reason=str(fault)) from fault

    def close(self) -> None:
        """Let go of the object."""
        self.reader.close()

    def as_download(self) -> File:
        """The file to be saved: of no type, so that nothing takes it for what it says it is."""
        return File(
            name=self.attachment.download_name,
            media=MEDIA_UNKNOWN,
            size=self.attachment.size,
            tag=self.attachment.id,
            read=self.read,
            close=self.close,
        )

    async def picture(self) -> bytes:
        """The content of a picture, and the file is closed.

        Raises Refused ``attachment_unknown`` where its first bytes proved none.
        """
        try:
            if not self.attachment.image or self.attachment.size > PICTURE_MOST:
                raise Refused("attachment_unknown")
            return await self.read(0, self.attachment.size)
        finally:
            self.close()


# --- what there is ----------------------------------------------------------------------------


async def list_waiting(ctx: Context, place: Place) -> list[Attachment]:
    """What somebody has added to a conversation and not sent yet, in the order of adding."""
    rows = await ctx.db.all(store.WAITING, ticket_id_=place.ticket_id, added_by_=place.added_by)
    return [attachment_of(row, _report_of(ctx, row)) for row in rows]


async def list_attachments(ctx: Context, ticket: Ticket) -> dict[str, list[Attachment]]:
    """What is attached to each message of a conversation, by the id of the message."""
    found: dict[str, list[Attachment]] = {}
    for row in await ctx.db.all(store.OF_TICKET, ticket_id_=ticket.id):
        found.setdefault(row["message_id"], []).append(attachment_of(row))
    return found


# --- opening ----------------------------------------------------------------------------------


async def open_attachment(ctx: Context, place: Place, attachment_id: str) -> Opened:
    """A client's own, or one that staff sent to them.

    Raises Refused ``attachment_unknown``: also for somebody else's, one that is not kept any more
    and one that never was; Unavailable.
    """
    row = await ctx.db.one(
        store.OF_CLIENT,
        id_=attachment_id,
        ticket_id_=place.ticket_id,
        account_id_=place.account_id,
        added_by_=place.added_by,
    )
    return await _open(ctx, row)


async def open_for_staff(
    ctx: Context, member: Member, ticket: Ticket, attachment_id: str, *, how: str, source: str
) -> Opened:
    """One of a conversation that a member may read; every look is an event with their name.

    ``how`` says what the look was: ``download``, ``shown``, ``listed``, ``request``. Raises as
    `open_attachment`, and Refused ``staff_role`` or ``not_found``.
    """
    demand_reading(member, ticket)
    row = await ctx.db.one(
        store.FOR_STAFF,
        id_=attachment_id,
        ticket_id_=ticket.id,
        added_by_=member.account_id,
    )
    opened = await _open(ctx, row)
    now = ctx.clock.now()
    detail = {
        "member": member.username,
        "ticket": ticket.number,
        "kind": opened.attachment.kind.value,
        "how": how,
    }
    try:
        # Before the first byte: a look that cannot be written down does not happen.
        await ctx.db.write(
            lambda tx: audit.record(
                tx,
                event="support.attachment_seen",
                account_id=ticket.account_id,
                subject=opened.attachment.id,
                actor=staff_actor(member.account_id),
                source=source,
                at=now,
                detail=detail,
            )
        )
    except BaseException:
        opened.close()
        raise
    return opened


async def _open(ctx: Context, row: Row | None) -> Opened:
    if row is None or row["object"] is None:
        raise Refused("attachment_unknown")
    attachment = attachment_of(row)
    bound = attachment.id.encode()
    try:
        key = ctx.sealer.open(KEY_PURPOSE, row["key"], bound)
        report = _report_of(ctx, row)
        stored = await ctx.objects.open(row["object"])
        reader = await sealed_stream.open_sealed(stored, key)
    except FileNotFoundError:
        # Taken away since it was read; or somebody has emptied the store.
        raise Refused("attachment_unknown") from None
    except Unsealable as fault:
        raise Unavailable("attachment_damaged", reason=str(fault)) from fault
    if reader.size != attachment.size + row["index_size"]:
        reader.close()
        raise Unavailable("attachment_damaged", reason="it has another length")
    return Opened(attachment, reader, row["index_size"], report)


def _report_of(ctx: Context, row: Row) -> bytes:
    return ctx.sealer.open(REPORT_PURPOSE, row["report"], row["id"].encode())


# --- recordings -------------------------------------------------------------------------------


async def list_requests(opened: Opened) -> list[Listed]:
    """The requests of a recording. Raises Refused ``attachment_unknown`` for a file."""
    if not opened.attachment.capture:
        raise Refused("attachment_unknown")
    try:
        index = await opened.reader.read(opened.attachment.size, opened.index_size)
    except Unsealable as fault:
        raise Unavailable("attachment_damaged", reason=str(fault)) from fault
    return listed_in(index)


async def read_request(opened: Opened, one: Listed) -> Mapping[str, Any] | None:
    """One request as the recording has it (HAR 1.2, ``entries``); None where it is too long."""
    if one.length > ENTRY_MOST:
        return None
    raw = await opened.read(one.offset, one.length)
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as fault:
        raise Unavailable("attachment_damaged", reason="no request lies there") from fault
    return found if isinstance(found, dict) else None


# --- taking back ------------------------------------------------------------------------------


async def remove_attachment(ctx: Context, place: Place, attachment_id: str) -> None:
    """Take back what one has added: while it waits, or while nobody has answered its message.

    The file and its key go at once. Raises Refused ``attachment_unknown``.
    """
    waiting = await ctx.db.one(
        store.OF_CLIENT,
        id_=attachment_id,
        ticket_id_=place.ticket_id,
        account_id_=place.account_id,
        added_by_=place.added_by,
    )
    if waiting is None or waiting["added_by"] != place.added_by:
        raise Refused("attachment_unknown")
    move(State(waiting["state"]), Event.REMOVE)
    removed = await ctx.db.run(
        store.REMOVE,
        id_=attachment_id,
        ticket_id_=place.ticket_id,
        added_by_=place.added_by,
        **audit.journal(
            event="support.attachment_removed",
            actor=adder(place.account_id, place.added_by),
            source=place.source,
            at=ctx.clock.now(),
            detail={"kind": waiting["kind"], "size": waiting["size"]},
        ),
    )
    if not removed:
        raise Refused("attachment_answered")
    await orphans.discard(ctx, [waiting["object"]])
