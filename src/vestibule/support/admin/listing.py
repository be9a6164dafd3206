"""What staff finds first: the desk, its queue, and how long clients waited."""

from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.staff.rules import Ability, Member
from vestibule.support.admin.gate import CANNED, HOME, QUEUE, WAITING, at_desk
from vestibule.support.rules.queue import Asked, View, asked_from
from vestibule.support.service import DESK, queue
from vestibule.support.service.queue import Queue
from vestibule.web.rendering import render
from vestibule.web.sse import Look, Looker, Stream, frame

_STREAM_MS: Final = HOUR

# Address, name and ability of every part of the desk.
PARTS: Final = (
    (QUEUE, "queue", Ability.QUEUE),
    (WAITING, "waiting", Ability.QUEUE),
    (CANNED, "canned", Ability.ANSWER),
    ("/staff/passes", "passes", Ability.ASK_PASS),
    ("/staff/feedback", "feedback", Ability.READ),
)


def parts_of(member: Member) -> list[tuple[str, str]]:
    """Address and name of the parts that are for this member."""
    return [(address, name) for address, name, ability in PARTS if member.may(ability)]


async def desk(request: Request) -> Response:
    """GET /staff: what waits, and where to go."""
    session, member = await at_desk(request, Ability.QUEUE)
    ctx: Context = request.app.state.ctx
    return render(
        request,
        "support/staff/desk.html",
        session=session,
        member=member,
        parts=parts_of(member),
        counts=await queue.count(ctx, member),
    )


async def listing(request: Request) -> Response:
    """GET /staff/tickets?view=&find=&page=: whoever is due first stands first."""
    session, member = await at_desk(request, Ability.QUEUE)
    ctx: Context = request.app.state.ctx
    query = request.query_params
    asked = asked_from(member, **{name: query.get(name, "") for name in ("view", "find", "page")})
    seen = await queue.look(ctx, member, asked)
    return render(
        request,
        "support/staff/queue.html",
        session=session,
        member=member,
        parts=parts_of(member),
        queue=seen,
        views=[view for view in View if view is not View.MINE or member.may(Ability.ANSWER)],
        reads=member.may(Ability.READ),
        here=_address(asked),
        earlier=_address(asked, asked.page - 1) if asked.page > 1 else "",
        later=_address(asked, asked.page + 1) if seen.more else "",
        mark=_mark(seen, ctx.clock.now()),
    )


def _address(asked: Asked, page: int = 0) -> str:
    said = {"find": asked.find} if asked.find else {"view": asked.view.value}
    number = page or asked.page
    return f"{QUEUE}?{urlencode(said | ({'page': str(number)} if number > 1 else {}))}"


def _mark(seen: Queue, now: int) -> str:
    """Changes when a page of the queue does, also when somebody has become late."""
    shown = [(line, line.late(now)) for line in seen.lines]
    return sha256(repr((shown, seen.counts)).encode()).hexdigest()[:16]


async def waiting(request: Request) -> Response:
    """GET /staff/waiting: how long clients waited, as a plot and as its table."""
    session, member = await at_desk(request, Ability.QUEUE)
    ctx: Context = request.app.state.ctx
    return render(
        request,
        "support/staff/waiting.html",
        session=session,
        member=member,
        parts=parts_of(member),
        plot=await queue.waiting(ctx, member),
        hours=ctx.settings.support_hours,
        zone=ctx.settings.support_zone,
    )


async def _news(scope: Scope) -> tuple[str, Looker, int]:
    """GET /staff/tickets/events: that something has changed, and nothing of what."""
    request = Request(scope)
    session, _ = await at_desk(request, Ability.QUEUE)
    ctx: Context = scope["app"].state.ctx

    async def look(message: str | None) -> Look:
        # Where wake-ups may be lost, the page has to find out by itself.
        news = message is not None or not ctx.wake.healthy
        return Look(frame("changed") if news else b"")

    return DESK, look, min(session.expires_at, ctx.clock.now() + _STREAM_MS)


routes = [
    Route(HOME, desk, methods=["GET"]),
    Route(QUEUE, listing, methods=["GET"]),
    Route(f"{QUEUE}/events", Stream(_news), methods=["GET"]),
    Route(WAITING, waiting, methods=["GET"]),
]
