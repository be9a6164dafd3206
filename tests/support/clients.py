"""Clients who attach files, and the files that they attach."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.desk import open_session
from tests.login.scene import Scene
from vestibule.sessions.rules import Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Member, Role
from vestibule.support import service
from vestibule.support.rules import Ticket, Topic
from vestibule.support.service.attaching import Attached, Place, attach
from vestibule.support.service.looking import (
    open_attachment,
)

# One point.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6360000000020001e527defc0000000049454e44ae426082"
)
SECRET = "hunter2-correct-horse"


def har(*entries: dict[str, Any]) -> bytes:
    """A recording with these requests."""
    log = {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}).encode()


def request_(url: str = "https://bank.example/login", status: int = 200, **more: Any) -> Any:
    """One request of a recording, with a secret in its header and its body."""
    return {
        "startedDateTime": "2026-11-22T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": url,
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [{"name": "Authorization", "value": f"Bearer {SECRET}"}],
            "queryString": [],
            "postData": {"mimeType": "text/plain", "text": SECRET},
            "headersSize": -1,
            "bodySize": 10,
        },
        "response": {
            "status": status,
            "statusText": "OK",
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [{"name": "Content-Type", "value": "text/html"}],
            "content": {"size": 40, "mimeType": "text/html", "text": f"<p>{SECRET}"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 40,
        },
        "cache": {},
        "timings": {"send": 1, "wait": 10, "receive": 1.5},
        **more,
    }


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """The bytes as a network brings them."""
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


def stored(scene: Scene) -> list[Path]:
    """Every file of an attachment, also one that is not finished."""
    folder = scene.ctx.settings.data / "statements" / "attachments"
    return [path for path in folder.rglob("*") if path.is_file()]


class Client:
    """A client with a conversation."""

    def __init__(self, scene: Scene, session: Session, cookie: str, ticket: Ticket) -> None:
        self.scene, self.ctx, self.session, self.ticket = scene, scene.ctx, session, ticket
        self.cookie = cookie

    @property
    def place(self) -> Place:
        """The client's own conversation."""
        own = self.session.account_id
        return Place(ticket_id=self.ticket.id, account_id=own, added_by=own)

    async def find(self, number: str) -> Ticket:
        """Another conversation of the same client."""
        return await service.get_ticket(self.ctx, self.session, number)

    async def attach(self, name: str, data: bytes, **more: Any) -> Attached:
        """Add a file."""
        return await attach(self.ctx, self.place, name, in_pieces(data), **more)

    async def reply(self) -> Ticket:
        """Send what waits, a little later than what was written before."""
        self.scene.clock.step(1000)
        return await service.reply(self.ctx, self.session, self.ticket, text="here it is")

    async def read(self, id_: str) -> bytes:
        """Download it."""
        opened = await open_attachment(self.ctx, self.place, id_)
        try:
            return await opened.read(0, opened.attachment.size)
        finally:
            opened.close()


async def open_client(scene: Scene, name: str = "alice") -> Client:
    """A client of that name who has begun a conversation."""
    account = await scene.account(name)
    session, cookie = await open_session(scene, account)
    ticket = await service.open_ticket(
        scene.ctx, session, topic=Topic.OTHER, subject="A picture", text="See what I attach."
    )
    return Client(scene, session, cookie, ticket)


async def open_member(scene: Scene, name: str, role: Role) -> Member:
    """A member of staff."""
    account = await scene.account(name)
    await staff.add_member(scene.ctx, account, role=role)
    return next(one for one in await staff.list_members(scene.ctx) if one.username == name)
