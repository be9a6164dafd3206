"""Who asks: the address, the browser in words, and roughly the place.

Everything here is told by the visitor and only shown to people or used as a limit's subject;
nothing is decided by it.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.requests import HTTPConnection
from ua_parser import parse

from vestibule.base.context import Context

_AGENT_MOST: Final = 400
UNKNOWN: Final = "Unknown browser"
"""Said of a browser that does not say what it is."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser at one address."""

    address: str
    source: str
    """The subject of limits: the address, or the /64 network of an IPv6 one, because a single
    household holds that many addresses."""
    browser: str
    """``Firefox on Windows``."""
    place: str
    """``Turin, Italy``, or empty."""


def visitor(request: HTTPConnection) -> Visitor:
    """The visitor behind a request."""
    ctx: Context = request.app.state.ctx
    address = _address(ctx, request)
    agent = request.headers.get("user-agent", "")[:_AGENT_MOST]
    return Visitor(
        address=address,
        source=source_of(address),
        browser=browser_words(agent),
        place=ctx.places.place(address),
    )


def _address(ctx: Context, request: HTTPConnection) -> str:
    """The nearest address that is not a trusted proxy's; what lies beyond it, anyone can write."""
    client = request.client
    address = client.host if client else ""
    if not ctx.settings.trusted_proxies or not ctx.settings.trusts_proxy(address):
        return address
    for hop in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        try:
            address = str(ipaddress.ip_address(hop.strip()))
        except ValueError:
            break
        if not ctx.settings.trusts_proxy(address):
            break
    return address


@lru_cache(maxsize=1024)
def source_of(address: str) -> str:
    """The part of an address that limits count: all of IPv4, 64 bits of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


@lru_cache(maxsize=1024)
def browser_words(agent: str) -> str:
    """``Firefox on Windows`` for a User-Agent header; the parser costs 100 µs, hence the cache."""
    if not agent:
        return UNKNOWN
    parsed = parse(agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    if browser in ("", "Other"):
        return UNKNOWN
    for addition in ("Mobile", "WebView", "UI/WKWebView"):
        browser = browser.removeprefix(f"{addition} ").removesuffix(f" {addition}")
    system = {"Mac OS X": "macOS", "Other": ""}.get(system, system)
    return f"{browser} on {system}" if system else browser
