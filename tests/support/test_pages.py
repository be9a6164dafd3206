"""The pages of messages: the centre, a new one, a conversation, the choice of notices."""

import re
from html import unescape

import httpx
import pytest

from tests.desk import Desk, open_session
from tests.support.talking import CANARY, member_of
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, MINUTE
from vestibule.base.ids import new_id
from vestibule.staff.rules import Member
from vestibule.support import service
from vestibule.support.rules import Ticket, Topic
from vestibule.support.store.tickets import ticket as ticket_table, ticket_message

FIELDS = {"topic": "sign-in", "subject": "No notifications", "text": "Nothing comes."}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}"


@pytest.fixture
async def owner(desk: Desk) -> Account:
    """Somebody who is signed in."""
    account = await desk.scene.account()
    await desk.sign_in(account)
    return account


@pytest.fixture
async def member(desk: Desk) -> Member:
    """Somebody of the staff."""
    return await member_of(desk.scene, "dana")


async def written(
    desk: Desk, account: Account, *, subject: str = "No notifications", text: str = "Nothing comes."
) -> Ticket:
    """A conversation of the account."""
    session, _ = await open_session(desk.scene, account)
    return await service.open_ticket(
        desk.scene.ctx, session, topic=Topic.SIGN_IN, subject=subject, text=text
    )


