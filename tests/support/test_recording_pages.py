"""The viewer of browser recordings: a list, filters, one request, and whose eyes they are for."""

import json
import re
from typing import Any

import pytest

from tests.desk import Desk
from tests.support.clients import SECRET, Client, har, open_client, request_
from tests.support.staffing import hire
from vestibule.sessions.rules import Proof
from vestibule.staff.rules import Role
from vestibule.web import cookies


async def visit(desk: Desk, name: str = "alice") -> Client:
    """A client at the browser, with a conversation."""
    client = await open_client(desk.scene, name)
    desk.http.cookies.set(cookies.SESSION, client.cookie, domain="portal.example")
    return client


@pytest.fixture
async def alice(desk: Desk) -> Client:
    """A client at the browser, who has begun a conversation."""
    return await visit(desk)


# --- staff ------------------------------------------------------------------------------------


async def sent_recording(desk: Desk, client: Client) -> str:
    """The id of a recording with 130 requests that was sent."""
    hosts = ("a.example", "b.example")
    sent = [
        request_(
            f"https://{hosts[n % 2]}/page/{'x' * 30}?token=t{n}abcdef",
            500 if n == 77 else 200,
            time=float(n),
            startedDateTime=f"2026-11-22T10:{n // 60:02d}:{n % 60:02d}.000Z",
        )
        for n in range(130)
    ]
    kept = await client.attach("trouble.har", har(*sent))
    await client.reply()
    return kept.attachment.id


async def at_staff(desk: Desk, role: Role = Role.SUPPORT, **more: Any) -> None:
    """A member of staff at the browser."""
    colleague = await hire(desk.scene, "sam", role, **more)
    desk.http.cookies.set(cookies.SESSION, colleague.cookie, domain="portal.example")


async def test_recording_is_read_by_staff_in_pages(desk: Desk, alice: Client) -> None:
    """Failures first, a hundred to a page, with a bar for each; what was taken out beside it."""
    id_ = await sent_recording(desk, alice)
    await at_staff(desk)
    page = f"/staff/tickets/{alice.ticket.number}"
    assert f"{page}/captures/{id_}" in (await desk.http.get(page)).text
    shown = (await desk.http.get(f"{page}/captures/{id_}")).text
    lines = re.findall(rf'href="{page}/captures/{id_}/(\d+)"', shown)
    assert len(lines) == 100
    assert lines[:2] == ["78", "1"]
    assert shown.count('class="track"') == 100
    assert "Credentials of requests" in shown
    assert SECRET not in shown
    last = (await desk.http.get(f"{page}/captures/{id_}?page=2")).text
    assert len(re.findall(rf'href="{page}/captures/{id_}/(\d+)\?', last)) in {0, 30}


@pytest.mark.parametrize(
    "query, first, count",
    [
        ("order=slowest", "130", 100),
        ("group=failed", "78", 1),
        ("group=5xx", "78", 1),
        ("host=b.example", "78", 65),
        ("host=nobody.example", "", 0),
        ("type=document", "78", 100),
        ("type=image", "", 0),
        ("find=B.EXAMPLE&order=time", "2", 65),
        ("order=nonsense&page=-3&type=zzz", "78", 100),
    ],
)
async def test_recording_is_filtered(
    desk: Desk, alice: Client, query: str, first: str, count: int
) -> None:
    """By answer, kind, address and words; what is asked wrongly counts as not asked."""
    id_ = await sent_recording(desk, alice)
    await at_staff(desk)
    address = f"/staff/tickets/{alice.ticket.number}/captures/{id_}"
    shown = (await desk.http.get(f"{address}?{query}")).text
    lines = re.findall(rf'href="{address}/(\d+)["?]', shown)
    assert (lines[0] if lines else "", len(lines)) == (first, count)


async def test_one_request_is_shown_with_what_was_taken_out(desk: Desk, alice: Client) -> None:
    """Its headers, its times and the reasons; nothing of it is a link or runs."""
    id_ = await sent_recording(desk, alice)
    await at_staff(desk)
    address = f"/staff/tickets/{alice.ticket.number}/captures/{id_}"
    shown = await desk.http.get(f"{address}/78")
    assert shown.status_code == 200
    assert "authorization" in shown.text.lower()
    assert "<mark>Credentials of requests" in shown.text
    assert "Waiting for the server" in shown.text
    assert SECRET not in shown.text
    assert 'href="https://a.example' not in shown.text
    for missing in ("0", "131", "x", "-1", "9" * 30):
        assert (await desk.http.get(f"{address}/{missing}")).status_code == 404


@pytest.mark.parametrize(
    "role, proof, status",
    [
        (Role.OBSERVER, Proof.PUSH, 403),
        (Role.SUPPORT, Proof.PASSWORD, 403),
        (None, Proof.PUSH, 404),
        (Role.SUPPORT, Proof.PUSH, 200),
    ],
)
async def test_recording_is_for_those_who_may_read(
    desk: Desk, alice: Client, role: Role | None, proof: Proof, status: int
) -> None:
    """Not for observers, not by a password alone, and for clients there is no such page."""
    id_ = await sent_recording(desk, alice)
    if role is not None:
        await at_staff(desk, role, proof=proof)
    page = f"/staff/tickets/{alice.ticket.number}"
    for address in (
        f"{page}/captures/{id_}",
        f"{page}/captures/{id_}/1",
        f"{page}/attachments/{id_}",
    ):
        assert (await desk.http.get(address)).status_code == status
    looks = [one for one in await desk.scene.events() if one["event"] == "support.attachment_seen"]
    assert [json.loads(one["detail"])["how"] for one in looks] == (
        ["listed", "request", "download"] if status == 200 else []
    )


async def test_recording_about_security_is_for_officers(desk: Desk, alice: Client) -> None:
    """As the conversation that it is in."""
    from_page = await desk.send(
        "/messages/new", "/messages/new", topic="security", subject="A", text="B", once="C" * 22
    )
    number = from_page.headers["location"].split("/")[2].split("?")[0]
    alice.ticket = await alice.find(number)
    id_ = await sent_recording(desk, alice)
    address = f"/staff/tickets/{number}/captures/{id_}"
    await at_staff(desk)
    assert (await desk.http.get(address)).status_code == 404
    officer = await hire(desk.scene, "olga", Role.OFFICER)
    desk.http.cookies.set(cookies.SESSION, officer.cookie, domain="portal.example")
    assert (await desk.http.get(address)).status_code == 200
