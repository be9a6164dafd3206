"""Settings: the addresses and numbers at which the account's owner is reached."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.accounts.rules import cooling
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.base.i18n import country_names, country_of
from vestibule.contacts import rules, service
from vestibule.contacts.rules import By, Contact, Kind, State
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies, forms
from vestibule.web.language import language_of
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import Visitor, visitor

_LIST = "/settings/contacts"
_DONE = ("verified", "preferred", "removed", "removed_new")


async def _session(request: Request) -> Session:
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


async def _asked(request: Request, session: Session, contact_id: str) -> Contact:
    return await service.get_contact(
        request.app.state.ctx, account_id=session.account_id, contact_id=contact_id
    )


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


# --- the list ---------------------------------------------------------------------------------


async def listing(request: Request) -> Response:
    """GET /settings/contacts: every address and number, and whether it is verified."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    contacts = await service.list_contacts(ctx, session.account_id)
    now = ctx.clock.now()
    trust_ms = ctx.settings.number_trust_hours * HOUR
    done = request.query_params.get("done", "")
    return render(
        request,
        "contacts/contacts.html",
        session=session,
        contacts=contacts,
        numbers=[one for one in contacts if one.kind is Kind.NUMBER],
        mails=[one for one in contacts if one.kind is Kind.MAIL],
        # Numbers that cannot recover the account yet, each with the moment from which they can.
        trusted_from={
            one.id: one.verified_at + trust_ms
            for one in contacts
            if one.kind is Kind.NUMBER
            and one.verified_at is not None
            and not rules.may_recover(one, now=now, trust_ms=trust_ms)
        },
        several={
            kind
            for kind in Kind
            if sum(one.kind is kind and one.state is State.VERIFIED for one in contacts) > 1
        },
        resting=session.guarded_until if cooling(session.guarded_until, now=now) else None,
        old_days=ctx.settings.old_address_days,
        done=done if done in _DONE else "",
    )


async def prefer(request: Request) -> Response:
    """POST /settings/contacts/prefer: use this one first."""
    session = await _session(request)
    sent = await forms.read(request, "id", bound=session.id)
    await service.prefer(
        request.app.state.ctx,
        session=session,
        contact_id=sent["id"],
        source=visitor(request).address,
    )
    return _to(f"{_LIST}?done=preferred")


# --- adding -----------------------------------------------------------------------------------


async def adding(request: Request) -> Response:
    """GET /settings/contacts/add?kind=: the form for an address or a number."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    # Asked for before anything is typed, so that nothing is typed in vain.
    service.demand_may_change(ctx, session)
    kind = Kind.MAIL if request.query_params.get("kind") == Kind.MAIL.value else Kind.NUMBER
    return _add_form(request, session, kind)


def _add_form(
    request: Request,
    session: Session,
    kind: Kind,
    *,
    typed: str = "",
    country: str = "",
    problem: Problem | None = None,
) -> Response:
    ctx: Context = request.app.state.ctx
    spoken = language_of(request, session.language)
    header = request.headers.get("accept-language", "")
    return render(
        request,
        "contacts/add.html",
        status=problem.code.status if problem else 200,
        session=session,
        kind=kind,
        typed=typed,
        countries=_countries(spoken) if kind is Kind.NUMBER else [],
        country=country or ctx.settings.home_country or country_of(header, spoken),
        ways=ctx.text.ways,
        problem=problem,
    )


def _countries(spoken: str) -> list[tuple[str, str]]:
    names = country_names(spoken)
    listed = [
        (country, f"{names.get(country, country)} (+{code})")
        for country, code in rules.countries().items()
    ]
    return sorted(listed, key=lambda pair: pair[1].casefold())


async def add(request: Request) -> Response:
    """POST /settings/contacts/add: put it on the list and send its code."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    sent = await forms.read(request, "kind", "address", "country", bound=session.id)
    kind = Kind.MAIL if sent["kind"] == Kind.MAIL.value else Kind.NUMBER
    who = visitor(request)
    try:
        contact = await service.add(
            ctx,
            session=session,
            kind=kind,
            typed=sent["address"],
            country=sent["country"][:2],
            source=who.address,
        )
    except Refused as fault:
        if fault.code.name not in ("contact_invalid", "contact_exists", "contacts_full"):
            raise
        problem = problem_of(fault, request.state.reference)
        return _add_form(
            request,
            session,
            kind,
            typed=sent["address"],
            country=sent["country"][:2],
            problem=problem,
        )
    return await _send(request, session, contact, _first_way(contact), who)


def _first_way(contact: Contact) -> By:
    if contact.kind is Kind.MAIL:
        return "mail"
    return "voice" if rules.can_be_called_only(contact.address) else "sms"


