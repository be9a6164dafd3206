"""Staff's pages: who gets in, what each role is shown, and that nothing typed is lost."""

import html
import re

import httpx
import pytest

from tests.desk import Desk
from tests.support.staffing import SUBJECT, TEXT, Colleague, client, hire, sit, write
from vestibule.base.i18n import t
from vestibule.sessions.rules import Proof
from vestibule.staff.rules import Role
from vestibule.support import service
from vestibule.support.rules import Topic
from vestibule.support.service import canned

QUEUE = "/staff/tickets"


def said(answer: httpx.Response) -> str:
    """The page as it is read."""
    return html.unescape(answer.text)


def fields(answer: httpx.Response) -> dict[str, str]:
    """The hidden fields of a conversation's form, as the page that was shown has them."""
    return {
        name: re.findall(rf'name="{name}" value="([^"]*)"', answer.text)[-1]
        for name in ("form", "seen", "once")
    }


async def press(desk: Desk, shown: httpx.Response, address: str, /, **typed: str) -> httpx.Response:
    """Press a button of a page that was shown a while ago."""
    return await desk.http.post(address, data=fields(shown) | typed)


async def at_work(desk: Desk, role: Role = Role.SUPPORT) -> Colleague:
    """Somebody of the staff at this browser."""
    who = await hire(desk.scene, "sam", role)
    await sit(desk, who)
    return who


async def test_the_menu_leads_members_to_the_desk_and_nobody_else(desk: Desk) -> None:
    """On every page; it goes when the role does."""
    who = await at_work(desk)
    assert 'href="/staff"' in (await desk.http.get("/")).text
    await desk.sign_in(await desk.scene.account("other"))
    assert 'href="/staff"' not in (await desk.http.get("/")).text
    assert who.session.staff


async def test_a_password_alone_is_led_to_linking_a_phone(desk: Desk) -> None:
    """Said in words, with the way on; what was opened by a weak factor is asked for more."""
    who = await hire(desk.scene, "sam")
    await sit(desk, who, proof=Proof.PASSWORD)
    for path in ("/staff", QUEUE, "/staff/waiting", "/staff/canned", "/staff/passes"):
        answer = await desk.http.get(path)
        assert answer.status_code == 403
        assert t("error.staff_phone_needed.next") in said(answer)
    for proof in (Proof.TOTP, Proof.SMS, Proof.RECOVERY_CODE):
        await sit(desk, who, proof=proof)
        answer = await desk.http.get(QUEUE)
        assert answer.status_code == 403
        assert "/login/step-up?then=%2Fstaff%2Ftickets&amp;level=4" in answer.text


async def test_clients_find_no_such_pages(desk: Desk) -> None:
    """As if they did not exist, whatever the number and however it is sent."""
    scene = desk.scene
    one = await write(scene, await client(scene))
    await desk.sign_in(await scene.account("curious"))
    nowhere = await desk.http.get("/staff/nothing")
    for path in ("/staff", QUEUE, f"{QUEUE}/{one.number}", f"{QUEUE}/{one.number}/events"):
        answer = await desk.http.get(path)
        assert answer.status_code == nowhere.status_code == 404
        assert t("error.not_found.title") in answer.text
    answer = await desk.http.post(f"{QUEUE}/{one.number}/answer", data={"text": "x"})
    assert answer.status_code == 404
    assert len(await service.messages_for_client(scene.ctx, one)) == 1


async def test_an_observer_sees_times_and_not_a_word_more(desk: Desk) -> None:
    """In the queue and in the plot; conversations and answers are refused."""
    scene = desk.scene
    olive = await hire(scene, "olive", Role.OFFICER)
    one = await write(scene, await client(scene))
    await service.answer(scene.ctx, olive.member, one, "Answer canary")
    again = await write(scene, await client(scene, "second"))
    await at_work(desk, Role.OBSERVER)
    for path in ("/staff", f"{QUEUE}?view=all", f"{QUEUE}?view=all&find=Morgan", "/staff/waiting"):
        answer = await desk.http.get(path)
        assert answer.status_code == 200
        assert "canary" not in answer.text.casefold()
        assert "Olive" not in answer.text
        assert "morgan" not in answer.text
    queue = await desk.http.get(QUEUE)
    assert again.number in queue.text
    assert f"{QUEUE}/{again.number}" not in queue.text
    for path in (f"{QUEUE}/{one.number}", "/staff/canned", "/staff/passes", "/staff/feedback"):
        answer = await desk.http.get(path)
        assert answer.status_code == 403
        assert t("error.staff_role.title") in answer.text


