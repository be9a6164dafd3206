"""What people are told of conversations, and reminded of: on both databases."""

import asyncio

from tests.desk import open_session
from tests.support.talking import Two, told_by_mail, verified_mail
from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY, HOUR
from vestibule.support import service
from vestibule.support.rules import REMINDERS, State
from vestibule.support.store.tickets import ticket_message

# --- telling -----------------------------------------------------------------------------------


async def test_reminders_come_by_priority_and_end(two: Two) -> None:
    """An urgent answer is told of again every hour, so many times, until it is read."""
    ctx, clock = two.scene.ctx, two.scene.clock
    await two.answer(await two.write(priority="high"))
    clock.step(HOUR - 1)
    assert await service.remind_due(ctx) == 0
    clock.step(1)
    assert await service.remind_due(ctx) == 1
    assert await service.remind_due(ctx) == 0
    for _ in range(REMINDERS + 3):
        clock.step(HOUR)
        await service.remind_due(ctx)
    assert (await two.told()).count("support.reminded") == REMINDERS


async def test_who_has_read_is_not_reminded(two: Two) -> None:
    """And a further answer begins the reminders afresh."""
    ctx, clock = two.scene.ctx, two.scene.clock
    ticket = await two.answer(await two.write(priority="low"))
    await two.read(ticket)
    clock.step(13 * HOUR)
    assert await service.remind_due(ctx) == 0
    await two.answer(ticket, "One thing more.")
    clock.step(12 * HOUR)
    assert await service.remind_due(ctx) == 1


async def test_two_processes_remind_once(two: Two) -> None:
    """Whoever is second finds it done."""
    ctx = two.scene.ctx
    await two.answer(await two.write(priority="high"))
    two.scene.clock.step(HOUR)
    counts = await asyncio.gather(service.remind_due(ctx), service.remind_due(ctx))
    assert sorted(counts) == [0, 1]
    assert (await two.told()).count("support.reminded") == 1


async def test_mails_carry_the_answer_only_for_who_chose_it(two: Two) -> None:
    """Unless somebody chose otherwise nothing; and never another account's."""
    ctx = two.scene.ctx
    await two.answer(await two.write(), "The words.")
    event = (await two.scene.events())[-1]
    detail = {"message": event["detail"].split('"message":"')[1][:22]}
    assert await service.quoted(ctx, account_id=two.account.id, detail=detail) == ""
    await service.set_text_in_mails(ctx, two.client, chosen=True)
    assert await service.quoted(ctx, account_id=two.account.id, detail=detail) == "The words."
    other, _ = await open_session(two.scene, await two.scene.account("robin"))
    await service.set_text_in_mails(ctx, other, chosen=True)
    assert await service.quoted(ctx, account_id=other.account_id, detail=detail) == ""


async def test_an_answer_is_told_without_its_words(two: Two) -> None:
    """The mail says that there is one and where; with the choice made, it has the words."""
    scene = two.scene
    await verified_mail(two)
    ticket = await two.answer(await two.write(subject="Subject word"), "Answer word.")
    plain = await told_by_mail(two)
    assert "Answer word" not in str(plain)
    assert "Subject word" not in str(plain)
    assert f"/messages/{ticket.number}" in plain.text
    await service.set_text_in_mails(scene.ctx, two.client, chosen=True)
    await two.answer(ticket, "Second <b>answer</b>\nof two lines.")
    full = await told_by_mail(two)
    assert "> Second <b>answer</b>\n> of two lines." in full.text
    assert "Second &lt;b&gt;answer" in full.html


async def test_the_sweep_keeps_what_the_journal_still_speaks_of(two: Two) -> None:
    """What was closed before `audit_days` goes, with its messages; an open one stays."""
    ctx = two.scene.ctx
    await two.write("stays")
    await service.cancel(ctx, two.client, await two.write("goes"))
    assert await service.sweep_tickets(ctx) == 0
    two.scene.clock.step(ctx.settings.audit_days * DAY + 1)
    assert await service.sweep_tickets(ctx) == 1
    assert [row["text"] for row in await two.scene.rows(ticket_message)] == ["stays"]


async def test_a_disabled_account_loses_no_message(two: Two) -> None:
    """An answer to somebody who may not sign in now is stored all the same."""
    ticket = await two.write()
    await accounts.set_disabled(two.scene.ctx, account_id=two.account.id, disabled=True)
    assert (await two.answer(ticket)).state is State.ANSWERED
