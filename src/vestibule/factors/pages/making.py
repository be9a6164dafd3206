"""Making second factors: an app, a passkey, recovery codes, a code card."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.errors import Fault
from vestibule.base.i18n import t
from vestibule.factors import service
from vestibule.factors.pages.listing import LIST, session_in, to
from vestibule.factors.rules import LABEL_MAX, Kind
from vestibule.sessions.rules import Session
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.qr import qr_svg
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

# Refusals that are said beside the field; any other has a page of its own.
_IN_FORM = frozenset({"factor_wrong", "factor_code_used", "factor_name_invalid"})
_ONCE_MORE = frozenset({"passkey_late", "passkey_refused", "factor_exists", "factor_name_invalid"})


def _kind_name(request: Request, session: Session, kind: Kind) -> str:
    """What a factor is called until its owner says otherwise."""
    return t(f"factors.kind.{kind.value}", language_of(request, session.language))


def _status(problem: Problem | None) -> int:
    return problem.code.status if problem else 200


# --- authenticator apps -----------------------------------------------------------------------


async def totp(request: Request) -> Response:
    """GET /settings/factors/totp: the name of a new app; with id= its secret and a first code."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    factor_id = request.query_params.get("id")
    if factor_id:
        return await _totp_secret(request, session, factor_id)
    await service.demand_adding(ctx, session)
    return _totp_name(request, session, _kind_name(request, session, Kind.TOTP))


def _totp_name(
    request: Request, session: Session, typed: str, problem: Problem | None = None
) -> Response:
    return render(
        request,
        "factors/totp_name.html",
        status=_status(problem),
        session=session,
        typed=typed,
        most=LABEL_MAX,
        problem=problem,
    )


