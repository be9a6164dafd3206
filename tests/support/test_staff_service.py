"""The desk from its inner side: what is read, who was first, and how long clients waited."""

import asyncio
from typing import Any

import pytest

from tests.login.scene import Scene
from tests.support.staffing import SUBJECT, TEXT, client, hire, write
from vestibule.base.clock import DAY, HOUR, MINUTE, SECOND
from vestibule.base.errors import Refused
from vestibule.staff import service as staff
from vestibule.staff.rules import Role
from vestibule.support import service
from vestibule.support.rules import Priority, State, Topic
from vestibule.support.rules.queue import Asked, View
from vestibule.support.service import canned, queue, reading
from vestibule.support.store.desk import ticket_presence

ALL = Asked(view=View.ALL)


async def test_the_queue_has_whoever_is_due_first_on_top(scene: Scene) -> None:
    """Then those who wait for nobody; what is closed is a list of its own."""
    sam = await hire(scene, "sam")
    writer = await client(scene)
    low = await write(scene, writer, priority=Priority.LOW)
    normal = await write(scene, writer)
    high = await write(scene, writer, priority=Priority.HIGH)
    done = await write(scene, writer)
    await service.answer(scene.ctx, sam.member, normal, "Here you are.")
    await service.settle(scene.ctx, sam.member, done)
    seen = await queue.look(scene.ctx, sam.member, ALL)
    assert [line.number for line in seen.lines] == [high.number, low.number, normal.number]
    assert (seen.counts.all, seen.counts.waiting, seen.counts.mine, seen.counts.unassigned) == (
        3,
        2,
        1,
        2,
    )
    mine = await queue.look(scene.ctx, sam.member, Asked(view=View.MINE))
    nobodys = await queue.look(scene.ctx, sam.member, Asked(view=View.UNASSIGNED))
    over = await queue.look(scene.ctx, sam.member, Asked(view=View.OVER))
    assert [line.number for line in mine.lines] == [normal.number]
    assert [line.number for line in nobodys.lines] == [high.number, low.number]
    assert [line.number for line in over.lines] == [done.number]
    scene.clock.step(14 * DAY)
    assert (await queue.count(scene.ctx, sam.member)).late == 2


async def test_security_is_neither_listed_nor_counted_nor_found_for_support(scene: Scene) -> None:
    """An officer has it; to others it is as if it did not exist."""
    sam, olive = await hire(scene, "sam"), await hire(scene, "olive", Role.OFFICER)
    oz = await hire(scene, "oz", Role.OBSERVER)
    secret = await write(scene, await client(scene), topic=Topic.SECURITY)
    for one, count in ((sam, 0), (oz, 0), (olive, 1)):
        seen = await queue.look(scene.ctx, one.member, ALL)
        assert (len(seen.lines), seen.counts.all, seen.counts.waiting) == (count, count, count)
    for find in (secret.number, "morgan", "Subject"):
        asked = Asked(view=View.ALL, find=find)
        assert (await queue.look(scene.ctx, sam.member, asked)).lines == ()
        assert len((await queue.look(scene.ctx, olive.member, asked)).lines) == 1
    with pytest.raises(Refused, match="not_found"):
        await reading.find(scene.ctx, sam.member, secret.number)
    for act in (
        service.answer(scene.ctx, sam.member, secret, "x"),
        service.note(scene.ctx, sam.member, secret, "x"),
        service.assign(scene.ctx, sam.member, secret, sam.member.account_id),
        service.settle(scene.ctx, sam.member, secret),
    ):
        with pytest.raises(Refused, match="not_found"):
            await act
    opened = await reading.open_up(scene.ctx, olive.member, secret.number)
    assert [one.username for one in opened.colleagues] == ["olive"]
    with pytest.raises(Refused, match="not_found"):
        await reading.get_colleague(scene.ctx, secret, sam.member.account_id)


