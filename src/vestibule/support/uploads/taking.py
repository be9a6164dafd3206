"""Files on their way in: as the body of a request that scripts send, or as parts of a form.

A form that brings files is read in its order: token, texts, files. What was refused of a file
does not cost what was typed: the page is shown again with all of it, and says what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

from starlette.requests import Request

from vestibule.base.context import Context
from vestibule.base.errors import Fault, Malformed, Unavailable
from vestibule.sessions.rules import Session
from vestibule.support.rules.attachments import MEGABYTE
from vestibule.support.service.attaching import Place, attach
from vestibule.support.service.looking import remove_attachment
from vestibule.web import bodies, csrf, forms, multipart
from vestibule.web.multipart import Part
from vestibule.web.problems import Problem, problem_of

FILES: Final = "files"
"""The field for files."""
ACT: Final = "act"
"""The button that was pressed: `ATTACH`, `REMOVE` and an id, or that of the form itself."""
ATTACH: Final = "attach"
REMOVE: Final = "remove:"
AT_ONCE: Final = 32
"""Bodies that arrive at a time, in this process."""
AT_ONCE_EACH: Final = 4
"""Of these, from one account."""
_WAIT_S: Final = 2


@contextmanager
def a_body(request: Request, session: Session) -> Iterator[None]:
    """A place among those who send at a time. Raises Unavailable ``busy``."""
    state = request.app.state
    if not hasattr(state, "attaching"):
        state.attaching = Counter[str]()
    under_way: Counter[str] = state.attaching
    own = session.account_id
    if under_way.total() >= AT_ONCE or under_way[own] >= AT_ONCE_EACH:
        raise Unavailable("busy", wait=_WAIT_S)
    under_way[own] += 1
    try:
        yield
    finally:
        under_way[own] -= 1
        if not under_way[own]:
            del under_way[own]


def body_most(ctx: Context) -> int:
    """Bytes of a body with files that are read at all, be they kept or not."""
    settings = ctx.settings
    files = settings.attachments_per_message * settings.attachment_megabytes
    return (max(settings.capture_megabytes, files) + settings.attachment_megabytes) * MEGABYTE


# --- forms ------------------------------------------------------------------------------------


Where = Callable[[Mapping[str, str]], Awaitable[Place]]
"""Where the files of a form belong, by what it has sent so far. Raises Refused, Malformed."""


async def read_form(
    request: Request, session: Session, *fields: str, most: int, where: Where
) -> dict[str, str]:
    """The fields of a form, whose files are kept for the message that it writes.

    Also does what a button beside a file asks for. Whether the page is to be shown again, and
    why, is what `paused` says afterwards. Raises as `forms.read`.
    """
    request.state.paused = False
    request.state.attach_problem = None
    names = (*fields, ACT)
    if multipart.is_multipart(request):
        with a_body(request, session):
            sent = await _multipart(request, session, names, most=most, where=where)
    else:
        sent = await forms.read(request, *names, bound=session.id, most=most)
    act = sent[ACT]
    if act == ATTACH:
        request.state.paused = True
    elif act.startswith(REMOVE):
        request.state.paused = True
        try:
            ctx: Context = request.app.state.ctx
            await remove_attachment(ctx, await where(sent), act.removeprefix(REMOVE))
        except Fault as fault:
            stop(request, fault)
    return sent


def paused(request: Request) -> bool:
    """Whether the form did not want to be sent yet, or a file of it was refused."""
    return bool(getattr(request.state, "paused", False))


def problem_with_file(request: Request) -> Problem | None:
    """What was refused of a file, if anything was."""
    found: Problem | None = getattr(request.state, "attach_problem", None)
    return found


def stop(request: Request, fault: Fault) -> None:
    """Have the page shown again, with the first thing that was refused."""
    request.state.paused = True
    if request.state.attach_problem is None:
        request.state.attach_problem = problem_of(fault, request.state.reference)


async def _multipart(
    request: Request, session: Session, names: tuple[str, ...], *, most: int, where: Where
) -> dict[str, str]:
    ctx: Context = request.app.state.ctx
    csrf.demand_same_site(request, ctx.settings.portal_url)
    allowed = body_most(ctx)
    if (bodies.announced(request) or 0) > allowed + most:
        raise Malformed("body_too_large", most=allowed)
    chunks = _limited(bodies.paced(request), allowed + most)
    sent = dict[str, str]()
    async for part in multipart.parts_of(request, chunks):
        if part.name == FILES:
            csrf.demand_token(ctx, sent.get(csrf.FIELD, ""), session.id)
            await _take(request, part, partial(where, sent))
            continue
        if part.name in sent or part.name not in (*names, csrf.FIELD):
            raise Malformed("bad_field", field=part.name[:40])
        sent[part.name] = await part.text(most=most)
        most -= len(sent[part.name])
        if part.name == csrf.FIELD:
            csrf.demand_token(ctx, sent[part.name], session.id)
    # Not the first file only: nothing at all is done for a form without it.
    csrf.demand_token(ctx, sent.pop(csrf.FIELD, ""), session.id)
    return {name: sent.get(name, "") for name in names}


async def _take(request: Request, part: Part, where: Callable[[], Awaitable[Place]]) -> None:
    """Keep one file of a form. After one that was refused, the others are only read over."""
    if not part.filename or request.state.attach_problem is not None:
        return
    try:
        await attach(request.app.state.ctx, await where(), part.filename, part.chunks)
    except Malformed as fault:
        if fault.code.name in {"body_cut", "body_slow", "body_too_large"}:
            raise  # there is nobody any more who would see a page
        stop(request, fault)
    except Fault as fault:
        stop(request, fault)


async def _limited(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    seen = 0
    async for chunk in chunks:
        seen += len(chunk)
        if seen > most:
            raise Malformed("body_too_large", most=most)
        yield chunk
