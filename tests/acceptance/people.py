"""People with accounts and phones, at servers that run as processes of their own."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from sqlalchemy import select

from tests.acceptance.population import PASSWORD, username
from tests.acceptance.wire import Answer, Browser, Origin
from tests.login.scene import ScenePhone
from tests.serving import Server
from vestibule.base.database import Database
from vestibule.base.ids import new_id
from vestibule.client.portal import Page
from vestibule.protocol import keys, messages
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u
from vestibule.protocol.messages import ApprovalRequest, EnrolRequest, EnrolResponse
from vestibule.schema.tables import metadata

_sources = itertools.count()


def fresh_source() -> str:
    """An address that nobody has come from yet, so that no limit of another test meets it."""
    number = next(_sources)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass
class Town:
    """A running server, its database, and the people in it."""

    server: Server
    database_url: str
    numbers: Iterator[int] = field(default_factory=itertools.count)
    ahead_ms: int = 0

    @property
    def portal(self) -> Origin:
        """The portal's origin."""
        return Origin.of(self.server.portal)

    @property
    def phone(self) -> Origin:
        """The phone app's origin."""
        return Origin.of(self.server.phone)

    def now(self) -> int:
        """The server's time, in milliseconds."""
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def step(self, seconds: float) -> None:
        """Move the server's clock; there must be one worker only."""
        self.server.move_clock(seconds)
        self.ahead_ms += round(seconds * 1000)

    def person(self) -> Person:
        """Somebody who has not done anything yet."""
        return Person(self, username(next(self.numbers)))

    async def linked(self) -> Person:
        """Somebody whose phone is linked."""
        person = self.person()
        await person.link()
        return person

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The server's database, looked at from outside."""
        database = await Database.open(self.database_url)
        try:
            yield database
        finally:
            await database.close()

    async def tables(self, *, without: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, by the table's key."""
        async with self.opened() as database:
            return {
                table.name: [
                    dict(row)
                    for row in await database.all(
                        select(table).order_by(*table.primary_key.columns)
                    )
                ]
                for table in metadata.sorted_tables
                if table.name not in without
            }

    async def events(self, name: str) -> list[dict[str, Any]]:
        """The audit journal's events of that name."""
        return [row for row in (await self.tables())["audit_event"] if row["event"] == name]


@dataclass
class Person:
    """One account, and its phone once it is linked."""

    town: Town
    username: str
    phone: ScenePhone = field(default_factory=lambda: ScenePhone("", label="Pixel 9"))

    def __post_init__(self) -> None:
        self.phone.issuer = self.town.server.portal
        self.phone.subscription = None

    def browser(self, portal: Origin | None = None) -> Browser:
        """A browser that nobody knows, at the portal or at the worker given."""
        return Browser(portal or self.town.portal, source=fresh_source())

    async def arrive(self, browser: Browser) -> Page:
        """Sign in by password as far as that goes; the page that it ends on."""
        page = await browser.begin(self.username, PASSWORD)
        assert page.status == 303, page.text
        return await browser.follow(page.location)

    async def link(self) -> None:
        """Link the phone, by a ticket of a session of the password alone."""
        page = await self.arrive(self.browser())
        request = await self.open_ticket(parse_link(page.activation_link).secret)
        answer = await self.enrol(self.phone, request)
        assert answer.status == 200, answer.text

    async def open_ticket(self, secret: bytes) -> str:
        """The enrol-request for a link's secret."""
        answer = await self.town.phone.post_json("/device/tickets", {"link": b64u(secret)})
        assert answer.status == 200, answer.text
        return str(answer.json["request"])

    async def enrol(self, phone: ScenePhone, request: str) -> Answer:
        """Redeem a ticket."""
        body = {"response": enrol_response(phone, request, now=self.town.now())}
        return await self.town.phone.post_json("/device/enrollments", body)

    def proof(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The header that proves a call of the phone."""
        return {"Authorization": self.phone.proof(method, path, body, now=self.town.now())}

    async def requests(self, origin: Origin | None = None) -> list[str]:
        """What waits for the phone."""
        answer = await (origin or self.town.phone).ask(
            "GET", "/device/attempts", headers=self.proof("GET", "/device/attempts")
        )
        assert answer.status == 200, answer.text
        return list(answer.json["requests"])

    async def request(self, origin: Origin | None = None) -> str:
        """The only request that waits for the phone."""
        (text,) = await self.requests(origin)
        return text

    def answering(self, request: str, /, **members: Any) -> dict[str, str]:
        """The body of an answer to a request."""
        return {"answer": self.phone.approval(request, now=self.town.now(), **members)}

    async def approve(self, request: str, number: str, origin: Origin | None = None) -> Answer:
        """Approve a request with the number that the browser shows."""
        body = self.answering(request, number=number)
        return await (origin or self.town.phone).post_json("/device/answers", body)


def enrol_response(phone: ScenePhone, request: str, /, *, now: int, **changes: Any) -> str:
    """What a phone sends to redeem a ticket; `changes` are members in place of ours."""
    asked = messages.parse(request, EnrolRequest).claims
    members: dict[str, Any] = {
        "iss": phone.id,
        "aud": phone.issuer,
        "iat": now // 1000,
        "exp": now // 1000 + 600,
        "jti": new_id(),
        "request": request,
        "jwk": keys.jwk_of(phone.public),
        "device": phone.device,
        "label": phone.label,
        "platform": "Chrome on Android",
        "secrets": keys.seal_secrets(
            keys.Secrets(response=b64u(phone.response_key), knowledge=b64u(phone.knowledge_key)),
            recipient=keys.raw_of(asked.keys.encrypt),
            ephemeral=generate_private_key(SECP256R1()),
            iv=bytes(12),
        ),
        "proof": keys.enrol_proof(phone.knowledge_key, request),
        "push": phone.subscription,
        "webauthn": None,
    }
    return phone.sign(EnrolResponse(**(members | changes)))


def attempt_of(request: str) -> str:
    """The id of the attempt that a request is for."""
    return messages.parse(request, ApprovalRequest).claims.jti