@pytest.mark.parametrize("find", ["{number}", "MORGAN", "gan can", "Subject", "bject can"])
async def test_a_conversation_is_found_by_what_one_has_of_it(scene: Scene, find: str) -> None:
    """Its number in any writing, the username, a part of name or subject."""
    sam = await hire(scene, "sam")
    wanted = await write(scene, await client(scene))
    await write(scene, await client(scene, "someone"), subject="Other")
    typed = find.format(number=wanted.number.lower().replace("-", " "))
    seen = await queue.look(scene.ctx, sam.member, Asked(view=View.ALL, find=typed))
    assert wanted.number in [line.number for line in seen.lines]
    none = await queue.look(scene.ctx, sam.member, Asked(view=View.ALL, find="%"))
    assert none.lines == ()


async def test_opening_shows_notes_sign_ins_and_other_conversations(scene: Scene) -> None:
    """Everything that answering needs, on one page; an observer opens nothing."""
    sam, oz = await hire(scene, "sam"), await hire(scene, "oz", Role.OBSERVER)
    writer = await client(scene)
    first = await write(scene, writer, subject="Earlier")
    one = await write(scene, writer)
    await service.note(scene.ctx, sam.member, one, "Called back.")
    opened = await reading.open_up(scene.ctx, sam.member, one.number.lower())
    assert [(message.by.value, message.text) for message in opened.messages] == [
        ("client", TEXT),
        ("note", "Called back."),
    ]
    assert [line.number for line in opened.others] == [first.number]
    assert [sign_in.id for sign_in in opened.sign_ins] == [writer.id]
    assert opened.client.username == "morgan"
    with pytest.raises(Refused, match="staff_role"):
        await reading.open_up(scene.ctx, oz.member, one.number)
    with pytest.raises(Refused, match="staff_role"):
        await service.note(scene.ctx, oz.member, one, "x")
    with pytest.raises(Refused, match="not_found"):
        await reading.find(scene.ctx, sam.member, "ZZZZ-ZZZZ")


async def test_colleagues_see_who_else_has_it_open_for_a_while(scene: Scene) -> None:
    """And nobody sees themselves."""
    sam, olive = await hire(scene, "sam"), await hire(scene, "olive", Role.OFFICER)
    one = await write(scene, await client(scene))
    assert await reading.be_present(scene.ctx, sam.member, one) == ()
    assert await reading.be_present(scene.ctx, olive.member, one) == ("Sam Name",)
    assert await reading.be_present(scene.ctx, sam.member, one) == ("Olive Name",)
    scene.clock.step(reading.PRESENT_MS)
    assert await reading.be_present(scene.ctx, sam.member, one) == ()
    scene.clock.step(reading.PRESENT_MS + SECOND)
    await reading.sweep_presence(scene.ctx)
    assert await scene.rows(ticket_presence) == []


async def test_a_page_that_stays_open_hears_until_session_or_role_end(scene: Scene) -> None:
    """It does not keep the session alive, and tells nothing to one who may no longer know."""
    sam = await hire(scene, "sam")
    one = await write(scene, await client(scene))
    await service.note(scene.ctx, sam.member, one, "x")
    found = await reading.news(scene.ctx, sam.session, one.number)
    assert found is not None
    assert (found[0].version, found[1], found[2]) == (1, 1, ())
    await staff.add_member(scene.ctx, sam.account, role=Role.OBSERVER)
    assert await reading.news(scene.ctx, sam.session, one.number) is None
    await staff.add_member(scene.ctx, sam.account, role=Role.OFFICER)
    assert await reading.news(scene.ctx, sam.session, one.number) is not None
    scene.clock.step((scene.ctx.settings.session_idle_minutes + 1) * MINUTE)
    assert await reading.news(scene.ctx, sam.session, one.number) is None


