"""The portal and the phone's interface without sockets: real pages over a scene's services."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from tests.login.scene import HERE, Scene, ScenePhone, open_scene
from vestibule.accounts.rules import Account
from vestibule.app import origins
from vestibule.base.clock import SteppedClock
from vestibule.base.database import Database, Tx
from vestibule.base.ids import new_id, new_secret
from vestibule.protocol import keys, messages
from vestibule.protocol.encoding import b64u
from vestibule.protocol.messages import EnrolRequest, EnrolResponse
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session
from vestibule.web import cookies

PORTAL = "https://portal.example"
PHONE = "https://phone.example"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0"


@dataclass
class Desk:
    """One browser at the portal, and its owner's account."""

    scene: Scene
    http: httpx.AsyncClient
    phone_http: httpx.AsyncClient

    async def sign_in(
        self,
        account: Account,
        *,
        proof: Proof = Proof.PUSH,
        phone: ScenePhone | None = None,
        browser: str | None = None,
    ) -> Session:
        """A session in this browser, as a finished sign-in leaves it."""
        session, cookie = await open_session(
            self.scene, account, proof=proof, phone=phone, browser=browser
        )
        self.http.cookies.set(cookies.SESSION, cookie, domain="portal.example")
        return session

    async def send(self, page: str, address: str, /, **fields: str) -> httpx.Response:
        """Send a form of `page` to `address`, with the page's own token."""
        shown = await self.http.get(page)
        assert shown.status_code == 200, shown.text
        token = re.search(r'name="form" value="([^"]+)"', shown.text)
        assert token is not None
        return await self.http.post(address, data={"form": token[1], **fields})

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One JSON call to the phone's interface."""
        return await self.phone_http.request(method, path, json=body, headers=headers)


async def open_session(
    scene: Scene,
    account: Account,
    *,
    proof: Proof = Proof.PUSH,
    phone: ScenePhone | None = None,
    browser: str | None = None,
) -> tuple[Session, str]:
    """A session of the account and its cookie."""
    digest = sessions.browser_digest(scene.ctx, browser) if browser else None
    now = scene.clock.now()

    async def body(tx: Tx) -> sessions.NewSession:
        return await sessions.open_session(
            tx,
            scene.ctx,
            account_id=account.id,
            attempt_id=None,
            proof=proof,
            enrollment_id=phone.id if phone else None,
            browser_digest=digest,
            visitor=HERE,
            now=now,
        )

    new = await scene.ctx.db.write(body)
    return await sessions.get_session(scene.ctx, new.cookie), new.cookie


def enrol_response(
    scene: Scene, request: str, phone: ScenePhone | None = None, **changes: Any
) -> str:
    """What a phone sends back to an enrol-request; `changes` replace members."""
    phone = phone or ScenePhone(scene.ctx.settings.portal_url)
    asked = messages.parse(request, EnrolRequest).claims
    knowledge = keys.knowledge_key(phone.root, phone.id)
    sealed = keys.seal_secrets(
        keys.Secrets(
            response=b64u(keys.response_key(phone.root, phone.id)),
            knowledge=b64u(knowledge),
        ),
        recipient=keys.raw_of(asked.keys.encrypt),
        ephemeral=generate_private_key(SECP256R1()),
        iv=bytes(12),
    )
    now = scene.clock.now() // 1000
    members: dict[str, Any] = {
        "iss": phone.id,
        "aud": scene.ctx.settings.portal_url,
        "iat": now,
        "exp": now + 600,
        "jti": new_id(),
        "request": request,
        "jwk": keys.jwk_of(phone.public),
        "device": phone.device,
        "label": phone.label,
        "platform": "Chrome on Android",
        "secrets": sealed,
        "proof": keys.enrol_proof(knowledge, request),
        "push": phone.subscription,
        "webauthn": None,
    }
    return phone.sign(EnrolResponse(**(members | changes)))


@asynccontextmanager
async def open_desk(
    database: Database,
    clock: SteppedClock,
    folder: Path,
    **settings: Any,
) -> AsyncIterator[Desk]:
    """A desk on an open database."""
    async with open_scene(
        database,
        clock,
        folder,
        organisation="Northgate Bank",
        portal_url=PORTAL,
        phone_url=PHONE,
        **settings,
    ) as scene:
        served = origins(scene.ctx)
        async with (
            httpx.AsyncClient(
                transport=httpx.ASGITransport(served["portal.example"]),
                base_url=PORTAL,
                headers={"user-agent": AGENT, "origin": PORTAL},
            ) as http,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(served["phone.example"]), base_url=PHONE
            ) as phone_http,
        ):
            http.cookies.set(cookies.BROWSER, new_secret(), domain="portal.example")
            yield Desk(scene, http, phone_http)