def said(page: httpx.Response) -> str:
    """The text of a page, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


# --- the centre --------------------------------------------------------------------------------


async def test_empty_centre_says_what_to_do(desk: Desk, owner: Account) -> None:
    """It leads to writing and to the help."""
    page = await desk.http.get("/messages")
    assert "No conversation is open." in said(page)
    assert page.text.count('href="/messages/new"') == 2
    assert 'href="/help"' in page.text


async def test_centre_has_what_is_new_on_top(desk: Desk, owner: Account, member: Member) -> None:
    """Unread before the rest, each with its number, topic and what happens next."""
    first = await written(desk, owner, subject="The first")
    desk.scene.clock.step(MINUTE)
    await written(desk, owner, subject="The second")
    await service.answer(desk.scene.ctx, member, first, "Done.")
    page = await desk.http.get("/messages")
    assert page.text.index("The first") < page.text.index("The second")
    assert first.number in page.text
    assert "Open (2)" in said(page)
    assert "There are new ones" in said(page)
    assert ">New</span>" in page.text


async def test_centre_keeps_the_closed_apart(desk: Desk, owner: Account) -> None:
    """For as many days as the settings say."""
    session, _ = await open_session(desk.scene, owner)
    ticket = await written(desk, owner)
    await service.cancel(desk.scene.ctx, session, ticket)
    assert ticket.number not in (await desk.http.get("/messages")).text
    assert ticket.number in (await desk.http.get("/messages?show=closed")).text


async def test_pages_lead_to_messages(desk: Desk, owner: Account) -> None:
    """From every page of the portal."""
    assert 'href="/messages"' in (await desk.http.get("/settings/sessions")).text


# --- a new one ---------------------------------------------------------------------------------


async def test_writing_leads_to_the_conversation(desk: Desk, owner: Account) -> None:
    """It shows the number, what was written, and by when it is answered."""
    sent = await desk.send("/messages/new", "/messages/new", **FIELDS)
    assert sent.status_code == 303
    (row,) = await desk.scene.rows(ticket_table)
    assert sent.headers["location"] == f"/messages/{row['number']}?done=sent"
    page = await desk.http.get(sent.headers["location"])
    for words in (row["number"], "No notifications", "Nothing comes.", "We answer by"):
        assert words in said(page)
    assert row["language"] == "en"


async def test_writing_twice_is_one_conversation(desk: Desk, owner: Account) -> None:
    """The same form, pressed twice, leads to the same number."""
    once = new_id()
    first = await desk.send("/messages/new", "/messages/new", once=once, **FIELDS)
    second = await desk.send("/messages/new", "/messages/new", once=once, **FIELDS)
    assert first.headers["location"] == second.headers["location"]
    assert len(await desk.scene.rows(ticket_table)) == 1


@pytest.mark.parametrize("field, wrong", [("subject", " "), ("text", "\n"), ("text", "y" * 8001)])
async def test_what_was_typed_is_still_there_after_a_refusal(
    desk: Desk, owner: Account, field: str, wrong: str
) -> None:
    """Everything but what is wrong stays in its field, and the form keeps its name."""
    typed = FIELDS | {field: wrong, "once": new_id(), "priority": "low"}
    page = await desk.send("/messages/new", "/messages/new", **typed)
    assert page.status_code == 400
    kept = [value for name, value in typed.items() if name in ("subject", "text") if name != field]
    for value in [*kept, typed["once"]]:
        assert value in page.text
    assert re.search(r'value="low" checked', page.text)
    assert re.search(r'value="sign-in" selected', page.text)
    assert await desk.scene.rows(ticket_table) == []


@pytest.mark.parametrize("changes", [{"topic": "weather"}, {"priority": "now"}, {"topic": ""}])
async def test_a_choice_that_is_none_changes_nothing(
    desk: Desk, owner: Account, changes: dict[str, str]
) -> None:
    """It was not made by the page."""
    answer = await desk.send("/messages/new", "/messages/new", **FIELDS | changes)
    assert answer.status_code == 400
    assert await desk.scene.rows(ticket_table) == []


async def test_help_fills_in_what_it_knows(desk: Desk, owner: Account) -> None:
    """Topic and subject come from the address, as text and no longer than a subject."""
    page = await desk.http.get("/messages/new", params={"topic": "security", "subject": HOSTILE})
    assert 'value="security" selected' in page.text
    assert "<script>alert" not in page.text


# --- a conversation ----------------------------------------------------------------------------


async def test_conversation_shows_who_wrote_and_how_it_stands(
    desk: Desk, owner: Account, member: Member
) -> None:
    """The member's name, the answer, the steps, and what is the client's turn."""
    ticket = await service.answer(desk.scene.ctx, member, await written(desk, owner), "Try this.")
    page = await desk.http.get(f"/messages/{ticket.number}")
    for words in ("Dana", "Try this.", "Write back if something is left"):
        assert words in said(page)
    assert re.search(r'data-step="answered" data-state="done"', page.text)
    assert re.search(r'data-step="closed" data-state="now"', page.text)


async def test_looking_at_it_takes_the_mark_back(
    desk: Desk, owner: Account, member: Member
) -> None:
    """The page says what is new once; the next one no longer does."""
    ticket = await service.answer(desk.scene.ctx, member, await written(desk, owner), "Try this.")
    address = f"/messages/{ticket.number}"
    assert "There are new ones" in said(await desk.http.get(address))
    assert "There are new ones" not in said(await desk.http.get(address))


async def test_reply_close_and_open_again(desk: Desk, owner: Account, member: Member) -> None:
    """Each leads back to the conversation, which says what was done."""
    ticket = await service.answer(desk.scene.ctx, member, await written(desk, owner), "Try this.")
    page = f"/messages/{ticket.number}"
    acts: tuple[tuple[str, dict[str, str], str], ...] = (
        ("reply", {"text": "That was not it."}, "Your reply is here."),
        ("close", {}, "The conversation is closed."),
        ("reopen", {"text": "It is back."}, "The conversation is open again."),
        ("cancel", {}, "The conversation is cancelled."),
    )
    for act, fields, words in acts:
        sent = await desk.send(page, f"{page}/{act}", **fields)
        assert sent.status_code == 303, act
        assert words in said(await desk.http.get(sent.headers["location"]))
    assert "You opened it again" in said(await desk.http.get(page))


async def test_a_reply_sent_twice_is_one(desk: Desk, owner: Account) -> None:
    """The name of its form says so."""
    page = f"/messages/{(await written(desk, owner)).number}"
    fields = {"text": "One thing more.", "once": new_id()}
    for _ in range(2):
        assert (await desk.send(page, f"{page}/reply", **fields)).status_code == 303
    assert len(await desk.scene.rows(ticket_message)) == 2


async def test_a_reply_to_what_was_closed_meanwhile_is_kept_in_the_form(
    desk: Desk, owner: Account, member: Member
) -> None:
    """Staff was quicker: nothing is sent, the words stay, and the form now opens it again."""
    ticket = await written(desk, owner)
    page = f"/messages/{ticket.number}"
    shown = await desk.http.get(page)
    token = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert token
    await service.settle(desk.scene.ctx, member, ticket)
    answer = await desk.http.post(
        f"{page}/reply", data={"form": token[1], "text": "Wait, there is more."}
    )
    assert answer.status_code == 409
    assert "Wait, there is more.</textarea>" in answer.text
    assert f'action="{page}/reopen"' in answer.text
    assert len(await desk.scene.rows(ticket_message)) == 1


async def test_hostile_words_are_shown_as_words(desk: Desk, owner: Account, member: Member) -> None:
    """In subject, text and answer: as text, in no attribute that runs."""
    ticket = await written(desk, owner, subject=HOSTILE, text=HOSTILE)
    await service.answer(desk.scene.ctx, member, ticket, HOSTILE)
    for address in ("/messages", f"/messages/{ticket.number}"):
        page = await desk.http.get(address)
        assert "<script>alert" not in page.text
        assert "onerror=alert(2)>" in unescape(page.text)
        assert "<img src=x" not in page.text
        assert "49" not in page.text.partition("onerror")[2][:40]


async def test_a_note_is_on_no_page_of_its_client(
    desk: Desk, owner: Account, member: Member
) -> None:
    """Nor in their activity, nor in their notifications."""
    ticket = await written(desk, owner)
    await service.note(desk.scene.ctx, member, ticket, CANARY)
    await service.answer(desk.scene.ctx, member, ticket, "Done.")
    addresses = ["/messages", "/messages?show=closed", f"/messages/{ticket.number}", "/"]
    addresses += ["/settings/activity", "/notifications"]
    for address in addresses:
        page = await desk.http.get(address)
        assert page.status_code == 200
        assert CANARY not in page.text


async def test_anothers_conversation_is_not_found_in_any_way(desk: Desk, owner: Account) -> None:
    """Reading, its stream, and every act: as for a number that there is not."""
    theirs = await written(desk, await desk.scene.account("robin"))
    before = await desk.scene.everything()
    token = re.search(r'name="form" value="([^"]+)"', (await desk.http.get("/messages/new")).text)
    assert token
    for number in (theirs.number, "0000-0000", "nothing"):
        answers = [
            await desk.http.get(f"/messages/{number}"),
            await desk.http.get(f"/messages/{number}/events"),
        ]
        for act in ("reply", "reopen", "close", "cancel"):
            sent = {"form": token[1], **({"text": "x"} if act[:2] == "re" else {})}
            answers.append(await desk.http.post(f"/messages/{number}/{act}", data=sent))
        assert {answer.status_code for answer in answers} == {404}
        # But for its reference, the page is one and the same.
        words = {re.sub(r"\b[0-9A-F]{8}\b", "", said(answer)) for answer in answers}
        assert len(words) == 1
    assert await desk.scene.everything() == before


async def test_a_number_in_another_spelling_leads_to_its_page(desk: Desk, owner: Account) -> None:
    """One page has one address."""
    ticket = await written(desk, owner)
    moved = await desk.http.get(f"/messages/{ticket.number.replace('-', '').lower()}")
    assert moved.status_code == 303
    assert moved.headers["location"] == f"/messages/{ticket.number}"


async def test_messages_need_a_session(desk: Desk) -> None:
    """Without one every page leads to the sign-in."""
    for address in ("/messages", "/messages/new", "/messages/notices", "/messages/0000-0000"):
        answer = await desk.http.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_forms_of_other_sites_are_refused(desk: Desk, owner: Account) -> None:
    """No page elsewhere writes, closes or cancels in a client's name."""
    ticket = await written(desk, owner)
    before = await desk.scene.everything()
    for address in ("/messages/new", f"/messages/{ticket.number}/cancel", "/messages/notices"):
        for headers in ({"origin": "https://evil.example"}, {}):
            answer = await desk.http.post(address, data=FIELDS, headers=headers)
            assert answer.status_code in (400, 403)
    assert await desk.scene.everything() == before


# --- notices -----------------------------------------------------------------------------------


async def test_mails_carry_nothing_until_somebody_chooses(desk: Desk, owner: Account) -> None:
    """And the choice can be taken back."""
    page = await desk.http.get("/messages/notices")
    assert re.search(r'value="secure" checked', page.text)
    assert "No mail address of yours is verified" in said(page)
    for chosen in ("text", "secure"):
        sent = await desk.send("/messages/notices", "/messages/notices", mails=chosen)
        page = await desk.http.get(sent.headers["location"])
        assert re.search(rf'value="{chosen}" checked', page.text)
        assert "Saved." in said(page)


async def test_a_conversation_that_is_long_over_is_not_found(desk: Desk, owner: Account) -> None:
    """Its days are over, and the mark of an unread answer goes with it."""
    session, _ = await open_session(desk.scene, owner)
    ticket = await written(desk, owner)
    await service.cancel(desk.scene.ctx, session, ticket)
    desk.scene.clock.step(31 * DAY)
    await desk.sign_in(owner)
    assert (await desk.http.get(f"/messages/{ticket.number}")).status_code == 404
