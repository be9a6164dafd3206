"""A house without its doors: real services and database, a clock, a phone and a push service."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Table, select

from tests.recording import Gateway, HeardBus, MailServer, PushService
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.accounts.service import PasswordPool
from vestibule.base.audit import audit_event
from vestibule.base.clock import SteppedClock
from vestibule.base.context import Context
from vestibule.base.database import Database, Tx
from vestibule.base.errors import Fault
from vestibule.base.ids import new_id, new_secret
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.devices import service as devices
from vestibule.knowledge import service as knowledge
from vestibule.login import service as login
from vestibule.login.service import Began, Mine, View
from vestibule.outside.disk_objects import DiskObjects
from vestibule.protocol import keys, messages, ocra
from vestibule.protocol.encoding import b64u, render_json
from vestibule.protocol.errors import ProtocolFault
from vestibule.protocol.messages import (
    Approval,
    Claims,
    Enrolment,
    EnrolRequest,
    EnrolResponse,
    Proof,
    PushSubscription,
)
from vestibule.schema.tables import metadata
from vestibule.web.visitor import Visitor

PASSWORD = "a lantern, a kettle, nine geese"
HERE = Visitor(
    address="192.0.2.7", source="192.0.2.7", browser="Firefox on Windows", place="Turin, Italy"
)


class Nowhere:
    """Knows no place."""

    def place(self, address: str) -> str:
        """Nothing."""
        return ""


class ScenePhone:
    """The cryptographic half of a phone with one account, given a root instead of a PIN."""

    def __init__(self, issuer: str, *, label: str = "Pixel 9") -> None:
        self.issuer = issuer
        self.label = label
        self.device = new_id()
        self.key = generate_private_key(SECP256R1())
        self.public = keys.public_bytes(self.key)
        self.id = keys.kid_of(self.public)
        self.root = secrets.token_bytes(32)
        self.response_key = keys.response_key(self.root, self.id)
        self.knowledge_key = keys.knowledge_key(self.root, self.id)
        self.counter = 1
        push_key = keys.public_bytes(generate_private_key(SECP256R1()))
        self.subscription: PushSubscription | None = PushSubscription(
            endpoint=f"https://fcm.googleapis.com/{self.id}",
            p256dh=b64u(push_key),
            auth=b64u(secrets.token_bytes(16)),
        )

    def sign(self, claims: Claims) -> str:
        """A message under the device key."""
        return messages.sign(claims, key=self.key, kid=self.id)

    def approval(self, request: str, /, *, now: int, act: str = "approve", **changes: Any) -> str:
        """An answer to the text of a request; `changes` are members to send in place of ours."""
        return self.sign(Approval(**(self._members(request, now, act) | changes)))

    def raw_approval(self, request: str, /, *, now: int, **changes: Any) -> str:
        """An answer that is well signed, whatever it says."""
        header = {"alg": "ES256", "typ": Approval.typ, "kid": self.id}
        members = self._members(request, now, "approve") | changes
        signed = f"{b64u(render_json(header))}.{b64u(render_json(members))}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{b64u(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def _members(self, request: str, now: int, act: str) -> dict[str, Any]:
        proof = keys.approval_proof(self.knowledge_key, request)
        claims = messages.parse(request, messages.ApprovalRequest).claims
        return {
            "iss": self.id,
            "aud": self.issuer,
            "iat": now // 1000,
            "exp": now // 1000 + 30,
            "jti": new_id(),
            "request": claims.jti,
            "hash": messages.message_hash(request),
            "act": act,
            "number": "",
            "proof": proof if act == "approve" else "",
            "assertion": None,
            "push": "ok",
        }

    def wrong_proof(self, request: str) -> str:
        """What the proof is under a wrong PIN."""
        return keys.approval_proof(keys.knowledge_key(bytes(32), self.id), request)

    def proof(self, method: str, path: str, body: bytes, *, now: int) -> str:
        """The Authorization header of a call."""
        claims = Proof(
            iss=self.id,
            aud=self.issuer,
            iat=now // 1000,
            exp=now // 1000 + 30,
            jti=new_id(),
            method=method,
            path=path,
            body=b64u(hashlib.sha256(body).digest()),
        )
        return f"Vestibule {self.sign(claims)}"

    def respond(self, challenge: str, *, ahead: int = 0) -> str:
        """The next response; `ahead` counters are lost first, as by responses never typed."""
        self.counter += ahead
        response = ocra.response(self.response_key, challenge, self.counter)
        self.counter += 1
        return response


@dataclass
class Scene:
    """Everything at hand, and the few things that every test does."""

    ctx: Context
    clock: SteppedClock
    bus: HeardBus
    push: PushService
    mail: MailServer
    text: Gateway

    async def account(self, username: str = "morgan", **values: Any) -> Account:
        """An account whose password is PASSWORD."""
        return await accounts.create_account(
            self.ctx, username=username, password=PASSWORD, **values
        )

    async def phone(
        self,
        account: Account,
        *,
        label: str = "Pixel 9",
        push: bool = True,
        device: str | None = None,
    ) -> ScenePhone:
        """A phone that is linked to the account, a second after the last one."""
        phone = ScenePhone(self.ctx.settings.portal_url, label=label)
        phone.device = device or phone.device
        phone.subscription = phone.subscription if push else None
        now = self.clock.step(1000)
        message = Enrolment(
            id=phone.id,
            public_key=phone.public,
            request=cast("EnrolRequest", None),  # what was asked plays no part afterwards
            response=EnrolResponse(
                iss=phone.id,
                aud=phone.issuer,
                iat=now // 1000,
                exp=now // 1000 + 600,
                jti=new_id(),
                request="",
                jwk=keys.jwk_of(phone.public),
                device=phone.device,
                label=label,
                platform="Chrome on Android",
                secrets="",
                proof="",
                push=phone.subscription,
                webauthn=None,
            ),
            response_key=phone.response_key,
            knowledge_key=phone.knowledge_key,
        )

        async def body(tx: Tx) -> None:
            await devices.enroll(
                tx,
                self.ctx,
                account_id=account.id,
                message=message,
                credential=None,
                source=HERE.address,
                ticket_id=new_id(),
                now=now,
            )

        await self.ctx.db.write(body)
        return phone

    async def begin(
        self,
        username: str = "morgan",
        password: str = PASSWORD,
        *,
        visitor: Visitor = HERE,
        browser: str = "",
        replaces: Mine | None = None,
    ) -> Began:
        """Type a password, in a browser never seen before unless its secret is given."""
        return await login.begin_login(
            self.ctx,
            username=username,
            password=password,
            visitor=visitor,
            browser_secret=browser or new_secret(),
            replaces=replaces,
        )

    async def waiting(self, phone: ScenePhone) -> tuple[str, ...]:
        """The requests that the phone is shown."""
        found = await login.waiting_for(
            self.ctx,
            authorization=phone.proof("GET", "/device/attempts", b"", now=self.clock.now()),
            method="GET",
            path="/device/attempts",
            body=b"",
        )
        return found.requests

    async def answer(self, text: str, *, source: str = "198.51.100.9") -> str:
        """Send an answer."""
        return await login.answer_login(self.ctx, text=text, source=source)

    async def approve(self, phone: ScenePhone, began: Began, **changes: Any) -> str:
        """Approve the attempt's request, with its number where that is asked for."""
        request = await self.request(phone, began)
        view = shown(began)
        members = {"number": view.challenge if view.number else ""} | changes
        return await self.answer(phone.approval(request, now=self.clock.now(), **members))

    async def request(self, phone: ScenePhone, began: Began) -> str:
        """The text of the attempt's request, as the phone has it."""
        for text in await self.waiting(phone):
            if messages.parse(text, messages.ApprovalRequest).claims.jti == shown(began).id:
                return text
        raise LookupError("the phone has no such request")

    async def events(self) -> list[dict[str, Any]]:
        """The audit journal so far, in order."""
        rows = await self.ctx.db.all(select(audit_event).order_by(audit_event.c.id))
        return [dict(row) for row in rows]

    async def told(self) -> list[tuple[str, str, str]]:
        """Event, actor and result of the journal's entries about signing in."""
        return [
            (row["event"], row["actor"], row["result"])
            for row in await self.events()
            if row["event"].startswith(("login.", "session."))
        ]

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """A whole table, ordered by its key."""
        return [
            dict(row)
            for row in await self.ctx.db.all(select(table).order_by(*table.primary_key.columns))
        ]

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every table but the journal and the limits: what a refusal leaves alone."""
        return {
            table.name: await self.rows(table)
            for table in metadata.sorted_tables
            if table.name not in ("audit_event", "limit_state")
        }


def shown(began: Began) -> View:
    """The page that an accepted password leads to."""
    assert began.view is not None
    return began.view


def mine(began: Began) -> Mine:
    """The browser's hold on its attempt."""
    return Mine(id=shown(began).id, secret=began.secret)