async def test_a_conversation_is_read_and_answered(desk: Desk) -> None:
    """With the client's sign-ins beside it; the answer is on the page afterwards."""
    scene = desk.scene
    one = await write(scene, await client(scene), text="<script>alert(1)</script>\nSecond line")
    await at_work(desk)
    shown = await desk.http.get(f"{QUEUE}/{one.number.lower()}")
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nSecond line" in shown.text
    assert "Firefox on Windows" in said(shown)
    assert t("support.staff.client.sign_ins") in said(shown)
    answer = await press(desk, shown, f"{QUEUE}/{one.number}/answer", act="send", text="Hello.")
    assert answer.status_code == 303
    after = await desk.http.get(answer.headers["location"])
    assert "Hello." in after.text
    assert t("support.staff.done.answered") in said(after)
    assert t("support.staff.ticket.yours") in said(after)


async def test_what_is_typed_stays_until_it_is_sent(desk: Desk) -> None:
    """Taking it, leaving a note, putting a canned answer in: none costs the half-written answer."""
    scene = desk.scene
    olive = await hire(scene, "olive", Role.OFFICER)
    await canned.add_canned(
        scene.ctx,
        member=olive.member,
        name="Hello",
        language="fr",
        text="Bonjour {client}, {number}.",
        source="x",
    )
    one = await write(scene, await client(scene), language="fr")
    address = f"{QUEUE}/{one.number}"
    await at_work(desk)
    shown = await desk.http.get(address)
    chosen = re.findall(r'<option value="([^"]{8,})">Hello', shown.text)[0]
    shown = await press(desk, shown, f"{address}/answer", act="insert", text="A", canned=chosen)
    assert f"A\n\nBonjour Morgan Canary, {one.number}.</textarea>" in shown.text
    shown = await press(desk, shown, f"{address}/take", text="Draft", note="Half")
    assert shown.status_code == 200
    assert t("support.staff.done.taken") in said(shown)
    assert ">Draft</textarea>" in shown.text
    assert ">Half</textarea>" in shown.text
    shown = await press(desk, shown, f"{address}/note", text="Draft", note="For colleagues")
    assert ">Draft</textarea>" in shown.text
    assert "For colleagues</p>" in shown.text
    shown = await press(desk, shown, f"{address}/answer", act="send", text=" ", note="Half")
    assert shown.status_code == 400
    assert ">Half</textarea>" in shown.text
    assert t("error.desk_text.cause", most=8000) in said(shown)
    shown = await press(desk, shown, f"{address}/answer", act="send", text="Sent", note="Half")
    assert shown.status_code == 200
    assert ">Half</textarea>" in shown.text
    assert ">Sent</textarea>" not in shown.text
    texts = [one.text for one in await service.messages_for_staff(scene.ctx, one)]
    assert sorted(texts) == sorted([TEXT, "For colleagues", "Sent"])


async def test_who_is_second_keeps_their_text_and_is_told_who_was_first(desk: Desk) -> None:
    """Sent again, knowing what is new, it goes."""
    scene = desk.scene
    olive = await hire(scene, "olive", Role.OFFICER)
    one = await write(scene, await client(scene))
    address = f"{QUEUE}/{one.number}"
    await at_work(desk)
    shown = await desk.http.get(address)
    await service.answer(scene.ctx, olive.member, one, "I was first")
    second = await press(desk, shown, f"{address}/answer", act="send", text="I was second")
    assert second.status_code == 409
    assert t("error.desk_changed.title", who="Olive Name") in said(second)
    assert ">I was second</textarea>" in second.text
    assert "I was first" in second.text
    for button in ("take", "close"):
        answer = await press(desk, shown, f"{address}/{button}", text="Draft")
        assert answer.status_code == 409
        assert ">Draft</textarea>" in answer.text
    assert len(await service.messages_for_client(scene.ctx, one)) == 2
    sent = await press(desk, second, f"{address}/answer", act="send", text="I was second")
    assert sent.status_code == 303
    assert len(await service.messages_for_client(scene.ctx, one)) == 3


async def test_a_colleague_who_has_it_open_is_named(desk: Desk) -> None:
    """At once, without any script."""
    scene = desk.scene
    olive = await hire(scene, "olive", Role.OFFICER)
    one = await write(scene, await client(scene))
    await sit(desk, olive)
    assert 'data-part="others" hidden' in (await desk.http.get(f"{QUEUE}/{one.number}")).text
    await at_work(desk)
    shown = await desk.http.get(f"{QUEUE}/{one.number}")
    assert 'data-part="others">' in shown.text
    assert "Olive Name</strong>" in shown.text