async def add_totp(request: Request) -> Response:
    """POST /settings/factors/totp: make a secret, and go on to it."""
    session = await session_in(request)
    sent = await forms.read(request, "label", bound=session.id)
    try:
        made = await service.add_totp(
            request.app.state.ctx,
            session=session,
            label=sent["label"],
            source=visitor(request).address,
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return _totp_name(request, session, sent["label"], problem)
    return to(f"{LIST}/totp?id={made.id}")


async def _totp_secret(
    request: Request, session: Session, factor_id: str, problem: Problem | None = None
) -> Response:
    shown = await service.show_totp(request.app.state.ctx, session, factor_id)
    return render(
        request,
        "factors/totp.html",
        status=_status(problem),
        session=session,
        shown=shown,
        qr=await qr_svg(shown.link),
        problem=problem,
    )


async def confirm_totp(request: Request) -> Response:
    """POST /settings/factors/totp/confirm: a first code."""
    session = await session_in(request)
    sent = await forms.read(request, "id", "code", bound=session.id)
    try:
        await service.confirm_totp(
            request.app.state.ctx,
            session=session,
            id=sent["id"],
            code=sent["code"],
            visitor=visitor(request),
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _totp_secret(request, session, sent["id"], problem)
    return to(f"{LIST}?done=totp")


# --- passkeys ---------------------------------------------------------------------------------


async def passkey(request: Request) -> Response:
    """GET /settings/factors/passkey: its name, and the button at which the browser asks."""
    session = await session_in(request)
    return await _passkey_form(request, session, _kind_name(request, session, Kind.PASSKEY))


async def _passkey_form(
    request: Request, session: Session, typed: str, problem: Problem | None = None
) -> Response:
    made = await service.registration_options(request.app.state.ctx, session)
    return render(
        request,
        "factors/passkey.html",
        status=_status(problem),
        session=session,
        typed=typed,
        most=LABEL_MAX,
        made=made,
        problem=problem,
    )


async def add_passkey(request: Request) -> Response:
    """POST /settings/factors/passkey: keep what the browser made."""
    session = await session_in(request)
    sent = await forms.read(request, "label", "token", "credential", bound=session.id)
    try:
        await service.register_passkey(
            request.app.state.ctx,
            session=session,
            label=sent["label"],
            token=sent["token"],
            credential=sent["credential"],
            visitor=visitor(request),
        )
    except Fault as fault:
        if fault.code.name not in _ONCE_MORE:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _passkey_form(request, session, sent["label"], problem)
    return to(f"{LIST}?done=passkey")


# --- recovery codes ---------------------------------------------------------------------------


async def codes(request: Request) -> Response:
    """GET /settings/factors/codes: what they are for, how many are left, and the button."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    await service.demand_adding(ctx, session)
    listed = await service.list_factors(ctx, session.account_id)
    held = next((one for one in listed if one.kind is Kind.RECOVERY_CODES), None)
    return render(request, "factors/codes.html", session=session, held=held)


async def make_codes(request: Request) -> Response:
    """POST /settings/factors/codes: make them and show them, this once."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    await forms.read(request, bound=session.id)
    made = await service.make_codes(
        ctx,
        session=session,
        label=_kind_name(request, session, Kind.RECOVERY_CODES),
        visitor=visitor(request),
    )
    return render(
        request, "factors/codes_shown.html", session=session, codes=made, made_at=ctx.clock.now()
    )


# --- the code card ----------------------------------------------------------------------------


async def card(request: Request) -> Response:
    """GET /settings/factors/card: what it is; with id= the card to print and its activation."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    factor_id = request.query_params.get("id")
    if factor_id:
        return await _card_shown(request, session, factor_id)
    await service.demand_adding(ctx, session)
    listed = await service.list_factors(ctx, session.account_id)
    return render(
        request,
        "factors/card_about.html",
        session=session,
        held=any(one.kind is Kind.CODE_CARD and one.confirmed_at for one in listed),
        days=ctx.settings.code_card_days,
    )


async def make_card(request: Request) -> Response:
    """POST /settings/factors/card: make one, and go on to it."""
    session = await session_in(request)
    await forms.read(request, bound=session.id)
    made = await service.make_card(
        request.app.state.ctx,
        session=session,
        label=_kind_name(request, session, Kind.CODE_CARD),
        source=visitor(request).address,
    )
    return to(f"{LIST}/card?id={made.id}")


async def _card_shown(
    request: Request, session: Session, factor_id: str, problem: Problem | None = None
) -> Response:
    ctx: Context = request.app.state.ctx
    shown = await service.show_card(ctx, session, factor_id)
    return render(
        request,
        "factors/card.html",
        status=_status(problem),
        session=session,
        shown=shown,
        days=ctx.settings.code_card_days,
        until=ctx.clock.now() + ctx.settings.code_card_days * DAY,
        problem=problem,
    )


async def activate_card(request: Request) -> Response:
    """POST /settings/factors/card/activate: two cells from the paper."""
    session = await session_in(request)
    sent = await forms.read(request, "id", "answer", bound=session.id)
    try:
        await service.activate_card(
            request.app.state.ctx,
            session=session,
            id=sent["id"],
            answer=sent["answer"],
            visitor=visitor(request),
        )
    except Fault as fault:
        if fault.code.name not in _IN_FORM:
            raise
        problem = problem_of(fault, request.state.reference)
        return await _card_shown(request, session, sent["id"], problem)
    return to(f"{LIST}?done=card")


routes = [
    Route("/settings/factors/totp", totp, methods=["GET"]),
    Route("/settings/factors/totp", add_totp, methods=["POST"]),
    Route("/settings/factors/totp/confirm", confirm_totp, methods=["POST"]),
    Route("/settings/factors/passkey", passkey, methods=["GET"]),
    Route("/settings/factors/passkey", add_passkey, methods=["POST"]),
    Route("/settings/factors/codes", codes, methods=["GET"]),
    Route("/settings/factors/codes", make_codes, methods=["POST"]),
    Route("/settings/factors/card", card, methods=["GET"]),
    Route("/settings/factors/card", make_card, methods=["POST"]),
    Route("/settings/factors/card/activate", activate_card, methods=["POST"]),
]
