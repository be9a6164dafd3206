"""Conversations as client and staff move them: on both databases."""

import asyncio

import pytest

from tests.desk import open_session
from tests.login.scene import code_of
from tests.support.talking import CANARY, Two, refused
from vestibule.base.clock import DAY, MINUTE
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.support import service
from vestibule.support.rules import By, State, Topic
from vestibule.support.service import tickets
from vestibule.support.store.tickets import ticket as ticket_table, ticket_message

# --- opening -----------------------------------------------------------------------------------


async def test_a_new_conversation_waits_for_staff_by_a_time(two: Two) -> None:
    """It is new, has a number that can be read out, and is due in two hours of the desk."""
    ticket = await two.write()
    assert (ticket.state, ticket.assigned_to) == (State.NEW, None)
    assert [len(part) for part in ticket.number.split("-")] == [4, 4]
    hours = service.targets_of(two.scene.ctx).hours
    assert ticket.due_at is not None
    assert hours.worked(ticket.opened_at, ticket.due_at) == 120 * MINUTE
    found = await service.get_ticket(two.scene.ctx, two.client, ticket.number)
    assert found == ticket
    said = await service.messages_for_client(two.scene.ctx, ticket)
    assert [(one.by, one.text) for one in said] == [(By.CLIENT, "Nothing comes any more.")]


async def test_its_event_holds_no_word_of_it(two: Two) -> None:
    """The journal says number, topic and priority."""
    await two.write("my secret words", subject="secret subject")
    event = (await two.scene.events())[-1]
    assert (event["event"], event["account_id"]) == ("support.opened", two.account.id)
    assert "secret" not in str(event)


async def test_the_same_form_sent_twice_opens_one(two: Two) -> None:
    """At once or one after the other: the second answer is the first."""
    once = new_id()
    first, second = await asyncio.gather(two.write(once=once), two.write(once=once))
    third = await two.write(once=once)
    assert first.number == second.number == third.number
    assert len(await two.scene.rows(ticket_table)) == 1
    assert len(await two.scene.rows(ticket_message)) == 1


async def test_a_form_that_was_changed_after_it_was_sent_loses_nothing(two: Two) -> None:
    """Somebody goes back, writes something else, and sends again: that is another one."""
    once = new_id()
    first = await two.write("one", once=once)
    second = await two.write("two", once=once)
    assert first.number != second.number
    assert {row["text"] for row in await two.scene.rows(ticket_message)} == {"one", "two"}


async def test_two_clients_with_a_form_of_one_name_have_nothing_in_common(two: Two) -> None:
    """The name of a form counts only together with whose it is."""
    once = new_id()
    mine = await two.write(once=once)
    other, _ = await open_session(two.scene, await two.scene.account("robin"))
    theirs = await service.open_ticket(
        two.scene.ctx,
        other,
        topic=Topic.SIGN_IN,
        subject="No notifications",
        text="Nothing comes any more.",
        once=once,
    )
    assert mine.id != theirs.id
    assert theirs.account_id == other.account_id


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"subject": " \n"}, "desk_subject"),
        ({"subject": "x" * 121}, "desk_subject"),
        ({"text": "\t"}, "desk_text"),
        ({"text": "x" * 8001}, "desk_text"),
    ],
)
async def test_what_is_empty_or_too_long_changes_nothing(
    two: Two, changes: dict[str, str], code: str
) -> None:
    """It is refused with its code, before anything is written."""
    before = await two.scene.everything()
    assert await refused(two.write(**changes)) == code
    assert await two.scene.everything() == before


async def test_messages_have_a_limit_per_account_and_window(two: Two) -> None:
    """Thirty in ten minutes; ten minutes later it goes on."""
    ticket = await two.write()
    for number in range(29):
        await service.reply(two.scene.ctx, two.client, ticket, text=f"{number}")
    again = service.reply(two.scene.ctx, two.client, ticket, text="once more")
    assert await refused(again) == "too_many_requests"
    two.scene.clock.step(10 * MINUTE)
    await service.reply(two.scene.ctx, two.client, ticket, text="now")


async def test_open_conversations_have_a_limit(two: Two) -> None:
    """Whoever has that many open closes one first."""
    made = []
    for number in range(tickets.OPEN_MOST):
        two.scene.clock.step(MINUTE)
        made.append(await two.write(f"{number}"))
    two.scene.clock.step(MINUTE)
    assert await refused(two.write("one more")) == "desk_full"
    await service.cancel(two.scene.ctx, two.client, made[0])
    await two.write("one more")


