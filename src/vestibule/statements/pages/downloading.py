"""Downloads in the portal: one statement, in part where it broke off, or several as one file."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vestibule.base.context import Context, ObjectReader
from vestibule.base.errors import Refused
from vestibule.statements import service
from vestibule.statements.pages.listing import (
    ARCHIVE,
    LIST,
    archivable,
    asked_by,
    session_of,
)
from vestibule.statements.rules import Statement
from vestibule.statements.rules.looking import Asked, page_of
from vestibule.web import downloads
from vestibule.web.downloads import File
from vestibule.web.visitor import visitor
from vestibule.web.zipping import Entry, zipped

_SEALED_MEDIA = "application/octet-stream"


async def download(request: Request) -> Response:
    """GET and HEAD /statements/{id}: the file itself; of somebody else's, that there is none."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    statement, reader = await service.open_statement(
        ctx, session.account_id, request.path_params["id"]
    )
    try:
        if request.method == "GET" and _from_the_start(request, statement):
            await service.note_fetched(
                ctx, session.account_id, [statement], source=visitor(request).address
            )
    except BaseException:
        reader.close()
        raise
    return downloads.download(request, _file(statement, reader))


def _from_the_start(request: Request, statement: Statement) -> bool:
    """Whether this begins a download; what goes on with one is written down already."""
    try:
        span = downloads.asked_span(
            request.headers, size=statement.stored_size, tag=_tag(statement)
        )
    except downloads.OutsideError:
        return False
    return span is None or span.start == 0


def _tag(statement: Statement) -> str:
    # What is replaced or encrypted becomes another object; none is ever changed.
    return statement.object.rpartition("/")[2]


def _file(statement: Statement, reader: ObjectReader) -> File:
    async def read(offset: int, size: int) -> bytes:
        return await _read(reader, offset, size)

    return File(
        name=statement.shown_name,
        media=_SEALED_MEDIA if statement.encrypted_to else statement.media,
        size=statement.stored_size,
        tag=_tag(statement),
        read=read,
        close=reader.close,
    )


async def _read(reader: ObjectReader, offset: int, size: int) -> bytes:
    found = reader.read(offset, size)
    return found if isinstance(found, bytes) else await found


async def archive(request: Request) -> Response:
    """GET and HEAD /statements.zip?kind=&month=&find=: all that is found, as one file."""
    ctx: Context = request.app.state.ctx
    session = await session_of(request)
    asked = asked_by(request)
    page = page_of(await service.tree(ctx, session.account_id), asked, most=1)
    if not archivable(page):
        raise Refused("statement_unknown")
    headers = downloads.headers_of(_archive_name(asked), "application/zip")
    if request.method == "HEAD":
        return Response(headers=headers)
    await service.note_fetched(ctx, session.account_id, page.found, source=visitor(request).address)
    return StreamingResponse(zipped(_entries(ctx, page.found)), headers=headers)


def _archive_name(asked: Asked) -> str:
    parts = ["statements", *([asked.kind.value] if asked.kind else []), asked.month]
    return f"{'-'.join(part for part in parts if part)}.zip"


async def _entries(ctx: Context, statements: tuple[Statement, ...]) -> AsyncIterator[Entry]:
    for one in statements:
        yield Entry(f"{one.kind.value}/{one.shown_name}", one.published_at, _chunks(ctx, one))


async def _chunks(ctx: Context, statement: Statement) -> AsyncIterator[bytes]:
    # Opened when its turn comes: five hundred open files would be somebody else's fault.
    reader = await ctx.objects.open(statement.object)
    try:
        async for chunk in service.content(reader):
            yield chunk
    finally:
        reader.close()


routes = [
    Route(ARCHIVE, archive, methods=["GET"]),
    Route(f"{LIST}/{{id}}", download, methods=["GET"]),
]