async def test_an_officer_hands_over_and_support_cannot(desk: Desk) -> None:
    """The page offers what the role includes, and the service refuses the rest."""
    scene = desk.scene
    sue = await hire(scene, "sue")
    one = await write(scene, await client(scene))
    address = f"{QUEUE}/{one.number}"
    await at_work(desk)
    shown = await desk.http.get(address)
    assert "/assign" not in shown.text
    refused = await press(desk, shown, f"{address}/assign", member=sue.member.account_id)
    assert refused.status_code == 403
    await sit(desk, await hire(scene, "olive", Role.OFFICER))
    shown = await desk.http.get(address)
    assert "/assign" in shown.text
    given = await press(desk, shown, f"{address}/assign", member=sue.member.account_id)
    assert given.status_code == 303
    assert "Sue Name</bdi>" in (await desk.http.get(address)).text
    client_id = (await scene.account("someone")).id
    shown = await desk.http.get(address)
    assert (await press(desk, shown, f"{address}/assign", member=client_id)).status_code == 404


async def test_a_closed_conversation_says_so_and_keeps_the_text(desk: Desk) -> None:
    """Closed by the button; an answer to it is refused, and the words are not lost."""
    scene = desk.scene
    one = await write(scene, await client(scene))
    address = f"{QUEUE}/{one.number}"
    await at_work(desk)
    shown = await desk.http.get(address)
    closed = await press(desk, shown, f"{address}/close")
    assert closed.status_code == 303
    after = await desk.http.get(address)
    assert t("support.staff.answer.over") in said(after)
    late = await press(desk, after, f"{address}/answer", act="send", text="Too late")
    assert late.status_code == 409
    assert ">Too late</textarea>" in late.text


async def test_canned_answers_say_what_is_missing(desk: Desk) -> None:
    """Officers write them; support reads them; two at once are told apart."""
    await at_work(desk, Role.OFFICER)
    assert t("support.staff.canned.none") in said(await desk.http.get("/staff/canned"))
    made = await desk.send(
        "/staff/canned/new", "/staff/canned", name="Phone lost", language="en", text="Dear {client}"
    )
    listed = await desk.http.get(made.headers["location"])
    assert t("support.staff.canned.done.added") in said(listed)
    assert "/staff/canned/new?name=Phone+lost&amp;language=it" in listed.text.replace("%20", "+")
    (one,) = re.findall(r'href="(/staff/canned/[\w-]{10,})"', listed.text)
    assert (await desk.send(one, one, seen="1", text="Better")).status_code == 303
    late = await desk.send(one, one, seen="1", text="Mine")
    assert late.status_code == 409
    assert ">Mine</textarea>" in late.text
    assert "Better</p>" in late.text
    wrong = await desk.send("/staff/canned/new", "/staff/canned", name="", language="it", text="x")
    assert wrong.status_code == 400
    assert ">x</textarea>" in wrong.text
    await sit(desk, await hire(desk.scene, "sue"))
    read = await desk.http.get(one)
    assert "Better" in read.text
    assert "<textarea" not in read.text
    assert (await desk.http.get("/staff/canned/new")).status_code == 403


async def test_waiting_is_a_picture_and_a_table(desk: Desk) -> None:
    """Without a single style in the page; empty it says what will come."""
    scene = desk.scene
    who = await at_work(desk)
    assert t("support.staff.waiting.none") in said(await desk.http.get("/staff/waiting"))
    one = await write(scene, await client(scene))
    await service.answer(scene.ctx, who.member, one, "x")
    shown = await desk.http.get("/staff/waiting")
    assert 'role="img" aria-labelledby="plot-title plot-about"' in shown.text
    assert shown.text.count('<path class="median"') == 1
    assert shown.text.count('<th scope="row">') == 30
    assert "style=" not in shown.text


@pytest.mark.parametrize("role", Role)
async def test_security_conversations_are_officers_pages(desk: Desk, role: Role) -> None:
    """For support there is no such number; an observer opens none at all."""
    one = await write(desk.scene, await client(desk.scene), topic=Topic.SECURITY)
    await at_work(desk, role)
    answer = await desk.http.get(f"{QUEUE}/{one.number}")
    wanted = {Role.OFFICER: 200, Role.SUPPORT: 404, Role.OBSERVER: 403}
    assert answer.status_code == wanted[role]
    assert (SUBJECT in answer.text) == (role is Role.OFFICER)


async def test_the_list_is_the_same_until_something_changes(desk: Desk) -> None:
    """Its mark tells the script whether there is anything to draw."""
    scene = desk.scene
    await at_work(desk)
    marks = []
    for _ in range(2):
        shown = await desk.http.get(f"{QUEUE}?view=all")
        marks += re.findall(r'data-mark="(\w+)"', shown.text)
    assert marks[0] == marks[1]
    await write(scene, await client(scene))
    shown = await desk.http.get(f"{QUEUE}?view=all")
    assert marks[0] not in shown.text
