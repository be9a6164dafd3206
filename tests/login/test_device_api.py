"""The phone's calls about sign-ins: what waits, and answers to it."""

from typing import Any

import pytest

from tests.desk import Desk
from tests.login.scene import ScenePhone, shown
from vestibule.base.errors import CODES
from vestibule.protocol import messages


async def attempts(desk: Desk, phone: ScenePhone, path: str = "/device/attempts") -> dict[str, Any]:
    """What waits for the phone."""
    proof = phone.proof("GET", path, b"", now=desk.scene.clock.now())
    answer = await desk.ask("GET", path, Authorization=proof)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_attempts_tell_what_the_app_shows(desk: Desk) -> None:
    """The server's time, the account, whether pushes are on, the phone's name, and the requests."""
    phone = await desk.scene.phone(await desk.scene.account())
    now = desk.scene.clock.now()
    assert await attempts(desk, phone) == {
        "now": now,
        "account": "morgan",
        "seamless": True,
        "label": "Pixel 9",
        "push": "ok",
        "rests_until": None,
        "retires_at": None,
        "requests": [],
    }
    began = await desk.scene.begin()
    (request,) = (await attempts(desk, phone, "/device/attempts?after=push"))["requests"]
    claims = messages.parse(request, messages.ApprovalRequest).claims
    assert claims.jti == shown(began).id


async def test_attempts_list_every_sign_in_that_waits(desk: Desk) -> None:
    """Several at once, the oldest first, each saying how many waited when it was made."""
    phone = await desk.scene.phone(await desk.scene.account())
    began = []
    for _ in range(3):
        began.append(await desk.scene.begin())
        desk.scene.clock.step(1000)
    requests = await desk.scene.waiting(phone)
    claims = [messages.parse(text, messages.ApprovalRequest).claims for text in requests]
    assert [each.jti for each in claims] == [shown(one).id for one in began]
    assert [each.show.others for each in claims] == [0, 1, 2]


@pytest.mark.parametrize("act,result", [("approve", "approved"), ("deny", "denied")])
async def test_answers_are_taken(desk: Desk, act: str, result: str) -> None:
    """An answer is its own proof: no other header is needed."""
    phone = await desk.scene.phone(await desk.scene.account())
    began = await desk.scene.begin()
    (request,) = await desk.scene.waiting(phone)
    text = phone.approval(
        request,
        now=desk.scene.clock.now(),
        act=act,
        number=shown(began).challenge if act == "approve" else "",
    )
    answer = await desk.ask("POST", "/device/answers", {"answer": text})
    assert (answer.status_code, answer.json()) == (
        200,
        {"now": desk.scene.clock.now(), "result": result},
    )


async def test_refusals_are_problem_details(desk: Desk) -> None:
    """A wrong PIN: RFC 9457 with the code, the tries left, the next step and the server's time."""
    phone = await desk.scene.phone(await desk.scene.account())
    began = await desk.scene.begin()
    (request,) = await desk.scene.waiting(phone)
    text = phone.approval(
        request,
        now=desk.scene.clock.now(),
        number=shown(began).challenge,
        proof=phone.wrong_proof(request),
    )
    answer = await desk.ask("POST", "/device/answers", {"answer": text})
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code == CODES["proof_wrong"].status
    assert (told["code"], told["left"], told["now"]) == ("proof_wrong", 2, desk.scene.clock.now())
    assert all(told[member] for member in ("title", "detail", "next", "reference"))


async def test_blocked_approvals_say_how_long(desk: Desk) -> None:
    """After five wrong PINs the refusal names the seconds, in the body and in Retry-After."""
    phone = await desk.scene.phone(await desk.scene.account())
    answer = None
    for _ in range(2):
        began = await desk.scene.begin()
        request = await desk.scene.request(phone, began)
        number = messages.parse(request, messages.ApprovalRequest).claims.number
        for _ in range(3):
            text = phone.approval(
                request,
                now=desk.scene.clock.now(),
                number=shown(began).challenge if number else "",
                proof=phone.wrong_proof(request),
            )
            answer = await desk.ask("POST", "/device/answers", {"answer": text})
    assert answer is not None
    assert (answer.json()["code"], answer.json()["wait"]) == ("approvals_blocked", 10)
    assert answer.headers["retry-after"] == "10"