# --- verifying --------------------------------------------------------------------------------


async def verifying(request: Request) -> Response:
    """GET /settings/contacts/verify?id=: the form for the code."""
    session = await _session(request)
    contact = await _asked(request, session, request.query_params.get("id", ""))
    if contact.state is State.VERIFIED:
        return _to(_LIST)
    return await _code_form(request, session, contact)


async def _code_form(
    request: Request, session: Session, contact: Contact, problem: Problem | None = None
) -> Response:
    ctx: Context = request.app.state.ctx
    code = await service.code_under_way(ctx, contact.id)
    resend_at = code.resend_at if code else 0
    view: dict[str, Any] = {
        "contact": contact,
        "code": code,
        "resend_at": resend_at,
        "seconds": max(0, -(-(resend_at - ctx.clock.now()) // 1000)),
        "ways": ("mail",) if contact.kind is Kind.MAIL else sorted(ctx.text.ways),
        "problem": problem,
    }
    return render(
        request,
        "contacts/verify.html",
        status=problem.code.status if problem else 200,
        session=session,
        **view,
    )


async def verify(request: Request) -> Response:
    """POST /settings/contacts/verify: the code is right, or the form says why it is not."""
    session = await _session(request)
    sent = await forms.read(request, "id", "code", bound=session.id)
    try:
        await service.verify(
            request.app.state.ctx,
            session=session,
            contact_id=sent["id"],
            code=sent["code"],
            source=visitor(request).address,
        )
    except Refused as fault:
        if not fault.code.name.startswith("sms_code"):
            raise
        contact = await _asked(request, session, sent["id"])
        return await _code_form(
            request, session, contact, problem_of(fault, request.state.reference)
        )
    return _to(f"{_LIST}?done=verified")


async def send(request: Request) -> Response:
    """POST /settings/contacts/send: another code, or a call in its place."""
    session = await _session(request)
    sent = await forms.read(request, "id", "by", bound=session.id)
    contact = await _asked(request, session, sent["id"])
    if contact.state is State.VERIFIED:
        return _to(_LIST)
    by: By = "mail" if contact.kind is Kind.MAIL else "sms"
    if contact.kind is Kind.NUMBER and sent["by"] == "voice":
        by = "voice"
    return await _send(request, session, contact, by, visitor(request))


async def _send(
    request: Request, session: Session, contact: Contact, by: By, who: Visitor
) -> Response:
    try:
        await service.send_code(
            request.app.state.ctx,
            contact=contact,
            subject=contact.id,
            purpose="verify",
            by=by,
            language=language_of(request, session.language),
            source=who.source,
            wait=True,
        )
    except Fault as fault:
        problem = problem_of(fault, request.state.reference)
        return await _code_form(request, session, contact, problem)
    return _to(f"{_LIST}/verify?id={contact.id}")


# --- removing ---------------------------------------------------------------------------------


async def leaving(request: Request) -> Response:
    """GET /settings/contacts/remove?id=: what removing it means, before it is done."""
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    contact = await _asked(request, session, request.query_params.get("id", ""))
    if contact.state is State.VERIFIED:
        service.demand_may_change(ctx, session)
    others = [
        one
        for one in await service.list_contacts(ctx, session.account_id)
        if one.id != contact.id and one.state is State.VERIFIED
    ]
    return render(
        request,
        "contacts/remove.html",
        session=session,
        contact=contact,
        last_of_kind=not any(one.kind is contact.kind for one in others),
        old_days=ctx.settings.old_address_days,
    )


async def remove(request: Request) -> Response:
    """POST /settings/contacts/remove: take it off the list."""
    session = await _session(request)
    sent = await forms.read(request, "id", bound=session.id)
    contact = await service.remove(
        request.app.state.ctx,
        session=session,
        contact_id=sent["id"],
        source=visitor(request).address,
    )
    return _to(f"{_LIST}?done={'removed' if contact.verified_at else 'removed_new'}")


routes = [
    Route(_LIST, listing, methods=["GET"]),
    Route(f"{_LIST}/prefer", prefer, methods=["POST"]),
    Route(f"{_LIST}/add", adding, methods=["GET"]),
    Route(f"{_LIST}/add", add, methods=["POST"]),
    Route(f"{_LIST}/verify", verifying, methods=["GET"]),
    Route(f"{_LIST}/verify", verify, methods=["POST"]),
    Route(f"{_LIST}/send", send, methods=["POST"]),
    Route(f"{_LIST}/remove", leaving, methods=["GET"]),
    Route(f"{_LIST}/remove", remove, methods=["POST"]),
]