async def test_who_comes_second_is_told_who_was_first(scene: Scene) -> None:
    """Answers to what is no longer so are not sent; pressed twice the same form sends one."""
    sam, olive = await hire(scene, "sam"), await hire(scene, "olive", Role.OFFICER)
    writer = await client(scene)
    one = await write(scene, writer)
    first = await service.answer(scene.ctx, sam.member, one, "A", once="f", seen=one.version)
    again = await service.answer(scene.ctx, sam.member, one, "A", once="f", seen=one.version)
    assert again.version == first.version
    assert first.assigned_to == sam.member.account_id
    with pytest.raises(Refused, match="desk_changed") as refused:
        await service.answer(scene.ctx, olive.member, one, "B", seen=one.version)
    assert refused.value.facts == {"who": "Sam Name"}
    scene.clock.step(SECOND)
    await service.reply(scene.ctx, writer, first, text="More")
    for act in (
        service.answer(scene.ctx, olive.member, one, "B", seen=first.version),
        service.settle(scene.ctx, olive.member, one, seen=first.version),
        service.assign(scene.ctx, olive.member, one, olive.member.account_id, seen=first.version),
    ):
        with pytest.raises(Refused, match="desk_changed") as refused:
            await act
        assert refused.value.facts == {"who": "Morgan Canary"}
    texts = [message.text for message in await service.messages_for_staff(scene.ctx, one)]
    assert texts == [TEXT, "A", "More"]


async def test_of_answers_side_by_side_one_is_sent(scene: Scene) -> None:
    """However close: a client never gets two answers that do not know of each other."""
    members = [(await hire(scene, f"sam{number}")).member for number in range(4)]
    one = await write(scene, await client(scene))
    results = await asyncio.gather(
        *(
            service.answer(scene.ctx, member, one, f"From {member.username}", seen=one.version)
            for member in members
        ),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, Refused)]
    assert [fault.code.name for fault in refused] == ["desk_changed"] * 3
    assert len(await service.messages_for_staff(scene.ctx, one)) == 2


async def test_answer_and_close_is_one_step(scene: Scene) -> None:
    """Both or neither; the client may still open it again."""
    sam = await hire(scene, "sam")
    one = await write(scene, await client(scene))
    after = await service.answer(scene.ctx, sam.member, one, "Done.", close=True)
    assert (after.state, after.first_answered_at) == (State.CLOSED, scene.clock.now())
    with pytest.raises(Refused, match="desk_moved"):
        await service.answer(scene.ctx, sam.member, after, "Late.")
    told = [row["event"] for row in await scene.events() if row["event"].startswith("support.")]
    assert told[-2:] == ["support.answered", "support.closed"]


async def test_support_takes_what_nobody_has_and_officers_hand_over(scene: Scene) -> None:
    """A colleague's conversation is theirs until an officer says otherwise."""
    sam, sue = await hire(scene, "sam"), await hire(scene, "sue")
    olive = await hire(scene, "olive", Role.OFFICER)
    one = await write(scene, await client(scene))
    taken = await service.assign(scene.ctx, sam.member, one, sam.member.account_id)
    assert (taken.state, taken.assigned_to) == (State.ASSIGNED, sam.member.account_id)
    for receiver in (sue.member.account_id, None):
        with pytest.raises(Refused, match="staff_role"):
            await service.assign(scene.ctx, sue.member, one, receiver)
    given = await service.assign(scene.ctx, olive.member, one, sue.member.account_id)
    assert given.assigned_to == sue.member.account_id
    back = await service.assign(scene.ctx, sue.member, one, None)
    assert (back.state, back.assigned_to) == (State.NEW, None)


