"""Settings: the OpenPGP certificate that statements are encrypted to."""

from base64 import b64encode
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import (
    HUB,
    Kept,
    confirmation,
    forget,
    keep,
    kept_of,
    resting,
    session_in,
    to,
)
from vestibule.delivery.pages.making import CERTIFICATES, READING
from vestibule.delivery.rules.certificates import parse_certificate
from vestibule.delivery.rules.home import Certificate
from vestibule.sessions.rules import Session
from vestibule.web import forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_PAGE: Final = f"{HUB}/certificate"
_DONE: Final = ("set", "removed")
_SOON_MS: Final = 30 * DAY
# In a form each of base64's own signs takes three bytes; the certificate itself has its limit.
_FORM_MOST: Final = 512 * 1024
State = Literal["off", "on", "soon", "over"]


def state_of(certificate: Certificate | None, *, now: int) -> State:
    """Whether there is one, and whether it is still good for a while."""
    if certificate is None:
        return "off"
    if certificate.expires_at is None or certificate.expires_at > now + _SOON_MS:
        return "on"
    return "soon" if certificate.expires_at > now else "over"


async def showing(request: Request) -> Response:
    """GET /settings/delivery/certificate: the one in use, and what it means."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    home = await service.home_of(ctx, session.account_id)
    certificate = home.certificate if home else None
    done = request.query_params.get("done", "")
    return render(
        request,
        "delivery/certificate.html",
        session=session,
        it=certificate,
        state=state_of(certificate, now=ctx.clock.now()),
        reading=READING,
        resting=resting(ctx, session),
        done=done if done in _DONE else "",
    )


# --- adding and replacing ---------------------------------------------------------------------


async def adding(request: Request) -> Response:
    """GET /settings/delivery/certificate/add: the form; with kept= what was pasted before."""
    session = await session_in(request)
    held = kept_of(request, session, "certificate")
    return _form(request, session, typed=_armored(held.data) if held else "", held=bool(held))


def _form(
    request: Request,
    session: Session,
    *,
    typed: str = "",
    held: bool = False,
    confirm: str = "",
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    try:
        parsed = parse_certificate(typed.encode(), now=ctx.clock.now()) if held else None
    except Fault:  # it has ended meanwhile
        parsed = None
    return render(
        request,
        "delivery/certificate_add.html",
        status=problem.code.status if problem else 200,
        session=session,
        typed=typed,
        kept=parsed,
        ways=CERTIFICATES,
        confirm=confirm,
        resting=resting(ctx, session),
        problem=problem,
    )


async def add(request: Request) -> Response:
    """POST /settings/delivery/certificate/add: encrypt to this one from now on."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    sent = await forms.read(request, "certificate", bound=session.id, most=_FORM_MOST)
    typed = sent["certificate"]
    try:
        await service.set_certificate(
            ctx, session=session, data=typed.encode(), source=visitor(request).address
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_PAGE}/add?kept=1"):
            # The service has read it first: what is kept here is public.
            public = parse_certificate(typed.encode(), now=ctx.clock.now()).data
            response = to(away)
            if keep(request, session, response, "certificate", Kept(public)):
                return response
            return _form(request, session, typed=_armored(public), confirm=away)
        if not fault.code.name.startswith("certificate_") and fault.code.name != "cooling_down":
            raise
        shown = "" if fault.code.name == "certificate_private" else typed
        problem = problem_of(fault, request.state.reference)
        return _form(request, session, typed=shown, problem=problem)
    response = to(f"{_PAGE}?done=set")
    forget(request, response)
    return response


def _armored(data: bytes) -> str:
    """As text (RFC 9580 section 6); the checksum may be left out."""
    text = b64encode(data).decode("ascii")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{lines}\n-----END PGP PUBLIC KEY BLOCK-----\n"


# --- removing ---------------------------------------------------------------------------------


async def removing(request: Request) -> Response:
    """GET /settings/delivery/certificate/remove: what it means, before it is done."""
    session = await session_in(request)
    return render(
        request,
        "delivery/certificate_remove.html",
        session=session,
        confirmed="confirmed" in request.query_params,
    )


async def remove(request: Request) -> Response:
    """POST /settings/delivery/certificate/remove: encrypt no more."""
    session = await session_in(request)
    await forms.read(request, bound=session.id)
    try:
        await service.remove_certificate(
            request.app.state.ctx, session=session, source=visitor(request).address
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_PAGE}/remove?confirmed=1"):
            return to(away)
        raise
    return to(f"{_PAGE}?done=removed")


routes = [
    Route(_PAGE, showing, methods=["GET"]),
    Route(f"{_PAGE}/add", adding, methods=["GET"]),
    Route(f"{_PAGE}/add", add, methods=["POST"]),
    Route(f"{_PAGE}/remove", removing, methods=["GET"]),
    Route(f"{_PAGE}/remove", remove, methods=["POST"]),
]
