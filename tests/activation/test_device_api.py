"""The phone's calls before it is enrolled: JSON in, JSON out, every refusal with its code."""

import pytest

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import ScenePhone
from vestibule.activation import service
from vestibule.activation.rules import Ticket
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u
from vestibule.sessions.rules import Proof


async def ticket_of(desk: Desk) -> Ticket:
    """A ticket of an account without a phone."""
    account = await desk.scene.account("morgan")
    session, _ = await open_session(desk.scene, account, proof=Proof.PASSWORD)
    return await service.issue_ticket(desk.scene.ctx, session=session, source="192.0.2.1")


async def test_enrolment_goes_through_two_calls(desk: Desk) -> None:
    """Link in, enrol-request out; enrol-response in, enrollment out."""
    ticket = await ticket_of(desk)
    link = b64u(parse_link(ticket.link).secret)
    opened = (await desk.ask("POST", "/device/tickets", {"link": link})).json()
    assert opened["now"] == desk.scene.clock.now()
    phone = ScenePhone(desk.scene.ctx.settings.portal_url)
    response = enrol_response(desk.scene, opened["request"], phone)
    answer = await desk.ask("POST", "/device/enrollments", {"response": response})
    assert answer.json() == {
        "now": desk.scene.clock.now(),
        "enrollment": phone.id,
        "account": "morgan",
        "portal": "https://portal.example",
        "seamless": True,
    }
    again = await desk.ask("POST", "/device/enrollments", {"response": response})
    assert (again.status_code, again.json()["code"]) == (409, "enrollment_exists")


async def test_refusal_is_a_problem_with_words_and_a_reference(desk: Desk) -> None:
    """RFC 9457: code, title, detail, next step, reference, and the time."""
    answer = await desk.ask("POST", "/device/tickets", {"code": "0000-0000-0000"})
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (404, 404, "ticket_unknown")
    assert all(said[name] for name in ("title", "detail", "next"))
    assert said["reference"] == answer.headers["x-request-id"]
    assert said["now"] == desk.scene.clock.now()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"link": "x", "code": "y"},
        {"code": 12},
        {"code": "ABCD-EFGH-JKMN", "more": 1},
        [],
        "text",
    ],
)
async def test_other_json_is_malformed(desk: Desk, body: object) -> None:
    """Neither both nor none, nothing unknown, nothing of another type; and nothing is changed."""
    answer = await desk.ask("POST", "/device/tickets", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_malformed")
    assert await desk.scene.events() == []


@pytest.mark.parametrize(
    "content, kind, status, code",
    [
        (b'{"code":', "application/json", 400, "json_malformed"),
        (b'{"code": "A", "code": "B"}', "application/json", 400, "json_malformed"),
        (b'{"code": "A"}', "text/plain", 415, "content_type"),
        (b'{"code": "A"}', "", 415, "content_type"),
        (b'{"code": "%s"}' % (b"A" * 40_000), "application/json", 413, "body_too_large"),
        (b"\xff\xfe", "application/json", 400, "json_malformed"),
        (b'{"response": "a.b.c"}', "application/json", 400, "json_malformed"),
    ],
)
async def test_other_bodies_are_refused_by_kind(
    desk: Desk, content: bytes, kind: str, status: int, code: str
) -> None:
    """Broken, doubled, mistyped and oversized bodies each have their code."""
    answer = await desk.phone_http.post(
        "/device/tickets", content=content, headers={"content-type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("response", ["", "a.b.c", "x" * 9000])
async def test_response_that_is_none_is_malformed(desk: Desk, response: str) -> None:
    """What cannot be parsed as a message changes nothing."""
    answer = await desk.ask("POST", "/device/enrollments", {"response": response})
    assert (answer.status_code, answer.json()["code"]) == (400, "message_malformed")


async def test_other_methods_and_paths_are_told_apart(desk: Desk) -> None:
    """A wrong method is not a wrong address."""
    assert (await desk.ask("PUT", "/device/tickets", {})).status_code == 405
    assert (await desk.ask("POST", "/device/nothing", {})).status_code in (404, 405)
