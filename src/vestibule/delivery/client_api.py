"""What a signed-in terminal asks: where its account's statements lie, and how programs get there.

The token is that of `vestibule login` (RFC 6750); nothing here reads a cookie or changes anything.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base import i18n
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Refused
from vestibule.delivery import service
from vestibule.delivery.rules.setups import Setup, SetupFacts, fingerprint, setups
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.web.language import language_of
from vestibule.web.problems import problem_json, problem_of
from vestibule.web.visitor import visitor

_REALM: Final = 'Bearer realm="vestibule"'


async def delivery(request: Request) -> Response:
    """GET /api/delivery: the SFTP server, the account's access, and ready-made configurations.

    `key` may name the path of the private key on the caller's machine, to stand in them.
    """
    try:
        return await _told(request)
    except Fault as fault:
        response = problem_json(request, problem_of(fault, request.state.reference))
        if fault.code.name == "token_unknown":
            response.headers["www-authenticate"] = f'{_REALM}, error="invalid_token"'
        return response


async def _session(request: Request) -> Session:
    """Whose token the call brings. Raises Refused ``token_unknown``."""
    ctx: Context = request.app.state.ctx
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer":
        found = await sessions.terminal_session_of(
            ctx, sent.strip(), address=visitor(request).address
        )
    if found is None:
        raise Refused("token_unknown")
    return found


async def _told(request: Request) -> Response:
    ctx: Context = request.app.state.ctx
    session = await _session(request)
    public = ctx.settings.sftp_public
    home = await service.home_of(ctx, session.account_id)
    if home is None or public is None:
        raise Refused("delivery_not_set_up")
    facts = SetupFacts(
        organisation=ctx.settings.organisation,
        host=public[0],
        port=public[1],
        username=home.username,
        host_keys=tuple(key.line for key in await service.shown_host_keys(ctx)),
        key_file=request.query_params.get("key", ""),
    )
    keys = await service.list_keys(ctx, session.account_id)
    language = language_of(request)
    body = {
        "organisation": facts.organisation,
        "username": facts.username,
        "enabled": home.enabled,
        "host": facts.host,
        "port": facts.port,
        "host_keys": facts.host_keys,
        "fingerprints": [fingerprint(line) for line in facts.host_keys],
        "keys": [{"label": key.label, "fingerprint": key.fingerprint} for key in keys],
        "networks": home.networks,
        "setups": [_shown(setup, language) for setup in setups(facts)],
    }
    return Response(msgspec.json.encode(body), media_type="application/json")


def _shown(setup: Setup, language: str) -> dict[str, object]:
    return {
        "program": setup.program,
        "filename": setup.filename,
        "media": setup.media,
        "text": setup.text,
        "command": setup.command,
        "steps": [i18n.t(step, language, **setup.facts) for step in setup.steps],
    }


routes = [Route("/api/delivery", delivery, methods=["GET"])]
