"""For staff: what readers say of the articles."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.knowledge import service
from vestibule.sessions import service as sessions
from vestibule.staff import service as staff
from vestibule.staff.rules import Ability
from vestibule.web import cookies
from vestibule.web.language import language_of
from vestibule.web.rendering import render
from vestibule.web.visitor import visitor


async def feedback(request: Request) -> Response:
    """GET /staff/feedback: which articles help least, and the latest words."""
    ctx: Context = request.app.state.ctx
    session = await sessions.get_session(
        ctx, cookies.read(request, cookies.SESSION), address=visitor(request).address
    )
    member = await staff.at_desk(ctx, session, Ability.READ)
    counts, words = await service.list_feedback(ctx)
    library = service.library(ctx)
    spoken = language_of(request, session.language)
    numbers = {one.number for one in counts} | {one.number for one in words}
    return render(
        request,
        "knowledge/feedback.html",
        session=session,
        member=member,
        counts=counts,
        words=words,
        # An article may have been taken away since.
        titles={
            number: library.title(found, spoken)
            for number in numbers
            if (found := library.find(number, spoken))
        },
    )


routes = [Route("/staff/feedback", feedback, methods=["GET"])]