# --- whose it is -------------------------------------------------------------------------------


async def test_a_number_is_read_however_it_is_written(two: Two) -> None:
    """Small letters, no hyphen, a space, and the letters that look like digits."""
    ticket = await two.write()
    plain = ticket.number.replace("-", "")
    written = [plain, plain.lower(), f"{plain[:4]} {plain[4:]}", plain.replace("0", "o")]
    written += [plain.replace("1", "l"), plain.replace("1", "I")]
    for number in written:
        found = await service.get_ticket(two.scene.ctx, two.client, number)
        assert found.id == ticket.id


async def test_anothers_an_unknown_and_no_number_are_one_answer(two: Two) -> None:
    """The same code, the same facts and the same statements."""
    ticket = await two.write()
    other, _ = await open_session(two.scene, await two.scene.account("robin"))
    seen: dict[str, list[str]] = {}
    for number in (ticket.number, "0000-0000", "nothing at all", "%"):
        said: list[str] = []
        two.scene.ctx.db.observe(lambda _kind, sql, said=said: said.append(sql))  # type: ignore[misc]
        with pytest.raises(Refused) as caught:
            await service.get_ticket(two.scene.ctx, other, number, source="198.51.100.9")
        two.scene.ctx.db.observe(None)
        assert (code_of(caught.value), caught.value.facts) == ("not_found", {})
        # The first miss makes the rows of the limits, the others change them.
        seen[number] = [sql for sql in said if not sql.startswith(("INSERT", "UPDATE"))]
    assert len({tuple(statements) for statements in seen.values()}) == 1


async def test_guessing_numbers_is_answered_ever_less_often(two: Two) -> None:
    """After twenty misses in ten minutes it has to wait; one's own conversations still open."""
    mine = await two.write()
    for guess in range(20):
        missed = service.get_ticket(two.scene.ctx, two.client, f"0000-{guess:04d}")
        assert await refused(missed) == "not_found"
    missed = service.get_ticket(two.scene.ctx, two.client, "0000-9999")
    assert await refused(missed) == "too_many_requests"
    assert (await service.get_ticket(two.scene.ctx, two.client, mine.number)).id == mine.id


async def test_nobody_else_moves_a_conversation(two: Two) -> None:
    """Even a caller that was handed the record by mistake."""
    ticket = await two.write()
    other, _ = await open_session(two.scene, await two.scene.account("robin"))
    before = await two.scene.everything()
    for act in (service.cancel, service.close):
        assert await refused(act(two.scene.ctx, other, ticket)) == "not_found"
    for says in (service.reply, service.reopen):
        assert await refused(says(two.scene.ctx, other, ticket, text="mine now")) == "not_found"
    assert await two.scene.everything() == before


# --- there and back ----------------------------------------------------------------------------


async def test_an_answer_is_unread_until_its_client_looks(two: Two) -> None:
    """It marks every page, and looking takes the mark back with the notice about it."""
    ticket = await two.answer(await two.write())
    assert (ticket.state, ticket.assigned_to) == (State.ANSWERED, two.member.account_id)
    assert ticket.unread
    assert ticket.waiting_since is None
    assert await two.marked()
    assert await two.notices() == [("support.answered", False)]
    await two.read(ticket)
    assert not await two.marked()
    assert await two.notices() == [("support.answered", True)]
    assert not (await service.get_ticket(two.scene.ctx, two.client, ticket.number)).unread


async def test_an_answer_that_comes_while_another_is_read_stays_unread(two: Two) -> None:
    """What was looked at is the answer that the page showed, no later one."""
    await two.answer(await two.write())
    (shown,) = await service.list_tickets(two.scene.ctx, two.account.id)
    await two.answer(shown, "And one thing more.")
    await service.mark_seen(two.scene.ctx, two.client, shown)
    assert (await service.get_ticket(two.scene.ctx, two.client, shown.number)).unread
    assert await two.marked()


async def test_one_read_conversation_leaves_the_mark_of_another(two: Two) -> None:
    """The mark says that there is something, wherever it is."""
    one = await two.answer(await two.write("one"))
    other = await two.answer(await two.write("two"))
    await two.read(one)
    assert await two.marked()
    await two.read(other)
    assert not await two.marked()


