"""What every answer carries, and what becomes of every failure."""

import re

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from tests.desk import Desk
from vestibule.base.errors import Refused, Unavailable
from vestibule.base.i18n import t
from vestibule.web.middleware import Porch
from vestibule.web.problems import problem_json, problem_page


async def test_pages_carry_the_strict_policy(desk: Desk) -> None:
    """No script but our own, no inline style, no frame, no cache, TLS only."""
    headers = (await desk.http.get("/login")).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


async def test_pages_keep_to_their_own_policy(desk: Desk) -> None:
    """No page has an inline style, an inline script or an event attribute."""
    await desk.sign_in(await desk.scene.account())
    for path in ("/", "/settings/sign-in", "/settings/sessions", "/settings/activity", "/nothing"):
        page = (await desk.http.get(path)).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        assert re.findall(r"<script[^>]*>", page) == re.findall(
            r'<script type="module" src="/static/(?:portal|help)\.[0-9a-f]{12}\.js">', page
        )


async def test_every_answer_has_a_reference_of_its_own(desk: Desk) -> None:
    """Pages, refusals and files alike; a refusal shows it."""
    paths = ("/login", "/nothing", "/settings/phones")
    references = [(await desk.http.get(path)).headers["x-request-id"] for path in paths]
    assert len(set(references)) == 3
    answer = await desk.http.get("/nothing")
    assert answer.headers["x-request-id"] in answer.text


async def test_unknown_page_is_a_page_with_one_way_on(desk: Desk) -> None:
    """What happened, what to do now, one button."""
    answer = await desk.http.get("/nothing")
    assert answer.status_code == 404
    assert t("error.not_found.title") in answer.text
    shown = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert shown.count('class="button') == 1


async def test_method_that_is_not_there_is_said(desk: Desk) -> None:
    """405, and not a blank page."""
    answer = await desk.http.put("/login")
    assert answer.status_code == 405
    assert t("error.method_not_allowed.title") in answer.text


def porch(desk: Desk, error: Exception, *, json: bool) -> Porch:
    """An origin whose only page raises."""

    async def page(_: Request) -> Response:
        raise error

    return Porch(
        Router([Route("/", page)]),
        ctx=desk.scene.ctx,
        headers={},
        answer=problem_json if json else problem_page,
    )


async def answered(app: Porch) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of GET /."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        "root_path": "",
        "scheme": "https",
        "server": ("portal.example", 443),
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    body = b"".join(message.get("body", b"") for message in sent[1:])  # type: ignore[misc]
    return sent[0]["status"], dict(sent[0]["headers"]), body  # type: ignore[return-value,call-overload]


@pytest.mark.parametrize("json", [False, True])
async def test_crash_is_an_answer_without_its_reason(desk: Desk, *, json: bool) -> None:
    """People get a reference, the log gets the reason."""
    status, headers, body = await answered(porch(desk, ZeroDivisionError("secret"), json=json))
    assert status == 500
    assert headers[b"x-request-id"] in body
    assert b"secret" not in body


async def test_wait_is_told_to_programs_and_people(desk: Desk) -> None:
    """`Retry-After` beside the words, and the seconds as a member."""
    fault = Refused("too_many_requests", wait=17)
    status, headers, body = await answered(porch(desk, fault, json=True))
    assert (status, headers[b"retry-after"]) == (429, b"17")
    assert b'"wait":17' in body
    assert b"17 seconds" in body


async def test_facts_for_the_log_are_not_told(desk: Desk) -> None:
    """Only what the phone acts upon is a member of the answer."""
    fault = Unavailable("busy", reason="inner workings")
    _, _, body = await answered(porch(desk, fault, json=True))
    assert b"inner" not in body
