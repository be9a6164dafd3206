"""What terminals call: OAuth 2.0 (RFC 6749, 6750, 7009) and its device grant (RFC 8628).

Errors are RFC 6749's JSON, with our own code and texts beside them. Nothing here reads a cookie.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base import i18n
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Malformed, Refused
from vestibule.relying import service
from vestibule.relying.rules import CLIENTS, shown_user_code
from vestibule.relying.service import Token
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, assurance_of
from vestibule.web import forms
from vestibule.web.language import language_of
from vestibule.web.problems import problem_of
from vestibule.web.visitor import visitor

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
RESPONSE_GRANT: Final = "urn:vestibule:params:oauth:grant-type:response"
_ACR: Final = "urn:vestibule:assurance:"
_REALM: Final = 'Bearer realm="vestibule"'
# Our codes by RFC 6749's names; what is not here broke a rule of the request itself.
_ERRORS: Final = {
    401: "invalid_grant",
    403: "invalid_grant",
    404: "invalid_grant",
    409: "invalid_grant",
    410: "expired_token",
    429: "temporarily_unavailable",
    500: "server_error",
    503: "temporarily_unavailable",
}

_TOLD: Final = ("left", "wait", "challenge")

Call = Callable[[Request], Awaitable[Response]]


def _answered(call: Call) -> Call:
    """The call, whose refusals are told as RFC 6749 section 5.2 wants them."""

    async def guarded(request: Request) -> Response:
        try:
            return await call(request)
        except Fault as fault:
            return _refusal(request, fault)

    return guarded


def _refusal(request: Request, fault: Fault) -> Response:
    problem = problem_of(fault, request.state.reference)
    code = language_of(request)
    facts = i18n.spoken(problem.facts, code)
    status = problem.code.status
    body: dict[str, object] = {
        "error": _ERRORS.get(status, "invalid_request"),
        "error_description": i18n.t(problem.code.title, code, **facts),
        "code": problem.code.name,
        "next": i18n.t(problem.code.next, code, **facts),
        "reference": problem.reference,
        **{name: problem.facts[name] for name in _TOLD if name in problem.facts},
    }
    # RFC 6749 knows 400 for whatever the client can mend; 401 asks for another way to sign.
    told = status if status >= 429 or problem.code.name == "token_unknown" else 400
    response = _json(body, told)
    if isinstance(wait := problem.facts.get("wait"), int):
        response.headers["retry-after"] = str(max(1, wait))
    return response


def _json(body: dict[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def _client(sent: dict[str, str]) -> None:
    if sent["client_id"] not in CLIENTS:
        raise Malformed("terminal_unknown")


async def device_authorization(request: Request) -> Response:
    """POST /oauth/device_authorization: a code to be typed on the portal (RFC 8628 section 3.1)."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_call(request, "client_id", "scope", "device_name")
    _client(sent)
    opened = await service.begin_device(ctx, name=sent["device_name"], visitor=visitor(request))
    code = shown_user_code(opened.user_code)
    address = f"{ctx.settings.portal_url}/device"
    return _json(
        {
            "device_code": opened.device_code,
            "user_code": code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={code}",
            "expires_in": opened.expires_in_s,
            "interval": opened.interval_s,
        }
    )


async def challenge(request: Request) -> Response:
    """POST /oauth/challenge: username and password, for a challenge and the phone's approval."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_call(request, "client_id", "device_name", "username", "password")
    _client(sent)
    made = await service.begin_challenge(
        ctx,
        username=sent["username"],
        password=sent["password"],
        name=sent["device_name"],
        visitor=visitor(request),
    )
    return _json(
        {
            "device_code": made.device_code,
            "challenge": made.challenge,
            "number": made.number,
            "phone": made.phone,
            "push": made.push,
            "expires_in": made.expires_in_s,
            "interval": made.interval_s,
        }
    )


async def token(request: Request) -> Response:
    """POST /oauth/token: may I come in? (RFC 8628 section 3.4); or the response in its place."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_call(request, "client_id", "grant_type", "device_code", "response")
    _client(sent)
    code, here = sent["device_code"], visitor(request)
    if sent["grant_type"] == DEVICE_GRANT:
        turn, made = await service.collect_token(ctx, device_code=code, visitor=here)
    elif sent["grant_type"] == RESPONSE_GRANT:
        turn, made = await service.respond(
            ctx, device_code=code, typed=sent["response"], visitor=here
        )
    else:
        return _json({"error": "unsupported_grant_type"}, 400)
    if made is None:
        return _json({"error": turn.value}, 400)
    return _json(_told(ctx, made))


def _told(ctx: Context, made: Token) -> dict[str, object]:
    return {
        "access_token": made.token,
        "token_type": "Bearer",
        "expires_in": (made.expires_at - ctx.clock.now()) // SECOND,
        **_recognised(made.proof),
    }


def _recognised(proof: Proof) -> dict[str, object]:
    """How sure we are of the owner, and by what, as it was and no better."""
    return {"acr": f"{_ACR}{assurance_of(proof).name.lower()}", "proof": proof.value}


async def revoke(request: Request) -> Response:
    """POST /oauth/revoke: the token is worth nothing from now (RFC 7009); always 200."""
    ctx: Context = request.app.state.ctx
    sent = await forms.read_call(request, "client_id", "token", "token_type_hint")
    _client(sent)
    await sessions.end_terminal_session(ctx, sent["token"], address=visitor(request).address)
    return _json({})


async def me(request: Request) -> Response:
    """GET /api/me: whose token it is, and how its owner was recognised (RFC 6750)."""
    ctx: Context = request.app.state.ctx
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not sent:
        return _unauthorised(request, _REALM)
    session = await sessions.terminal_session_of(
        ctx, sent.strip(), address=visitor(request).address
    )
    if session is None:
        return _unauthorised(request, f'{_REALM}, error="invalid_token"')
    return _json(
        {
            "username": session.username,
            "display_name": session.display_name,
            "organisation": ctx.settings.organisation,
            "session": session.id,
            "opened_at": session.opened_at,
            "expires_at": session.expires_at,
            **_recognised(session.proof),
        }
    )


def _unauthorised(request: Request, header: str) -> Response:
    response = _refusal(request, Refused("token_unknown"))
    response.headers["www-authenticate"] = header
    return response


routes = [
    Route("/oauth/device_authorization", _answered(device_authorization), methods=["POST"]),
    Route("/oauth/challenge", _answered(challenge), methods=["POST"]),
    Route("/oauth/token", _answered(token), methods=["POST"]),
    Route("/oauth/revoke", _answered(revoke), methods=["POST"]),
    Route("/api/me", _answered(me), methods=["GET"]),
]
