"""The reference phone: the protocol's other side, as a library.

async with Phone(Path("phone.json")) as phone:
    offer = await phone.fetch_offer("http://localhost:8601/activate#1....")
    await phone.activate(offer, pin="2580", label="My terminal")
    for request in await phone.requests():
        await phone.approve(request, pin="2580", number="271828")
    print(phone.respond("314159", pin="2580").response)
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from platform import system
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vestibule.client.device_calls import DeviceCalls, Signer
from vestibule.client.enrolling import claims_of, enrol_response, enrolled_of, random_id
from vestibule.client.errors import NotPossible, Refused, StateWrong
from vestibule.client.offers import Offer, Request, Response, verified
from vestibule.client.pin import Unlocked, lock_again, new_root, open_root
from vestibule.client.state import Enrolled, LockedRoot, State, StateFile
from vestibule.protocol import keys, messages, ocra
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.claim_link import parse_claim_link
from vestibule.protocol.encoding import b64u, fold_digits
from vestibule.protocol.messages import (
    Approval,
    Proof,
)
from vestibule.protocol.typed_code import parse_typed_code

# The kinds of request that this phone can show, and so approve.
KINDS = frozenset({"sign-in", "step-up", "migration", "terminal"})
PLATFORM = f"Reference phone on {system() or 'an unknown system'}"


class Phone:
    """One phone, kept in a state file. Use it as an asynchronous context manager."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, device=random_id())
        self._state = self._file.read()
        self._http: aiohttp.ClientSession | None = None
        self._calls: dict[str, DeviceCalls] = {}
        self._keys: dict[str, EllipticCurvePrivateKey] = {}

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def state(self) -> State:
        """What this phone remembers."""
        return self._state

    # --- linking an account ------------------------------------------------------------------

    async def fetch_offer(self, link_or_code: str, *, address: str = "") -> Offer:
        """Fetch what an activation link, or a typed code at `address`, offers.

        This does not use the ticket up. Raises `Refused`, `Unreachable`, `NotPossible` and
        `ProtocolFault`.
        """
        pinned: str | None = None
        if "://" in link_or_code:
            link = parse_link(link_or_code)
            address, pinned, ticket = link.address, link.server, {"link": b64u(link.secret)}
        else:
            ticket = {"code": str(parse_typed_code(link_or_code))}
            address = address or (self._state.accounts[0].address if self._state.accounts else "")
        if not address:
            raise NotPossible("a typed code needs the phone app's address as well")
        calls = self._at(address)
        text = (await calls.call("POST", "/device/tickets", ticket))["request"]
        request = messages.read_enrol_request(text, now=calls.now(), server=pinned)
        return Offer(address, text, request)

    async def activate(self, offer: Offer, *, pin: str, label: str) -> Enrolled:
        """Link the account. The first account sets the PIN; further ones need the same.

        For a further account the server is asked first whether the PIN is right: nothing here can
        tell. Raises `Refused` (`proof_wrong` with `left`), `Unreachable` and, for a new PIN,
        `ProtocolFault`.
        """
        await self.check_pin_before_adding(pin)
        answer, enrolled = await self.enrol(
            offer, pin=pin, label=label, path="/device/enrollments", members={}
        )
        return self.named(enrolled, str(answer["account"]))

    async def check_pin_before_adding(self, pin: str) -> None:
        """Have the server check the PIN with an account that is there already, if one is."""
        known = next((one for one in self._state.accounts if not one.stale), None)
        if known is not None:
            await self.check_pin(pin, account=known.id)

    async def enrol(
        self,
        offer: Offer,
        *,
        pin: str,
        label: str,
        path: str,
        members: dict[str, str],
        device: str | None = None,
    ) -> tuple[dict[str, Any], Enrolled]:
        """Make an enrollment's keys and send them: the server's answer, and what is kept here.

        `device` is the id of a device that begins anew, with a new root under a new PIN: the
        accounts that are here already want their PIN renewed then. Raises as `activate`.
        """
        locked = self._state.root if device is None else None
        locked = locked or new_root(offer.request.policy, pin)
        unlocked = await asyncio.to_thread(open_root, locked, pin)
        key = generate_private_key(SECP256R1())
        enrolled = enrolled_of(offer, key)
        # Kept before it is sent: were the answer lost, the server would know a key that we do not.
        before = self._state
        if device is None:
            self._state = self._file.change(
                lambda kept: _linked(kept, before.root, locked, enrolled)
            )
        else:
            self._state = self._file.change(lambda kept: kept.renewed(device, locked, enrolled))
        calls = self._at(offer.address)
        text = enrol_response(
            offer,
            enrolled,
            key,
            unlocked.root,
            label=label,
            device=self._state.device,
            platform=PLATFORM,
            now=calls.now(),
        )
        try:
            answer = await calls.call("POST", path, {**members, "response": text})
        except Refused:
            back = before if device is not None else None
            self._state = self._file.change(lambda kept: back or kept.without(enrolled.id))
            raise
        return answer, enrolled

    def named(self, enrolled: Enrolled, name: str) -> Enrolled:
        """Keep what the account is called; what it was linked by before is over."""
        self._state = self._file.change(lambda kept: kept.named(enrolled.id, name))
        return self._state.account(enrolled.id)

    async def change_pin(self, old: str, new: str) -> None:
        """Change the PIN: the server says whether the old one is right, then R is locked anew.

        The policy is the least that any house asks. Raises `Refused` (`proof_wrong` with `left`),
        `Unreachable`, and `ProtocolFault` for a PIN that breaks a rule.
        """
        await self.check_pin_before_adding(old)
        unlocked = await self.unlock(old)
        locked = await asyncio.to_thread(lock_again, self._root(), unlocked, new)
        self._state = self._file.change(lambda kept: msgspec.structs.replace(kept, root=locked))

    async def remove(self, account: str) -> None:
        """End an account's enrollment, at the server first, then here.

        An enrollment that the server does not know any more is removed here all the same.
        """
        enrolled = self._state.account(account)
        try:
            await self._call(enrolled, "POST", "/device/removal", {})
        except Refused as refused:
            if refused.code not in {"enrollment_unknown", "enrollment_revoked"}:
                raise
        self._state = self._file.change(lambda kept: kept.without(enrolled.id))

    async def rename(self, label: str, *, account: str | None = None) -> None:
        """Give this phone another name, as the account's owner sees it."""
        enrolled = self._state.account(account)
        await self._call(enrolled, "PUT", "/device/label", {"label": label})

    # --- answering ---------------------------------------------------------------------------

    async def requests(self, *, account: str | None = None) -> list[Request]:
        """Fetch what waits, of one account or of all. What does not verify is left out."""
        asked = [self._state.account(account)] if account else self._state.accounts
        found: list[Request] = []
        for enrolled in asked:
            answer = await self._call(enrolled, "GET", "/device/attempts")
            found += self._verified(enrolled, answer["requests"])
        return found

    def _verified(self, enrolled: Enrolled, texts: list[str]) -> list[Request]:
        return verified(enrolled, texts, now=self._at(enrolled.address).now())

    async def claim(self, link: str, *, account: str | None = None) -> Request:
        """Claim the sign-in whose rotating QR code was scanned; it waits for an answer then.

        Raises `Refused` (`claim_over`, `claim_other_account`, ...), `NotPossible` with several
        accounts and none named, and `ProtocolFault` for what is no claim link.
        """
        enrolled = self._state.account(account)
        claim = parse_claim_link(link).claim
        answer = await self._call(enrolled, "POST", "/device/claims", {"claim": claim})
        found = self._verified(enrolled, [answer["request"]])
        if not found:
            raise NotPossible("the server's request does not hold under its own key")
        return found[0]

    async def check_pin(self, pin: str | Unlocked, *, account: str | None = None) -> None:
        """Have the server check a PIN before something is built on it.

        Raises `Refused` with `proof_wrong` (and `left`) for a wrong one.
        """
        enrolled = self._state.account(account)
        unlocked = pin if isinstance(pin, Unlocked) else await self.unlock(pin)
        knowledge, nonce = keys.knowledge_key(unlocked.root, enrolled.id), secrets.token_bytes(16)
        body = {"nonce": b64u(nonce), "proof": keys.nonce_proof(knowledge, nonce)}
        await self._call(enrolled, "POST", "/device/knowledge", body)

    async def unlock(self, pin: str) -> Unlocked:
        """Open R with a PIN, to be used several times: stretching takes tens of milliseconds."""
        return await asyncio.to_thread(open_root, self._root(), pin)

    async def approve(self, request: Request, *, pin: str | Unlocked, number: str = "") -> str:
        """Approve a sign-in and return the server's word for it: `approved`.

        `number` is what the browser shows, if the request asks for it. Raises `Refused` with
        `proof_wrong` (and `left`) for a wrong PIN, `number_wrong`, `already_answered`, ...
        """
        if request.account.stale:
            raise NotPossible("its PIN was forgotten: renew this account first")
        if request.claims.kind not in KINDS:
            raise NotPossible("this phone does not know what it would approve: update it")
        unlocked = pin if isinstance(pin, Unlocked) else await self.unlock(pin)
        knowledge = keys.knowledge_key(unlocked.root, request.account.id)
        proof = keys.approval_proof(knowledge, request.text)
        return await self._answer(request, "approve", number=fold_digits(number), proof=proof)

    async def deny(self, request: Request) -> str:
        """Refuse a sign-in. Needs no PIN."""
        return await self._answer(request, "deny")

    async def report(self, request: Request) -> str:
        """Refuse a sign-in that somebody else tries: the server guards the account. No PIN."""
        return await self._answer(request, "report")

    async def _answer(
        self,
        request: Request,
        act: Literal["approve", "deny", "report"],
        *,
        number: str = "",
        proof: str = "",
    ) -> str:
        enrolled, calls = request.account, self._at(request.account.address)

        def signed() -> dict[str, str]:
            claims = Approval(
                **claims_of(enrolled, calls.now(), messages.APPROVAL_LIFE_S),
                request=request.claims.jti,
                hash=messages.message_hash(request.text),
                act=act,
                number=number,
                proof=proof,
                assertion=None,
                push="unavailable",
            )
            text = messages.sign(claims, key=self._key(enrolled), kid=enrolled.id)
            return {"answer": text}

        answer = await calls.call("POST", "/device/answers", signed)
        return str(answer["result"])

    async def watch(self, *, account: str | None = None) -> AsyncIterator[tuple[str, Any]]:
        """Listen for news of one account: ("change", {}) or ("outcome", {request, result}).

        ("open", {}) says that from now on nothing is missed. Ends when the server ends it; listen
        again then.
        """
        enrolled = self._state.account(account)
        stream = self._at(enrolled.address).stream("/device/stream", proof=self._signer(enrolled))
        async for event in stream:
            yield event

    # --- offline -----------------------------------------------------------------------------

    def respond(
        self, challenge: str, *, pin: str | Unlocked, account: str | None = None
    ) -> Response:
        """Compute the response to a six-digit challenge, without any network.

        The counter is spent on disk first: a response that was computed can never be computed
        again, whatever happens in between. Raises `NotPossible` and `StateWrong`.
        """
        digits = fold_digits(challenge)
        if len(digits) != 6 or not (digits.isascii() and digits.isdigit()) or digits[0] == "0":
            raise NotPossible("a challenge is six digits and does not begin with 0")
        enrollment = self._state.account(account).id
        unlocked = pin if isinstance(pin, Unlocked) else open_root(self._root(), pin)
        self._state = self._file.change(
            lambda kept: kept.changed(enrollment, counter=kept.account(enrollment).counter + 1)
        )
        counter = self._state.account(enrollment).counter - 1
        key = keys.response_key(unlocked.root, enrollment)
        return Response(ocra.response(key, digits, counter), counter)

    # --- calls -------------------------------------------------------------------------------

    async def call_at(
        self,
        address: str,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call a server at an address, without any account's proof."""
        return await self._at(address).call(method, path, body, headers=headers)

    async def call_as(
        self, account: str | None, method: str, path: str, body: object = None
    ) -> dict[str, Any]:
        """Call the server of an account with its proof."""
        return await self._call(self._state.account(account), method, path, body)

    def now_at(self, address: str) -> float:
        """The time at that server, in seconds."""
        return self._at(address).now()

    def _at(self, address: str) -> DeviceCalls:
        if self._http is None:
            raise RuntimeError("the phone is used outside of its `async with`")
        if address not in self._calls:
            self._calls[address] = DeviceCalls(self._http, address)
        return self._calls[address]

    async def _call(
        self, enrolled: Enrolled, method: str, path: str, body: object = None
    ) -> dict[str, Any]:
        calls = self._at(enrolled.address)
        return await calls.call(method, path, body, proof=self._signer(enrolled))

    def _signer(self, enrolled: Enrolled) -> Signer:
        def proof(method: str, path: str, body: bytes) -> str:
            now = self._at(enrolled.address).now()
            claims = Proof(
                **claims_of(enrolled, now, messages.PROOF_LIFE_S),
                method=method,
                path=path,
                body=b64u(hashlib.sha256(body).digest()),
            )
            return messages.sign(claims, key=self._key(enrolled), kid=enrolled.id)

        return proof

    def _key(self, enrolled: Enrolled) -> EllipticCurvePrivateKey:
        key = self._keys.get(enrolled.id)
        if key is None:
            loaded = load_pem_private_key(enrolled.key.encode("ascii"), password=None)
            if not isinstance(loaded, EllipticCurvePrivateKey):
                raise StateWrong("the state file holds a key of another kind")
            key = self._keys[enrolled.id] = loaded
        return key

    def _root(self) -> LockedRoot:
        if self._state.root is None:
            raise NotPossible("no account is linked to this phone yet")
        return self._state.root


def _linked(
    kept: State, before: LockedRoot | None, locked: LockedRoot, enrolled: Enrolled
) -> State:
    if kept.root != before:
        raise StateWrong("the phone was changed by another program: start again")
    return msgspec.structs.replace(kept, root=locked, accounts=(*kept.accounts, enrolled))
