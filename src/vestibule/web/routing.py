"""From an address to its endpoint: by one look-up where the address is fixed.

A router tries one pattern after the other, and wraps every endpoint twice; on pages that cost
100 µs that is worth sparing. What is not found here goes to the router, for its patterns and its
refusals.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import isfunction
from typing import Any

from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

_Endpoint = Callable[..., Awaitable[Any]]


class Doors:
    """The routes of one origin; the first of those with the same address counts."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._router = Router(routes, redirect_slashes=False)
        # A plain function makes a response of a request; anything else is an ASGI application.
        self._fixed: dict[tuple[str, str], tuple[_Endpoint, bool]] = {}
        for route in routes:
            if "{" not in route.path:
                for method in route.methods or ():
                    entry = (route.endpoint, isfunction(route.endpoint))
                    self._fixed.setdefault((method, route.path), entry)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        endpoint, plain = self._fixed.get((scope["method"], scope["path"]), (self._router, False))
        # Not awaited here: one frame less for each of thousands that wait.
        return _respond(endpoint, scope, receive, send) if plain else endpoint(scope, receive, send)


def own_path(asked: str) -> str:
    """A path of ours to go on to; anything else leads to the start page."""
    foreign = not asked.startswith("/") or asked.startswith(("//", "/\\")) or len(asked) > 300
    return "/" if foreign or not asked.isprintable() else asked


async def _respond(endpoint: _Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    response = await endpoint(Request(scope, receive))
    await response(scope, receive, send)
