"""The browser's hold on its attempt, in a sealed cookie.

The attempt's id, the secret that proves whose it is, and what the waiting page shows: so that page
is drawn without a question to the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.login.rules import Kind
from vestibule.login.service import Mine, View
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies
from vestibule.web.visitor import visitor


@dataclass(frozen=True, slots=True)
class Held:
    """The attempt that a browser holds, as it was when its cookie was made."""

    mine: Mine
    view: View
    then: str = "/"
    """Where it leads in the end: a path of ours."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the sealed cookie carries."""

    secret: str
    view: View
    then: str


def held_by(request: Request) -> Held:
    """The attempt that this browser holds. Raises Refused `attempt_unknown`."""
    ctx: Context = request.app.state.ctx
    token = cookies.read(request, cookies.LOGIN)
    opened = ctx.sealer.untoken("login", token, now=ctx.clock.now()) if token else None
    if opened is None:
        raise Refused("attempt_unknown")
    kept = msgspec.json.decode(opened, type=_Kept)
    return Held(Mine(id=kept.view.id, secret=kept.secret), kept.view, kept.then)


def hold(ctx: Context, response: Response, secret: str, view: View, then: str = "/") -> None:
    """Have the browser hold the attempt, as `view` shows it now."""
    data = msgspec.json.encode(_Kept(secret=secret, view=view, then=then))
    cookies.put(
        response,
        cookies.LOGIN,
        ctx.sealer.token("login", data, expires_at=view.expires_at),
    )


def to(path: str) -> RedirectResponse:
    """On to the next page."""
    return RedirectResponse(path, status_code=303)


async def session_for(request: Request, held: Held) -> Session | None:
    """The session that a step-up is to raise; a sign-in needs none, and asks for none."""
    if held.view.kind is not Kind.STEP_UP:
        return None
    ctx: Context = request.app.state.ctx
    cookie = cookies.read(request, cookies.SESSION)
    return await sessions.get_session(ctx, cookie, address=visitor(request).address)


def arrive(held: Held, cookie: str | None) -> Response:
    """The end of an attempt: signed in, or back to where more was needed."""
    response = to(held.then)
    if cookie is not None:
        return sign_in(response, cookie)
    cookies.drop(response, cookies.LOGIN)
    return response


def sign_in(response: Response, cookie: str) -> Response:
    """Signed in: the session's cookie takes the place of the attempt's."""
    cookies.put(response, cookies.SESSION, cookie)
    cookies.drop(response, cookies.LOGIN)
    return response
