"""Settings: ready-made files for clients' programs, and help where one does not connect."""

from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.delivery import service
from vestibule.delivery.pages.arriving import HUB, server_of, session_in
from vestibule.delivery.rules.setups import NAMES, PROGRAMS, Setup, SetupFacts, setups
from vestibule.sessions.rules import Session
from vestibule.web.problems import problem_of
from vestibule.web.rendering import render

_PAGE: Final = f"{HUB}/programs"


@dataclass(frozen=True, slots=True)
class _Program:
    id: str
    name: str
    files: tuple[Setup, ...]


async def _setups(request: Request, session: Session, key: str) -> tuple[Setup, ...]:
    """Every file for this account; none where delivery is off. Raises Refused ``bad_field``."""
    ctx: Context = request.app.state.ctx
    server = server_of(ctx)
    home = await service.home_of(ctx, session.account_id)
    if server is None or home is None or not home.enabled:
        return ()
    return setups(
        SetupFacts(
            organisation=ctx.settings.organisation,
            host=server.host,
            port=server.port,
            username=home.username,
            host_keys=tuple(one.line for one in await service.shown_host_keys(ctx)),
            key_file=key,
        )
    )


async def programs(request: Request) -> Response:
    """GET /settings/delivery/programs?key=: per program its files and its steps."""
    ctx: Context = request.app.state.ctx
    session = await session_in(request)
    typed = request.query_params.get("key", "")
    problem = None
    try:
        files = await _setups(request, session, typed)
    except Refused as fault:
        problem = problem_of(fault, request.state.reference)
        files, typed = await _setups(request, session, ""), ""
    return render(
        request,
        "delivery/programs.html",
        status=problem.code.status if problem else 200,
        session=session,
        server=server_of(ctx),
        on=bool(files),
        choosy=ctx.settings.sftp_programs == "current",
        programs=[
            _Program(program, NAMES[program], tuple(f for f in files if f.program == program))
            for program in PROGRAMS
        ],
        typed=typed,
        problem=problem,
    )


async def download(request: Request) -> Response:
    """GET /settings/delivery/programs/{name}?key=: one of the files."""
    session = await session_in(request)
    files = await _setups(request, session, request.query_params.get("key", ""))
    found = next((one for one in files if one.filename == request.path_params["name"]), None)
    if found is None:
        raise HTTPException(404)
    # The names are ours: letters, digits, dots and hyphens.
    headers = {"content-disposition": f'attachment; filename="{found.filename}"'}
    return Response(found.text, headers=headers, media_type=found.media)


routes = [
    Route(_PAGE, programs, methods=["GET"]),
    Route(f"{_PAGE}/{{name}}", download, methods=["GET"]),
]