def code_of(error: BaseException) -> str:
    """The stable code of a refusal."""
    if isinstance(error, Fault):
        return error.code.name
    assert isinstance(error, ProtocolFault)
    return error.code


@asynccontextmanager
async def open_scene(
    database: Database, clock: SteppedClock, folder: Path, **settings: Any
) -> AsyncIterator[Scene]:
    """A scene on an open database."""
    held = Keys.create(folder)
    # Passwords are hashed for real, at a cost that hundreds of tests can bear.
    pool = PasswordPool(held.sealer, threads=2, memory_kib=8, passes=1)
    bus, push = HeardBus(), PushService()
    mail, gateway = MailServer(), Gateway()
    objects = DiskObjects(folder / "statements")
    chosen = Settings(data=folder, **settings)
    ctx = Context(
        settings=chosen,
        db=database,
        clock=clock,
        keys=held,
        wake=bus,
        passwords=pool,
        push=push,
        mail=mail,
        text=gateway,
        places=Nowhere(),
        objects=objects,
        articles=knowledge.open_library(chosen),
    )
    try:
        yield Scene(ctx, clock, bus, push, mail, gateway)
    finally:
        objects.close()
        pool.close()


def with_settings(scene: Scene, **settings: Any) -> Scene:
    """The same scene under other settings."""
    changed = scene.ctx.settings.model_copy(update=settings)
    return replace(scene, ctx=replace(scene.ctx, settings=changed))
