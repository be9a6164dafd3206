"""What staff attaches to answers: whose it is, what takes it along, who sees it then."""

import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.desk import Desk
from tests.login.scene import Scene
from tests.support.clients import (
    PNG,
    SECRET,
    Client,
    har,
    in_pieces,
    open_client,
    request_,
    stored,
)
from tests.support.sending import post_file, send_form, token_of
from tests.support.staffing import Colleague, client, hire, sit, write
from tests.support.talking import Two, refused, told_by_mail, verified_mail
from vestibule.base.clock import DAY
from vestibule.staff.rules import Member, Role
from vestibule.support import service
from vestibule.support.rules import Ticket, Topic
from vestibule.support.rules.attachments import State
from vestibule.support.service.answering import place_of
from vestibule.support.service.attaching import Attached, attach
from vestibule.support.service.expiring import expire_attachments
from vestibule.support.service.looking import (
    list_attachments,
    list_waiting,
    open_attachment,
    open_for_staff,
    remove_attachment,
)
from vestibule.web import cookies


@pytest.fixture
async def sam(scene: Scene) -> Colleague:
    """A member of staff who answers."""
    return await hire(scene, "sam")


async def add(
    scene: Scene, member: Member, ticket: Ticket, name: str = "form.pdf", data: bytes = b"%PDF"
) -> Attached:
    """A file for this member's next answer."""
    return await attach(scene.ctx, place_of(member, ticket), name, in_pieces(data))


async def names(scene: Scene, member: Member, ticket: Ticket) -> list[str]:
    """What waits for this member's next answer."""
    return [one.name for one in await list_waiting(scene.ctx, place_of(member, ticket))]


async def answer(scene: Scene, who: Colleague, ticket: Ticket, text: str = "Here it is.") -> Ticket:
    """An answer, a second later than what was written before."""
    scene.clock.step(1000)
    return await service.answer(scene.ctx, who.member, ticket, text)


# --- whose it is ------------------------------------------------------------------------------


