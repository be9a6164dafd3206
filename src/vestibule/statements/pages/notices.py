"""Settings: how an account is told of new statements."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Malformed, Refused
from vestibule.base.i18n import t
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind as Reached
from vestibule.delivery import service as delivery
from vestibule.delivery.rules import Choice, Home, Mailed, Notices
from vestibule.sessions.rules import Session
from vestibule.statements.pages.listing import session_of
from vestibule.statements.rules import Kind
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_PAGE: Final = "/settings/delivery/notices"
# As the form names them. The list has them all but the last.
_WAYS: Final = ("attachment", "notice", "list", "off")


async def notices(request: Request) -> Response:
    """GET /settings/delivery/notices: the choice for each kind."""
    session = await session_of(request)
    home = await delivery.home_of(request.app.state.ctx, session.account_id)
    return await _form(request, session, home)


async def _form(
    request: Request, session: Session, home: Home | None, problem: Problem | None = None
) -> Response:
    ctx: Context = request.app.state.ctx
    chosen = home.notices if home else Notices()
    certificate = home is not None and home.certificate is not None
    spoken = language_of(request, session.language)
    reached = await contacts.list_contacts(ctx, session.account_id)
    return render(
        request,
        "statements/notices.html",
        status=problem.code.status if problem else 200,
        session=session,
        problem=problem,
        kinds=[
            (kind, _way(chosen.of(kind), certificate=certificate), chosen.of(kind).push)
            for kind in Kind
        ],
        options=[
            (way, t(f"statements.notices.{way}", spoken))
            for way in _offered(certificate=certificate)
        ],
        certificate=certificate,
        reachable=any(one.kind is Reached.MAIL and one.verified_at is not None for one in reached),
        most=ctx.settings.attachment_most_mib << 20,
        done=request.query_params.get("done") == "saved",
    )


def _offered(*, certificate: bool) -> tuple[str, ...]:
    """Files travel by mail encrypted or not at all."""
    return _WAYS if certificate else _WAYS[1:]


def _way(choice: Choice, *, certificate: bool) -> str:
    if choice.mail is Mailed.ATTACHMENT:
        # What it has come to since the certificate was removed.
        return "attachment" if certificate else "notice"
    if choice.mail is Mailed.NOTICE:
        return "notice"
    return "off" if choice.silent else "list"


def _chosen(kind: Kind, choice: Choice, *, certificate: bool) -> tuple[Kind, str, bool]:
    return kind, _way(choice, certificate=certificate), choice.push


def _choice(way: str, *, push: bool) -> Choice:
    if way == "off":
        return Choice(mail=Mailed.OFF, push=False, listed=False)
    return Choice(mail=Mailed.OFF if way == "list" else Mailed(way), push=push, listed=True)


async def save(request: Request) -> Response:
    """POST /settings/delivery/notices: it holds for whatever comes from now on."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    names = [name for kind in Kind for name in (kind.value, f"{kind.value}_push")]
    sent = await forms.read(request, *names, bound=session.id)
    home = await delivery.home_of(ctx, session.account_id)
    offered = _offered(certificate=home is not None and home.certificate is not None)
    for kind in Kind:
        if sent[kind] not in offered:
            raise Malformed("bad_field", field=kind.value)
    chosen = Notices(
        **{kind.value: _choice(sent[kind], push=sent[f"{kind}_push"] == "on") for kind in Kind}
    )
    try:
        await delivery.set_notices(ctx, session, notices=chosen, source=visitor(request).address)
    except Refused as fault:
        if fault.code.name != "cooling_down":
            raise
        return await _form(request, session, home, problem_of(fault, request.state.reference))
    return RedirectResponse(f"{_PAGE}?done=saved", status_code=303)


routes = [
    Route(_PAGE, notices, methods=["GET"]),
    Route(_PAGE, save, methods=["POST"]),
]
