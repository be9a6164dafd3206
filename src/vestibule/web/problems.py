"""Failures as people and programs get them: one table of codes, two ways to say it.

A page says what happened, why it may be, what to do now, and a short reference, with one button.
The phone gets the same as problem details (RFC 9457).
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import msgspec
import structlog
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.base import i18n
from vestibule.base.context import Context
from vestibule.base.errors import CODES, Code, Fault
from vestibule.protocol.errors import ProtocolFault
from vestibule.web import cookies
from vestibule.web.language import language_of
from vestibule.web.rendering import render

_log = structlog.get_logger("vestibule.web")

_OF_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
# Facts that the phone or the page acts upon; all others are for the texts and the log.
_TOLD: Final = frozenset({"left", "until", "wait"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure of one request."""

    code: Code
    facts: dict[str, str | int]
    reference: str


def problem_of(error: Exception, reference: str) -> Problem:
    """The problem that an exception is, logged: ours with its trace, theirs in one line."""
    code, facts = "internal", dict[str, str | int]()
    if isinstance(error, Fault):
        code, facts = error.code.name, error.facts
    elif isinstance(error, ProtocolFault) and error.code in CODES:
        code = error.code
    elif isinstance(error, HTTPException):
        code = _OF_STATUS.get(error.status_code, "bad_request")
    problem = Problem(CODES[code], facts, reference)
    if problem.code.status >= 500:
        _log.error("request.failed", code=code, reference=reference, exc_info=error)
    else:
        _log.info("request.refused", code=code, reference=reference, reason=str(error)[:200])
    return problem


def problem_page(request: Request, problem: Problem) -> Response:
    """The portal's answer: a page with one button, or the way to sign in.

    Somebody who never signed in is not told that they no longer are.
    """
    over = problem.code.name == "not_signed_in"
    if over and request.method == "GET" and cookies.read(request, cookies.SESSION) is None:
        return RedirectResponse("/login", status_code=303)
    response = render(
        request,
        "problem.html",
        status=problem.code.status,
        problem=problem,
        to_sign_in=problem.code.status == 401,
        step_up=_step_up(request, problem),
    )
    if over:
        cookies.drop(response, cookies.SESSION)
    return _with_patience(response, problem)


def _step_up(request: Request, problem: Problem) -> str:
    """Where the missing proof is shown; from there it goes back to the page that needed it."""
    if problem.code.name != "step_up_needed":
        return ""
    at = request.url
    if request.method != "GET":
        # A form cannot be sent again by a link: back to the page that it stood on.
        at = URL(request.headers.get("referer", "/"))
    then = f"{at.path}?{at.query}" if at.query else at.path
    return f"/login/step-up?{urlencode({'then': then, 'level': problem.facts.get('level', '')})}"


def problem_json(request: Request, problem: Problem) -> Response:
    """The device API's answer (specification section 11)."""
    ctx: Context = request.app.state.ctx
    code = language_of(request)
    facts = i18n.spoken(problem.facts, code)
    told = {name: value for name, value in problem.facts.items() if name in _TOLD}
    body = {
        "type": "about:blank",
        "status": problem.code.status,
        "code": problem.code.name,
        "title": i18n.t(problem.code.title, code, **facts),
        "detail": i18n.t(problem.code.cause, code, **facts),
        "next": i18n.t(problem.code.next, code, **facts),
        "reference": problem.reference,
        "now": ctx.clock.now(),
        **told,
    }
    response = Response(
        msgspec.json.encode(body),
        status_code=problem.code.status,
        media_type="application/problem+json",
    )
    return _with_patience(response, problem)


def json_answer(ctx: Context, **members: object) -> Response:
    """A JSON answer of the device interface; each carries the server's time."""
    body = msgspec.json.encode({"now": ctx.clock.now(), **members})
    return Response(body, media_type="application/json")


def _with_patience(response: Response, problem: Problem) -> Response:
    wait = problem.facts.get("wait")
    if isinstance(wait, int):
        response.headers["retry-after"] = str(max(1, wait))
    return response
