"""Settings: allowed networks, hours, language and time zone."""

from functools import cache
from ipaddress import ip_address, ip_network
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.sessions import service
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms, language
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import Visitor, visitor

_OLD_AREAS = frozenset(
    {"Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico", "posix", "right"}
)
_TRIED = 10
"""Latest sign-ins that a list of networks is tried on."""


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await service.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def _saved(path: str) -> Response:
    return RedirectResponse(f"{path}?done=saved", status_code=303)


# --- allowed networks -------------------------------------------------------------------------


async def networks(request: Request) -> Response:
    """GET /settings/networks: where the account may be used from."""
    session = await _session(request)
    return await _networks_form(request, session, "\n".join(session.networks))


async def _networks_form(
    request: Request,
    session: Session,
    typed: str,
    *,
    tried: tuple[str, ...] | None = None,
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    here = visitor(request)
    sign_ins = await service.list_sign_ins(ctx, session.account_id, most=_TRIED)
    return render(
        request,
        "sessions/networks.html",
        status=problem.code.status if problem else 200,
        session=session,
        typed=typed,
        here=here,
        tried=tried is not None,
        here_allowed=tried is not None and account_rules.within(tried, here.address),
        tried_on=len(sign_ins),
        refused=[
            one
            for one in sign_ins
            if tried is not None and not account_rules.within(tried, one.address)
        ],
        rests=account_rules.cooling(session.guarded_until, now=ctx.clock.now()),
        problem=problem,
        done=request.query_params.get("done") == "saved",
    )


async def save_networks(request: Request) -> Response:
    """POST /settings/networks: add the address of now, try the list, or save it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "networks", "act", bound=session.id)
    who = visitor(request)
    typed = sent["networks"]
    try:
        if sent["act"] == "add":
            return await _networks_form(request, session, _with_address(typed, who))
        listed = account_rules.networks_from(typed)
        if sent["act"] != "save":
            return await _networks_form(request, session, typed, tried=listed)
        if listed == session.networks:
            return _saved("/settings/networks")
        # Also to narrow the list: else whoever recovered an account would shut its owner out.
        accounts.demand_unguarded(session, ctx.clock.now())
        service.demand(ctx, session, first=True)
        await accounts.set_networks(
            ctx,
            account_id=session.account_id,
            networks=listed,
            address=who.address,
            source=who.address,
        )
    except Refused as fault:
        if fault.code.name not in ("network_invalid", "networks_lock_you_out", "cooling_down"):
            raise
        problem = problem_of(fault, request.state.reference)
        return await _networks_form(request, session, typed, problem=problem)
    return _saved("/settings/networks")


def _with_address(typed: str, who: Visitor) -> str:
    """The text with a line more: an IPv4 address, or the network of an IPv6 one.

    IPv6 addresses change within their network every day.
    """
    try:
        at = ip_address(who.address)
    except ValueError:
        return typed
    at = getattr(at, "ipv4_mapped", None) or at
    line = str(ip_network((at, 64), strict=False)) if at.version == 6 else str(at)
    lines = typed.split()
    return "\n".join(lines if line in lines or f"{line}/32" in lines else [*lines, line])


# --- hours ------------------------------------------------------------------------------------


async def hours(request: Request) -> Response:
    """GET /settings/hours: when sessions end, and when it is quiet."""
    return await _hours_form(request, await _session(request))


async def _hours_form(
    request: Request, session: Session, problem: Problem | None = None
) -> Response:
    ctx: Context = request.app.state.ctx
    account = await accounts.get_account(ctx, session.account_id)
    return render(
        request,
        "sessions/hours.html",
        status=problem.code.status if problem else 200,
        session=session,
        renew_at=account_rules.minute_written(account.renew_at),
        quiet_from=account_rules.minute_written(account.quiet_from),
        quiet_until=account_rules.minute_written(account.quiet_until),
        timezone=account.timezone or "UTC",
        session_hours=ctx.settings.session_hours,
        problem=problem,
        done=request.query_params.get("done") == "saved",
    )


async def save_hours(request: Request) -> Response:
    """POST /settings/hours: save them; the session of now ends when it would have."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "renew_at", "quiet_from", "quiet_until", bound=session.id)
    try:
        await accounts.set_hours(
            ctx,
            account_id=session.account_id,
            renew_at=account_rules.minute_from(sent["renew_at"]),
            quiet_from=account_rules.minute_from(sent["quiet_from"]),
            quiet_until=account_rules.minute_from(sent["quiet_until"]),
            source=visitor(request).address,
        )
    except Refused as fault:
        if fault.code.name != "preference_invalid":
            raise
        return await _hours_form(request, session, problem_of(fault, request.state.reference))
    return _saved("/settings/hours")


# --- language ---------------------------------------------------------------------------------


async def speech(request: Request) -> Response:
    """GET /settings/language: language and time zone of pages and messages."""
    session = await _session(request)
    return render(
        request,
        "sessions/language.html",
        session=session,
        chosen=session.language or "",
        offered=language.choices(request.app.state.ctx),
        timezone=session.timezone or "",
        zones=_zones(),
        done=request.query_params.get("done") == "saved",
    )


@cache
def _zones() -> list[str]:
    """Places by name, and UTC; the old names that stand for others are left out."""
    return ["UTC", *sorted(name for name in available_timezones() if _is_place(name))]


def _is_place(name: str) -> bool:
    area, slash, _ = name.partition("/")
    return bool(slash) and area not in _OLD_AREAS


async def save_speech(request: Request) -> Response:
    """POST /settings/language: save it; the next page speaks it."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "language", "timezone", bound=session.id)
    offered = {one.code for one in language.choices(ctx)}
    if sent["language"] and sent["language"] not in offered:
        raise Refused("preference_invalid")
    await accounts.set_language(
        ctx,
        account_id=session.account_id,
        language=sent["language"],
        timezone=sent["timezone"],
        source=visitor(request).address,
    )
    response = _saved("/settings/language")
    if sent["language"]:
        # Else pages before the next sign-in would still speak what this browser chose once.
        language.remember(response, sent["language"])
    return response


routes = [
    Route("/settings/networks", networks, methods=["GET"]),
    Route("/settings/networks", save_networks, methods=["POST"]),
    Route("/settings/hours", hours, methods=["GET"]),
    Route("/settings/hours", save_hours, methods=["POST"]),
    Route("/settings/language", speech, methods=["GET"]),
    Route("/settings/language", save_speech, methods=["POST"]),
]
