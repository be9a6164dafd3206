"""A terminal that signs in at a portal: OAuth's device grant (RFC 8628) and the challenge.

async with Terminal("https://portal.example") as terminal:
    asked = await terminal.begin(name="laptop")
    print(asked.verification_uri, asked.user_code)
    token = await terminal.wait(asked)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
import msgspec

from vestibule.client.errors import Refused, Unreachable
from vestibule.protocol.encoding import parse_json
from vestibule.protocol.errors import ProtocolFault

T = TypeVar("T")

CLIENT_ID: Final = "vestibule-terminal"
_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_RESPONSE: Final = "urn:vestibule:params:oauth:grant-type:response"
_PATIENCE: Final = aiohttp.ClientTimeout(total=30)
_SLOWER_S: Final = 5
# Of what a portal says by OAuth's names alone, for people.
_SAID: Final = {
    "access_denied": (
        "It was refused on the phone or the portal.",
        "Begin again if you like.",
    ),
    "expired_token": ("Nobody let this terminal in in time.", "Begin again."),
    "invalid_grant": ("The portal knows nothing of this sign-in any more.", "Begin again."),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that somebody is to type on the portal."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Challenged:
    """A challenge, and the phone that was asked beside it.

    `number`: the phone wants the challenge typed before it can approve.
    """

    device_code: str
    challenge: str
    number: bool
    phone: str
    push: bool
    expires_in: int
    interval: int


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token. `acr` and `proof` say how its owner was recognised."""

    portal: str
    access_token: str
    expires_at: int
    acr: str
    proof: str


class Terminal:
    """Calls to one portal. Use it as an asynchronous context manager."""

    def __init__(
        self, portal: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._portal = portal.rstrip("/")
        self._sleep = sleep
        self._http: aiohttp.ClientSession | None = None

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

    async def begin(self, *, name: str) -> Asked:
        """Ask for a code. Raises `Refused` and `Unreachable`, as every call here."""
        return _read(await self._call("/oauth/device_authorization", device_name=name), Asked)

    async def challenge(self, *, username: str, password: str, name: str) -> Challenged:
        """Give username and password, for a challenge; a phone is asked at the same time."""
        fields = {"username": username, "password": password, "device_name": name}
        return _read(await self._call("/oauth/challenge", **fields), Challenged)

    async def wait(self, asked: Asked | Challenged) -> Token:
        """Wait until somebody lets this terminal in.

        Raises `Refused` with `access_denied`, `expired_token` or `invalid_grant`.
        """
        interval = float(asked.interval)
        until = time.monotonic() + asked.expires_in
        while time.monotonic() < until:
            await self._sleep(interval)
            try:
                return self._token(
                    await self._call(
                        "/oauth/token", grant_type=_DEVICE, device_code=asked.device_code
                    )
                )
            except Refused as refused:
                if refused.code == "slow_down":
                    interval += _SLOWER_S
                elif refused.code != "authorization_pending":
                    raise
            except Unreachable:
                # RFC 8628 section 3.5: a connection that fails is tried again, ever slower.
                interval = min(interval * 2, 60)
        raise _refused({"error": "expired_token"})

    async def respond(self, asked: Challenged, response: str) -> Token:
        """Send the eight digits from the phone.

        Raises `Refused` with `response_wrong` (and `left`), `response_again`, `response_invalid`,
        `challenge_spent`, ...
        """
        answer = await self._call(
            "/oauth/token",
            grant_type=_RESPONSE,
            device_code=asked.device_code,
            response=response,
        )
        return self._token(answer)

    async def revoke(self, token: str) -> None:
        """End the token's session."""
        await self._call("/oauth/revoke", token=token)

    async def whoami(self, token: str) -> dict[str, Any]:
        """Whose token it is. Raises `Refused` with `token_unknown`."""
        return await self._request("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})

    async def delivery(self, token: str) -> dict[str, Any]:
        """Where the account's statements lie. Raises `Refused` with `delivery_not_set_up`."""
        return await self._request(
            "GET", "/api/delivery", headers={"Authorization": f"Bearer {token}"}
        )

    def _token(self, answer: dict[str, Any]) -> Token:
        return Token(
            portal=self._portal,
            access_token=str(answer["access_token"]),
            expires_at=int(time.time()) + int(answer["expires_in"]),
            acr=str(answer["acr"]),
            proof=str(answer["proof"]),
        )

    async def _call(self, path: str, **fields: str) -> dict[str, Any]:
        return await self._request("POST", path, data={"client_id": CLIENT_ID, **fields})

    async def _request(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  -- as aiohttp takes it
        if self._http is None:
            raise RuntimeError("the terminal is used outside of its `async with`")
        try:
            async with self._http.request(
                method, self._portal + path, timeout=_PATIENCE, allow_redirects=False, **more
            ) as response:
                data, status = await response.read(), response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise Unreachable(f"{self._portal} does not answer ({why})") from None
        try:
            answer = parse_json(data)
        except ProtocolFault:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"{self._portal} answered {status}, and not as a portal does")
        if status != 200:
            raise _refused(answer)
        return answer


def _refused(answer: dict[str, Any]) -> Refused:
    error = str(answer.get("error", ""))
    title, advice = _SAID.get(error, (error, ""))
    return Refused(
        str(answer.get("code", error)),
        str(answer.get("error_description", answer.get("title", title))),
        str(answer.get("next", advice)),
        answer,
    )


def _read(answer: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(answer, kind, strict=True)
    except msgspec.ValidationError as wrong:
        raise Unreachable(f"the portal answered what no portal does ({wrong})") from None
