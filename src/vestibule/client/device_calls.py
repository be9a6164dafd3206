"""The device calls over HTTP (specification, sections 6 to 8 and 11), with the server's clock."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import aiohttp

from vestibule.client.errors import Refused, Unreachable
from vestibule.protocol.encoding import parse_json, render_json
from vestibule.protocol.errors import ProtocolFault

Signer = Callable[[str, str, bytes], str]
"""Makes a proof for method, path and body, dated now."""

_PATIENCE = aiohttp.ClientTimeout(total=30)
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)


class DeviceCalls:
    """Calls to one server, at the phone app's address.

    Remembers how far the machine's clock is off the server's, and corrects it from every answer.
    """

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._address = address
        self._offset_s = 0.0

    def now(self) -> float:
        """The server's time in seconds, as far as we know."""
        return time.time() + self._offset_s

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        proof: Signer | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make a call and return its answer.

        A call refused for its date is made once more, with the server's; so a `body` that is
        dated itself is given as a function. Raises `Refused` and `Unreachable`.
        """
        try:
            return await self._once(method, path, body, proof, headers or {})
        except Refused as refused:
            if refused.code != "clock_wrong":
                raise
        return await self._once(method, path, body, proof, headers or {})

    async def _once(
        self,
        method: str,
        path: str,
        body: object,
        proof: Signer | None,
        extra: dict[str, str],
    ) -> dict[str, Any]:
        body = body() if callable(body) else body
        data = b"" if body is None else render_json(body)
        headers = {**extra, "Content-Type": "application/json"} if data else dict(extra)
        if proof is not None:
            headers["Authorization"] = f"Vestibule {proof(method, path, data)}"
        try:
            async with self._http.request(
                method, self._address + path, data=data, headers=headers, timeout=_PATIENCE
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._address} does not answer ({_reason(error)})") from None
        return self._read(response.status, answer)

    def _read(self, status: int, data: bytes) -> dict[str, Any]:
        try:
            answer = parse_json(data)
        except ProtocolFault:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"{self._address} answered {status}, and not as a portal does")
        if isinstance(now := answer.get("now"), int):
            self._offset_s = now / 1000 - time.time()
        if status == 200:
            return answer
        raise Refused(
            str(answer.get("code", status)),
            str(answer.get("title", "")),
            str(answer.get("next", "")),
            answer,
        )

    async def stream(self, path: str, *, proof: Signer) -> AsyncIterator[tuple[str, Any]]:
        """Listen to server-sent events until the server ends the stream.

        Yields name and data; ("open", {}) comes first, because whatever changed while there was no
        stream was missed. Raises `Refused` and `Unreachable`.
        """
        headers = {"Authorization": f"Vestibule {proof('GET', path, b'')}"}
        try:
            async with self._http.get(
                self._address + path, headers=headers, timeout=_STREAM
            ) as response:
                if response.status != 200:
                    self._read(response.status, await response.read())
                yield "open", {}
                async for event in read_events(response.content):
                    yield event
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._address} does not answer ({_reason(error)})") from None


async def read_events(lines: AsyncIterable[bytes]) -> AsyncIterator[tuple[str, Any]]:
    """Read an event stream (HTML standard, section 9.2) whose data is JSON: (name, data)."""
    name, data = "message", b""
    async for raw in lines:
        line = raw.rstrip(b"\r\n")
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode("utf-8")
        elif field == b"data":
            data += value.strip()
        elif not line and data:
            yield name, parse_json(data)
            name, data = "message", b""


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
