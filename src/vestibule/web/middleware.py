"""The porch of one origin: what every answer carries, and what becomes of every failure.

One plain ASGI class instead of a stack of middleware: it runs on every request.
"""

import random
from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.base.context import Context
from vestibule.web.problems import Problem, problem_of

Answer = Callable[[Request, Problem], Response]
"""How an origin words its problems: a page, or problem+json."""

_COMMON: Final = {
    "x-content-type-options": "nosniff",
    # Not no-referrer: under that, browsers send "Origin: null" with a form.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_NO_STORE: Final = (b"cache-control", b"no-store")

PORTAL_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
# For the pages on which a browser capture is made safe, in a worker: that worker's address may be
# made by one policy of trusted types, and by nothing else (static/captures-page.js).
CAPTURE_POLICY: Final = (
    PORTAL_POLICY.replace("trusted-types 'none'", "trusted-types vestibule-captures")
    + "; worker-src 'self'"
)
PORTAL_FEATURES: Final = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class Porch:
    """Wraps the routes of one origin.

    Sets ``scope["app"]`` to itself, so that routes find ``request.app.state.ctx``; gives every
    request a reference; adds the security headers; turns exceptions into answers.
    """

    def __init__(
        self, routes: ASGIApp, *, ctx: Context, headers: dict[str, str], answer: Answer
    ) -> None:
        self.state = State({"ctx": ctx})
        self._routes = routes
        self._answer = answer
        self._headers = _encoded((_COMMON | headers).items())
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; never raises for what the request did."""
        reference = new_reference()
        scope["app"] = self
        scope.setdefault("state", {})["reference"] = reference
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(message, reference)
            await send(message)

        try:
            await self._routes(scope, receive, dressed)
        except Exception as error:
            problem = problem_of(error, reference)
            if started:
                # Too late for words: the connection is cut, and the log has the reason.
                raise
            response = self._answer(Request(scope, receive), problem)
            await response(scope, receive, dressed)

    def _dress(self, message: Message, reference: str) -> None:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        present = {name for name, _ in headers}
        # A route's own header wins: the phone's workers have a policy of their own.
        if present.isdisjoint(self._names):
            headers += self._headers
        else:
            headers += [header for header in self._headers if header[0] not in present]
        if b"cache-control" not in present:
            headers.append(_NO_STORE)
        headers.append((b"x-request-id", reference.encode("ascii")))
        message["headers"] = headers


def new_reference() -> str:
    """Eight characters that a person can read out and that find the request in the log."""
    return f"{random.getrandbits(32):08X}"


def transport_security(origin: str) -> dict[str, str]:
    """The header that keeps a browser on TLS, where the origin has it."""
    if not origin.startswith("https://"):
        return {}
    return {"strict-transport-security": "max-age=63072000; includeSubDomains"}


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
