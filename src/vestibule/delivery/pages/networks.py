"""Settings: the addresses and networks that programs may connect from."""

from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import HUB, confirmation, resting, session_in, to
from vestibule.delivery.rules.networks import allowed, delivery_networks, network_of
from vestibule.sessions.rules import Session
from vestibule.web import forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_LIST = f"{HUB}/networks"
_IN_FORM = frozenset({"network_invalid", "network_too_wide", "cooling_down"})
# What no server on the Internet ever sees (RFC 1918, 6598, 3927, 4193, 4291, loopback).
_INSIDE = tuple(
    ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
_COUNTED = 65_536
"""Networks with more addresses than this are just called large."""


@dataclass(frozen=True, slots=True)
class _Listed:
    network: str
    shown: str
    """Without the prefix, where it is one address."""
    count: int | None
    """How many addresses; None: very many."""
    here: bool
    private: bool


def _listed(network: str, address: str) -> _Listed:
    parsed = ip_network(network)
    here = allowed((network,), address)
    single = parsed.num_addresses == 1
    return _Listed(
        network=network,
        shown=str(parsed.network_address) if single else network,
        count=parsed.num_addresses if parsed.num_addresses <= _COUNTED else None,
        here=here,
        # Whoever is in it now, and is seen there, stands inside with the server.
        private=not here and any(parsed.overlaps(one) for one in _INSIDE),
    )


def _named(typed: str) -> str:
    """A network of an address bar, as it is kept; empty for what is none."""
    try:
        return next(iter(delivery_networks(typed[:60])), "")
    except Refused:
        return ""


def _here(address: str) -> str:
    try:
        return network_of(address)
    except Refused:
        return ""


async def listing(request: Request) -> Response:
    """GET /settings/delivery/networks: what is allowed, and the address of now."""
    return await _page(request, await session_in(request))


async def _page(
    request: Request, session: Session, *, typed: str = "", problem: Problem | None = None
) -> Response:
    ctx: Context = request.app.state.ctx
    home = await service.home_of(ctx, session.account_id)
    networks = home.networks if home else ()
    address = visitor(request).address
    here = _here(address)
    asked = request.query_params
    added, removed = _named(asked.get("added", "")), _named(asked.get("removed", ""))
    return render(
        request,
        "delivery/networks.html",
        status=problem.code.status if problem else 200,
        session=session,
        networks=[_listed(network, address) for network in networks],
        address=address,
        here=here,
        here_listed=not here or allowed(networks, address),
        typed=typed or _named(asked.get("network", "")),
        # What the address bar says is believed only as far as it is so.
        added=added if added in networks else "",
        removed=removed if removed and removed not in networks else "",
        confirmed="confirmed" in asked,
        resting=resting(ctx, session),
        problem=problem,
    )


async def add(request: Request) -> Response:
    """POST /settings/delivery/networks/add: allow one more, at once."""
    session = await session_in(request)
    sent = await forms.read(request, "network", bound=session.id)
    try:
        await service.add_network(
            request.app.state.ctx,
            session=session,
            network=sent["network"],
            source=visitor(request).address,
        )
    except Refused as fault:
        query = urlencode({"confirmed": 1, "network": sent["network"][:60]})
        if away := confirmation(fault, f"{_LIST}?{query}"):
            return to(away)
        if fault.code.name not in _IN_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _page(request, session, typed=sent["network"][:60], problem=problem)
    return to(f"{_LIST}?{urlencode({'added': sent['network'][:60]})}")


async def remove(request: Request) -> Response:
    """POST /settings/delivery/networks/remove: nobody connects from there any more."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    sent = await forms.read(request, "network", bound=session.id)
    try:
        await service.remove_network(
            ctx, session=session, network=sent["network"], source=visitor(request).address
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_LIST}?confirmed=1"):
            return to(away)
        raise
    return to(f"{_LIST}?{urlencode({'removed': sent['network'][:60]})}")


routes = [
    Route(_LIST, listing, methods=["GET"]),
    Route(f"{_LIST}/add", add, methods=["POST"]),
    Route(f"{_LIST}/remove", remove, methods=["POST"]),
]