async def test_the_plot_counts_staffed_hours_of_answered_waits(scene: Scene) -> None:
    """Also of security, for an observer too: it says how long and nothing else."""
    sam, oz = await hire(scene, "sam", Role.OFFICER), await hire(scene, "oz", Role.OBSERVER)
    writer = await client(scene)
    hours = service.targets_of(scene.ctx).hours
    assert not (await queue.waiting(scene.ctx, oz.member)).any
    scene.clock.step(hours.opens(scene.clock.now()) - scene.clock.now())
    one = await write(scene, writer, topic=Topic.SECURITY)
    scene.clock.step(20 * MINUTE - SECOND)
    await service.note(scene.ctx, sam.member, one, "Looking at it.")
    scene.clock.step(20 * MINUTE)
    answered = await service.answer(scene.ctx, sam.member, one, "Here.")
    assert answered.state is State.ANSWERED
    plot = await queue.waiting(scene.ctx, oz.member)
    assert plot.answers == 1
    assert plot.days[-1].median_ms == 40 * MINUTE
    scene.clock.step(31 * DAY)
    assert not (await queue.waiting(scene.ctx, oz.member)).any


async def test_canned_answers_are_written_by_officers_and_used_by_all(scene: Scene) -> None:
    """One text for a name and a language; whoever is second is told who was first."""
    sam, olive = await hire(scene, "sam"), await hire(scene, "olive", Role.OFFICER)
    oz = await hire(scene, "oz", Role.OBSERVER)
    how: dict[str, str] = {"name": "Phone lost", "language": "fr", "text": "Bonjour", "source": "x"}
    with pytest.raises(Refused, match="staff_role"):
        await canned.add_canned(scene.ctx, member=sam.member, **how)
    with pytest.raises(Refused, match="staff_role"):
        await canned.list_canned(scene.ctx, oz.member)
    made = await canned.add_canned(scene.ctx, member=olive.member, **how)
    for wrong, code in (
        ({"name": "phone LOST"}, "canned_exists"),
        ({"name": " "}, "canned_name"),
        ({"language": "tlh"}, "canned_language"),
        ({"text": "\n"}, "desk_text"),
    ):
        with pytest.raises(Refused, match=code):
            await canned.add_canned(scene.ctx, member=olive.member, **(how | wrong))
    change: dict[str, Any] = {"member": olive.member, "canned_id": made, "source": "x"}
    await canned.change_canned(scene.ctx, seen=1, text="Bonsoir", **change)
    with pytest.raises(Refused, match="canned_changed") as refused:
        await canned.change_canned(scene.ctx, seen=1, text="Salut", **change)
    assert refused.value.facts == {"who": "Olive Name"}
    (kept,) = await canned.list_canned(scene.ctx, sam.member)
    assert (kept.text, kept.version) == ("Bonsoir", 2)
    with pytest.raises(Refused, match="staff_role"):
        await canned.remove_canned(scene.ctx, member=sam.member, canned_id=made, seen=2, source="x")
    await canned.remove_canned(scene.ctx, seen=2, **change)
    with pytest.raises(Refused, match="not_found"):
        await canned.remove_canned(scene.ctx, seen=2, **change)
    told = [row for row in await scene.events() if row["event"].startswith("support.canned")]
    assert [row["event"] for row in told] == [
        "support.canned_added",
        "support.canned_changed",
        "support.canned_removed",
    ]
    assert "Bon" not in str(told)


async def test_notes_reach_no_client(scene: Scene) -> None:
    """Not in the conversation, not in its journal, not in what mails quote."""
    sam = await hire(scene, "sam")
    writer = await client(scene)
    one = await write(scene, writer)
    await service.note(scene.ctx, sam.member, one, "NOTE-CANARY")
    assert "NOTE-CANARY" not in repr(await service.messages_for_client(scene.ctx, one))
    assert "NOTE-CANARY" not in repr(await scene.events())
    assert SUBJECT not in repr(await scene.events())


async def test_an_answer_waits_for_nobodys_clock(scene: Scene) -> None:
    """Due is counted from when the client began to wait, whoever has it meanwhile."""
    sam = await hire(scene, "sam")
    one = await write(scene, await client(scene))
    scene.clock.step(HOUR)
    taken = await service.assign(scene.ctx, sam.member, one, sam.member.account_id)
    assert (taken.due_at, taken.waiting_since) == (one.due_at, one.waiting_since)
