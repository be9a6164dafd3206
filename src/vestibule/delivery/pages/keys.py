"""Settings: the SSH keys that programs sign in with."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
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
from vestibule.delivery.pages.making import KEY_PAIRS
from vestibule.delivery.rules.home import KEYS_MOST, LABEL_MOST, Key
from vestibule.delivery.rules.keys import parse_public_key
from vestibule.sessions.rules import Session
from vestibule.web import forms
from vestibule.web.problems import Problem, problem_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor

_LIST = f"{HUB}/keys"
_DONE = ("added", "renamed", "removed")
# Refusals that are said above the form; any other has a page of its own.
_IN_FORM = frozenset(
    {
        "private_key_sent",
        "key_unreadable",
        "key_kind",
        "key_weak",
        "key_exists",
        "keys_full",
        "cooling_down",
    }
)


async def listing(request: Request) -> Response:
    """GET /settings/delivery/keys: every key, and whether it is in use."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    keys = await service.list_keys(ctx, session.account_id)
    done = request.query_params.get("done", "")
    return render(
        request,
        "delivery/keys.html",
        session=session,
        keys=keys,
        new=request.query_params.get("id", "") if done == "added" else "",
        full=len(keys) >= KEYS_MOST,
        resting=resting(ctx, session),
        done=done if done in _DONE else "",
    )


# --- adding -----------------------------------------------------------------------------------


async def adding(request: Request) -> Response:
    """GET /settings/delivery/keys/add: the form; with kept= what was pasted before confirming."""
    session = await session_in(request)
    held = kept_of(request, session, "key") or Kept(b"")
    return _form(request, session, typed=held.data.decode(), label=held.label, held=bool(held.data))


def _form(
    request: Request,
    session: Session,
    *,
    typed: str = "",
    label: str = "",
    held: bool = False,
    confirm: str = "",
    problem: Problem | None = None,
) -> Response:
    return render(
        request,
        "delivery/key_add.html",
        status=problem.code.status if problem else 200,
        session=session,
        typed=typed,
        label=label,
        kept=parse_public_key(typed.encode()) if held else None,
        most=LABEL_MOST,
        ways=KEY_PAIRS,
        confirm=confirm,
        resting=resting(request.app.state.ctx, session),
        problem=problem,
    )


async def add(request: Request) -> Response:
    """POST /settings/delivery/keys/add: register it, or say why not."""
    session = await session_in(request)
    sent = await forms.read(request, "key", "label", bound=session.id)
    typed, label = sent["key"], sent["label"]
    try:
        made = await service.add_key(
            request.app.state.ctx,
            session=session,
            data=typed.encode(),
            label=label,
            source=visitor(request).address,
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_LIST}/add?kept=1"):
            # The service has read it first: what is kept here is public.
            parsed = parse_public_key(typed.encode())
            line = f"{parsed.line} {parsed.comment}".strip()
            response = to(away)
            if keep(request, session, response, "key", Kept(line.encode(), label)):
                return response
            return _form(request, session, typed=line, label=label, confirm=away)
        if fault.code.name not in _IN_FORM:
            raise
        if fault.code.name == "private_key_sent":
            typed = label = ""
        problem = problem_of(fault, request.state.reference)
        return _form(request, session, typed=typed, label=label, problem=problem)
    response = to(f"{_LIST}?done=added&id={made.id}")
    forget(request, response)
    return response


# --- renaming and removing --------------------------------------------------------------------


async def _asked(request: Request, session: Session) -> tuple[Key, bool]:
    """The key that the address names, and whether there are others."""
    keys = await service.list_keys(request.app.state.ctx, session.account_id)
    asked = request.query_params.get("id", "")
    found = next((key for key in keys if key.id == asked), None)
    if found is None:
        raise Refused("key_unknown")
    return found, len(keys) > 1


async def naming(request: Request) -> Response:
    """GET /settings/delivery/keys/name?id=: the form for its name."""
    session = await session_in(request)
    key, _ = await _asked(request, session)
    return render(request, "delivery/key_name.html", session=session, key=key, most=LABEL_MOST)


async def name(request: Request) -> Response:
    """POST /settings/delivery/keys/name: call it so."""
    session = await session_in(request)
    sent = await forms.read(request, "id", "label", bound=session.id)
    try:
        await service.rename_key(
            request.app.state.ctx,
            session=session,
            key_id=sent["id"],
            label=sent["label"],
            source=visitor(request).address,
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_LIST}/name?id={sent['id'][:40]}"):
            return to(away)
        raise
    return to(f"{_LIST}?done=renamed")


async def removing(request: Request) -> Response:
    """GET /settings/delivery/keys/remove?id=: what removing it means, before it is done."""
    session = await session_in(request)
    key, others = await _asked(request, session)
    return render(
        request,
        "delivery/key_remove.html",
        session=session,
        key=key,
        others=others,
        confirmed="confirmed" in request.query_params,
    )


async def remove(request: Request) -> Response:
    """POST /settings/delivery/keys/remove: nobody signs in with it any more."""
    session = await session_in(request)
    sent = await forms.read(request, "id", bound=session.id)
    try:
        await service.remove_key(
            request.app.state.ctx,
            session=session,
            key_id=sent["id"],
            source=visitor(request).address,
        )
    except Refused as fault:
        if away := confirmation(fault, f"{_LIST}/remove?id={sent['id'][:40]}&confirmed=1"):
            return to(away)
        raise
    return to(f"{_LIST}?done=removed")


routes = [
    Route(_LIST, listing, methods=["GET"]),
    Route(f"{_LIST}/add", adding, methods=["GET"]),
    Route(f"{_LIST}/add", add, methods=["POST"]),
    Route(f"{_LIST}/name", naming, methods=["GET"]),
    Route(f"{_LIST}/name", name, methods=["POST"]),
    Route(f"{_LIST}/remove", removing, methods=["GET"]),
    Route(f"{_LIST}/remove", remove, methods=["POST"]),
]