async def test_file_of_a_member_waits_for_their_answer_alone(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """Neither a note takes it nor a colleague, who does not even see it; nor does the client."""
    sue = await hire(scene, "sue", Role.OFFICER)
    kept = (await add(scene, sam.member, alice.ticket)).attachment
    await service.note(scene.ctx, sam.member, alice.ticket, "I send the form.")
    await answer(scene, sue, alice.ticket, "A colleague looks for it.")
    assert await list_attachments(scene.ctx, alice.ticket) == {}
    assert await names(scene, sam.member, alice.ticket) == ["form.pdf"]
    assert await names(scene, sue.member, alice.ticket) == []
    assert await list_waiting(scene.ctx, alice.place) == []
    look = {"how": "download", "source": "192.0.2.1"}
    for theirs in (
        open_for_staff(scene.ctx, sue.member, alice.ticket, kept.id, **look),
        remove_attachment(scene.ctx, place_of(sue.member, alice.ticket), kept.id),
        open_attachment(scene.ctx, alice.place, kept.id),
        remove_attachment(scene.ctx, alice.place, kept.id),
    ):
        assert await refused(theirs) == "attachment_unknown"
    await alice.reply()
    assert await list_attachments(scene.ctx, alice.ticket) == {}
    await answer(scene, sam, alice.ticket)
    [[sent]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert (sent.id, sent.added_by) == (kept.id, sam.member.account_id)


async def test_client_reads_what_staff_sent_and_nobody_else_does(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """The journal names who added and sent it; the client's look is no look of staff."""
    kept = (await add(scene, sam.member, alice.ticket, data=b"the form")).attachment
    await answer(scene, sam, alice.ticket)
    assert await alice.read(kept.id) == b"the form"
    mallory = await open_client(scene, "mallory")
    assert await refused(open_attachment(scene.ctx, mallory.place, kept.id)) == "attachment_unknown"
    told = [one for one in await scene.events() if one["subject"] == kept.id]
    assert [one["event"] for one in told] == ["support.attachment_added", "support.attachment_sent"]
    for one in told:
        assert one["actor"] == f"staff:{sam.member.account_id}"
        assert one["account_id"] == alice.session.account_id
        assert json.loads(one["detail"]) == {"kind": "file", "size": 8}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("topic", [Topic.OTHER, Topic.SECURITY])
async def test_only_who_may_answer_attaches(scene: Scene, role: Role, topic: Topic) -> None:
    """An observer never; about security officers alone, for others there is no such number."""
    ticket = await write(scene, await client(scene), topic=topic)
    member = (await hire(scene, "someone", role)).member
    if role is Role.OBSERVER:
        wanted = "staff_role"
    elif role is Role.SUPPORT and topic is Topic.SECURITY:
        wanted = "not_found"
    else:
        await add(scene, member, ticket)
        assert len(stored(scene)) == 1
        return
    assert await refused(add(scene, member, ticket)) == wanted
    assert stored(scene) == []


async def test_recording_of_a_member_is_made_safe(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """By the same rules, before its first byte is written."""
    kept = await add(scene, sam.member, alice.ticket, "how-to.har", har(request_()))
    assert json.loads(kept.report)["removed"]["authorization"] == 1
    await answer(scene, sam, alice.ticket)
    assert SECRET.encode() not in await alice.read(kept.attachment.id)


# --- what is not to be lost -------------------------------------------------------------------


async def test_refused_answer_leaves_its_files_waiting(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """Somebody was first, or there are no words: nothing goes, and nothing is lost."""
    sue = await hire(scene, "sue")
    shown = alice.ticket
    await add(scene, sam.member, shown)
    await answer(scene, sue, shown, "I was first.")
    late = service.answer(scene.ctx, sam.member, shown, "I was second.", seen=shown.version)
    assert await refused(late) == "desk_changed"
    assert await refused(service.answer(scene.ctx, sam.member, shown, "  ")) == "desk_text"
    assert await list_attachments(scene.ctx, shown) == {}
    assert await names(scene, sam.member, shown) == ["form.pdf"]
    await answer(scene, sam, shown, "I was second.")
    assert await names(scene, sam.member, shown) == []


async def test_answer_that_is_sent_twice_takes_its_files_once(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """What was added meanwhile waits for the next one."""
    for name in ("first.txt", "second.txt"):
        await add(scene, sam.member, alice.ticket, name, b"x")
        await service.answer(scene.ctx, sam.member, alice.ticket, "Here.", once="A" * 22)
    [[sent]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert sent.name == "first.txt"
    assert await names(scene, sam.member, alice.ticket) == ["second.txt"]


@pytest.mark.parametrize("over", ["cancelled", "closed"])
async def test_nothing_is_attached_to_what_is_over(
    scene: Scene, alice: Client, sam: Colleague, over: str
) -> None:
    """Not even where it ended while the file was on its way; what waits can be taken away."""
    waits = (await add(scene, sam.member, alice.ticket, "early.txt", b"early")).attachment

    async def end() -> None:
        if over == "cancelled":
            await service.cancel(scene.ctx, alice.session, alice.ticket)
        else:
            await service.settle(scene.ctx, sam.member, alice.ticket)

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        await end()
        yield b"y"

    place = place_of(sam.member, alice.ticket)
    assert await refused(attach(scene.ctx, place, "late.txt", slow())) == "desk_moved"
    assert await refused(add(scene, sam.member, alice.ticket)) == "desk_moved"
    assert await refused(answer(scene, sam, alice.ticket)) == "desk_moved"
    assert await names(scene, sam.member, alice.ticket) == ["early.txt"]
    assert len(stored(scene)) == 1
    await remove_attachment(scene.ctx, place, waits.id)
    assert stored(scene) == []


async def test_file_is_taken_away_until_it_is_sent(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """The file at once; afterwards its client has it."""
    first = (await add(scene, sam.member, alice.ticket)).attachment
    place = place_of(sam.member, alice.ticket)
    await remove_attachment(scene.ctx, place, first.id)
    assert stored(scene) == []
    second = (await add(scene, sam.member, alice.ticket)).attachment
    await answer(scene, sam, alice.ticket)
    [[sent]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert not sent.removable
    assert await refused(remove_attachment(scene.ctx, place, second.id)) == "attachment_answered"
    assert await alice.read(second.id) == b"%PDF"


async def test_files_of_answers_go_with_those_of_clients(
    scene: Scene, alice: Client, sam: Colleague
) -> None:
    """So long after the conversation was closed; the conversation still names them."""
    kept = (await add(scene, sam.member, alice.ticket)).attachment
    await service.answer(scene.ctx, sam.member, alice.ticket, "That was all.", close=True)
    scene.clock.step(scene.ctx.settings.attachment_days * DAY)
    assert await expire_attachments(scene.ctx) == 1
    assert stored(scene) == []
    [[named]] = (await list_attachments(scene.ctx, alice.ticket)).values()
    assert (named.id, named.state) == (kept.id, State.GONE)


async def test_notice_names_no_file(two: Two) -> None:
    """Neither name nor content is in the mail, also for a client who wants answers in it."""
    await verified_mail(two)
    ticket = await two.write()
    for chosen in (False, True):
        await service.set_text_in_mails(two.scene.ctx, two.client, chosen=chosen)
        await add(two.scene, two.member, ticket, "canary-name.txt", b"canary content")
        await two.answer(ticket)
        mail = await told_by_mail(two)
        assert "canary" not in str(mail)
        assert f"/messages/{ticket.number}" in mail.text


# --- pages ------------------------------------------------------------------------------------


def address(ticket: Ticket) -> str:
    """The page of a conversation at the desk."""
    return f"/staff/tickets/{ticket.number}"


async def send(
    desk: Desk, ticket: Ticket, way: str, *files: tuple[str, bytes], **fields: str
) -> httpx.Response:
    """The form of the desk's page, as it was shown last, without a script."""
    seen = re.search(r'name="seen" value="(\d+)"', (await desk.http.get(address(ticket))).text)
    assert seen is not None
    return await send_form(desk, address(ticket), way, *files, **{"seen": seen[1], **fields})


async def test_file_sent_by_script_waits_on_the_members_page(
    desk: Desk, alice: Client, sam: Colleague
) -> None:
    """It is on no colleague's page, and one's own script takes it away again."""
    page = address(alice.ticket)
    await sit(desk, sam)
    kept = await post_file(desk, page, "photo.png", PNG)
    assert kept.status_code == 201
    assert f'data-attach="{page}/attachments"' in (await desk.http.get(page)).text
    await sit(desk, await hire(desk.scene, "sue"))
    assert "photo.png" not in (await desk.http.get(page)).text
    assert (await desk.http.get(f"{page}/attachments")).json() == {"attachments": []}
    await sit(desk, sam)
    assert "photo.png" in (await desk.http.get(page)).text
    form = {"form": await token_of(desk, page), "id": kept.json()["id"]}
    gone = await desk.http.post(
        f"{page}/attachments/remove", data=form, headers={"accept": "application/json"}
    )
    assert gone.status_code == 204
    assert stored(desk.scene) == []


async def test_form_brings_the_files_of_an_answer_and_its_client_sees_them(
    desk: Desk, alice: Client, sam: Colleague
) -> None:
    """One request without a script; the client's page shows them beside the words."""
    await sit(desk, sam)
    files = ("photo.png", PNG), ("form.pdf", b"%PDF-1.7")
    sent = await send(desk, alice.ticket, "answer", *files, text="Sign it.", act="send")
    assert sent.status_code == 303, sent.text
    mine = f"/messages/{alice.ticket.number}"
    desk.http.cookies.set(cookies.SESSION, alice.cookie, domain="portal.example")
    shown = (await desk.http.get(mine)).text
    picture = re.search(rf'<img src="({mine}/attachments/[\w-]+/picture)" alt="Picture: ', shown)
    assert picture is not None
    assert (await desk.http.get(picture[1])).content == PNG
    link = re.search(rf'<a href="({mine}/attachments/[\w-]+)" download dir="auto">form.pdf', shown)
    assert link is not None
    got = await desk.http.get(link[1])
    assert got.content == b"%PDF-1.7"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "/attachments/remove" not in shown
    desk.http.cookies.set(
        cookies.SESSION, (await open_client(desk.scene, "mallory")).cookie, domain="portal.example"
    )
    for path in (picture[1], link[1]):
        assert (await desk.http.get(path)).status_code == 404


async def test_buttons_beside_files_keep_all_that_was_typed(
    desk: Desk, alice: Client, sam: Colleague
) -> None:
    """Adding and taking away show the page again, with answer and note."""
    await sit(desk, sam)
    typed = {"text": "Half an answer", "note": "Half a note"}
    added = await send(desk, alice.ticket, "answer", ("a.txt", b"one"), **typed, act="attach")
    [waits] = await list_waiting(desk.scene.ctx, place_of(sam.member, alice.ticket))
    assert f'value="remove:{waits.id}"' in added.text
    gone = await send(desk, alice.ticket, "answer", **typed, act=f"remove:{waits.id}")
    assert "a.txt" not in gone.text
    for page in (added, gone):
        assert page.status_code == 200
        assert ">Half an answer</textarea>" in page.text
        assert ">Half a note</textarea>" in page.text
    assert stored(desk.scene) == []
    assert len(await service.messages_for_staff(desk.scene.ctx, alice.ticket)) == 1


@pytest.mark.parametrize("way", ["answer", "note", "take", "close"])
async def test_refused_file_stops_the_button_and_costs_nothing(
    desk: Desk, alice: Client, sam: Colleague, way: str
) -> None:
    """The page says why; the files that were well wait, and nothing else has happened."""
    await sit(desk, sam)
    files = ("good.txt", b"one"), ("bad.exe", b"MZ")
    typed = {"text": "An answer", "note": "A note"}
    page = await send(desk, alice.ticket, way, *files, **typed, act="send")
    assert page.status_code == 400
    assert "Programs are not taken" in page.text
    assert ">An answer</textarea>" in page.text
    assert ">A note</textarea>" in page.text
    assert await names(desk.scene, sam.member, alice.ticket) == ["good.txt"]
    here = await alice.find(alice.ticket.number)
    assert here.version == alice.ticket.version
    assert len(await service.messages_for_staff(desk.scene.ctx, alice.ticket)) == 1


async def test_note_that_brings_a_file_leaves_it_for_the_answer(
    desk: Desk, alice: Client, sam: Colleague
) -> None:
    """Chosen in the page's field without a script, and then the other button was pressed."""
    await sit(desk, sam)
    noted = await send(desk, alice.ticket, "note", ("a.txt", b"one"), note="Sent soon.")
    assert noted.status_code == 303
    assert await list_attachments(desk.scene.ctx, alice.ticket) == {}
    assert await names(desk.scene, sam.member, alice.ticket) == ["a.txt"]


async def test_who_is_second_keeps_their_files(desk: Desk, alice: Client, sam: Colleague) -> None:
    """On the page that says who was first; sent again, they go along."""
    sue = await hire(desk.scene, "sue", Role.OFFICER)
    await sit(desk, sam)
    await post_file(desk, address(alice.ticket), "form.pdf", b"%PDF")
    await answer(desk.scene, sue, alice.ticket, "I was first.")
    seen = str(alice.ticket.version)
    second = await send(desk, alice.ticket, "answer", text="I was second.", seen=seen, act="send")
    assert second.status_code == 409
    assert "form.pdf" in second.text
    assert await list_attachments(desk.scene.ctx, alice.ticket) == {}
    sent = await send(desk, alice.ticket, "answer", text="I was second.", act="send")
    assert sent.status_code == 303
    assert len(await list_attachments(desk.scene.ctx, alice.ticket)) == 1


async def test_conversation_that_is_over_takes_no_files(
    desk: Desk, alice: Client, sam: Colleague
) -> None:
    """The page has no field for them, and the script is told why."""
    await sit(desk, sam)
    page = address(alice.ticket)
    await service.cancel(desk.scene.ctx, alice.session, alice.ticket)
    assert "data-attach" not in (await desk.http.get(page)).text
    late = await post_file(desk, page, "late.txt", b"x")
    assert (late.status_code, late.json()["code"]) == (409, "desk_moved")
    form = await send(desk, alice.ticket, "answer", ("late.txt", b"x"), text="Late", act="send")
    assert form.status_code == 409
    assert ">Late</textarea>" in form.text
    assert stored(desk.scene) == []
