"""Who asks, where to go on, and what stays while somebody confirms that it is them.

A confirmation leads away from the page and back. What was pasted there waits meanwhile in a cookie,
sealed and bound to the session: it is public, but nobody else may put something in its place.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.accounts.rules import cooling
from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web import cookies
from vestibule.web.visitor import visitor

HUB: Final = "/settings/delivery"
_KEPT: Final = "__Host-delivery"
_PURPOSE: Final = "delivery-kept"
_KEPT_MS: Final = HOUR
# Browsers drop a cookie of more than 4096 bytes, its name and attributes among them.
_COOKIE_MOST: Final = 3900


@dataclass(frozen=True, slots=True)
class Server:
    """Where clients' programs connect to."""

    host: str
    port: int


async def session_in(request: Request) -> Session:
    """The session of the request. Raises Refused ``not_signed_in``."""
    ctx: Context = request.app.state.ctx
    return await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )


def to(path: str) -> Response:
    """On to another page, after a form."""
    return RedirectResponse(path, status_code=303)


def server_of(ctx: Context) -> Server | None:
    """The SFTP server as clients see it; None where there is none."""
    return Server(*ctx.settings.sftp_public) if ctx.settings.sftp_public else None


def resting(ctx: Context, session: Session) -> int | None:
    """Until when (ms) nothing may be added, because the account was recovered; else None."""
    return session.guarded_until if cooling(session.guarded_until, now=ctx.clock.now()) else None


def confirmation(fault: Refused, then: str) -> str | None:
    """Where to confirm that it is oneself, and come back to ``then``; None for other refusals."""
    if fault.code.name != "step_up_needed":
        return None
    return f"/login/step-up?{urlencode({'then': then, 'level': fault.facts.get('level', '')})}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was pasted before its owner confirmed that it is them."""

    data: bytes
    label: str = ""


def keep(request: Request, session: Session, response: Response, kind: str, kept: Kept) -> bool:
    """Put aside what was pasted; False where it is too long for a cookie."""
    ctx: Context = request.app.state.ctx
    label = " ".join(kept.label.split())
    token = ctx.sealer.token(
        _PURPOSE,
        f"{kind}\n{label}\n".encode() + kept.data,
        expires_at=ctx.clock.now() + _KEPT_MS,
        bound=session.id.encode(),
    )
    if len(token) > _COOKIE_MOST:
        return False
    cookies.put(response, _KEPT, token, max_age_s=_KEPT_MS // 1000)
    return True


def kept_of(request: Request, session: Session, kind: str) -> Kept | None:
    """What was put aside of this kind, where the address asks for it by ``kept``."""
    ctx: Context = request.app.state.ctx
    token = cookies.read(request, _KEPT)
    if token is None or "kept" not in request.query_params:
        return None
    opened = ctx.sealer.untoken(_PURPOSE, token, now=ctx.clock.now(), bound=session.id.encode())
    if opened is None:
        return None
    was, label, data = opened.split(b"\n", 2)
    return Kept(data, label.decode()) if was == kind.encode() else None


def forget(request: Request, response: Response) -> None:
    """Drop what was put aside."""
    if cookies.read(request, _KEPT) is not None:
        cookies.drop(response, _KEPT)