async def test_a_whole_conversation_leaves_its_story(two: Two) -> None:
    """Opened, answered, replied to, answered, closed, opened again: each once in the journal."""
    ctx, clock = two.scene.ctx, two.scene.clock
    ticket = await two.write()
    clock.step(MINUTE)
    await two.answer(ticket)
    clock.step(MINUTE)
    ticket = await service.reply(ctx, two.client, ticket, text="That was not it.")
    assert (ticket.state, ticket.waiting_since) == (State.CLIENT_REPLIED, clock.now())
    clock.step(MINUTE)
    await two.answer(ticket, "Then this.")
    clock.step(MINUTE)
    ticket = await service.close(ctx, two.client, ticket)
    assert (ticket.state, ticket.closed_at) == (State.CLOSED, clock.now())
    clock.step(DAY)
    ticket = await service.reopen(ctx, two.client, ticket, text="It is back.")
    assert (ticket.state, ticket.closed_at) == (State.CLIENT_REPLIED, None)
    assert await two.told() == [
        "support.opened",
        "support.assigned",
        "support.answered",
        "support.replied",
        "support.answered",
        "support.closed",
        "support.reopened",
    ]
    said = await service.messages_for_client(ctx, ticket)
    assert [one.by for one in said] == [
        By.CLIENT, By.STAFF, By.CLIENT, By.STAFF, By.CLIENT
    ]  # fmt: skip
    assert [one.what for one in await service.history(ctx, ticket)] == [
        "assigned",
        "closed",
        "reopened",
    ]


async def test_a_closed_conversation_is_gone_after_its_days(two: Two) -> None:
    """It can be opened again to the last moment, and then its client does not find it any more."""
    ctx, clock = two.scene.ctx, two.scene.clock
    ticket = await service.cancel(ctx, two.client, await two.write())
    clock.step(30 * DAY - 1)
    assert [one.id for one in await service.list_tickets(ctx, two.account.id)] == [ticket.id]
    clock.step(1)
    assert await service.list_tickets(ctx, two.account.id) == []
    assert await refused(service.get_ticket(ctx, two.client, ticket.number)) == "not_found"
    late = service.reopen(ctx, two.client, ticket, text="Once more.")
    assert await refused(late) == "desk_reopen_late"


async def test_closing_and_answering_at_once_is_one_story(two: Two) -> None:
    """Whoever comes second is refused, or follows from what the first has made of it."""
    ctx = two.scene.ctx
    ticket = await two.answer(await two.write())
    results = await asyncio.gather(
        service.close(ctx, two.client, ticket),
        service.answer(ctx, two.member, ticket, "One thing more."),
        return_exceptions=True,
    )
    (row,) = await two.scene.rows(ticket_table)
    refusals = [one for one in results if isinstance(one, Refused)]
    # Closed last: both happened. Closed first: there was nothing to answer any more.
    assert row["state"] == "closed"
    assert [code_of(one) for one in refusals] in ([], ["desk_moved"])
    assert row["version"] == ticket.version + 2 - len(refusals)


async def test_pressing_close_twice_is_closing_once(two: Two) -> None:
    """The second press finds what it wanted."""
    ctx = two.scene.ctx
    ticket = await two.answer(await two.write())
    await service.close(ctx, two.client, ticket)
    await service.close(ctx, two.client, ticket)
    assert (await two.told()).count("support.closed") == 1


# --- notes -------------------------------------------------------------------------------------


async def test_a_note_is_in_nothing_that_a_client_gets(two: Two) -> None:
    """Not in messages, events of the account, notices or the wake-up that pages compare by."""
    ctx = two.scene.ctx
    ticket = await two.write()
    before = await service.get_ticket(ctx, two.client, ticket.number)
    await service.note(ctx, two.member, ticket, CANARY)
    assert await service.get_ticket(ctx, two.client, ticket.number) == before
    assert CANARY not in str(await service.messages_for_client(ctx, ticket))
    assert CANARY in str(await service.messages_for_staff(ctx, ticket))
    noted = [row for row in await two.scene.events() if row["event"] == "support.noted"]
    assert [(row["account_id"], CANARY in str(row)) for row in noted] == [(None, False)]
    await service.set_text_in_mails(ctx, two.client, chosen=True)
    (note,) = [row for row in await two.scene.rows(ticket_message) if row["by"] == "note"]
    assert (
        await service.quoted(ctx, account_id=two.account.id, detail={"message": note["id"]}) == ""
    )
