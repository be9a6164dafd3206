"""Telling: what happened reaches its owner by every way, whatever fails on the way."""

import asyncio
import json

import pytest
from sqlalchemy import select

from tests.login.scene import Scene, with_settings
from tests.notifications.reaching import MAIL, Reached, reached
from tests.patience import until
from vestibule.accounts.store import account
from vestibule.base import audit
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.context import MessageOutcome, PushOutcome
from vestibule.base.database import Tx
from vestibule.contacts import service as contacts
from vestibule.devices import service as devices
from vestibule.devices.store import enrollment
from vestibule.notifications import service
from vestibule.notifications.rules import LEASE_MS, TEXTS_A_DAY
from vestibule.notifications.store import delivery, notice, told_event


@pytest.fixture
async def person(scene: Scene) -> Reached:
    """Somebody with an address, a number and a phone."""
    return await reached(scene)


async def test_notice_is_made_in_the_transaction_of_its_event(person: Reached) -> None:
    """What is rolled back is told to nobody; what is committed has its notice at that moment."""
    ctx, before = person.scene.ctx, len(await person.scene.rows(notice))

    async def fails(tx: Tx) -> None:
        await audit.record(
            tx, event="enrollment.removed", account_id=person.account.id, actor="x", at=1
        )
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await ctx.db.write(fails)
    assert len(await person.scene.rows(notice)) == before
    id_ = await person.happens("enrollment.removed", label="Pixel 9")
    made = (await person.scene.rows(notice))[-1]
    assert (made["id"], made["account_id"], made["weight"]) == (id_, person.account.id, "alarm")
    assert json.loads(made["detail"]) == {"label": "Pixel 9"}


async def test_only_what_is_told_becomes_a_notice(person: Reached) -> None:
    """Not other events, not refusals, not sign-ins from a browser that is known."""
    before = len(await person.scene.rows(notice))
    await person.happens("login.approved")
    await person.happens("session.opened", known=True, browser="Firefox on Windows")
    await person.scene.ctx.db.write(
        lambda tx: audit.record(
            tx, event="enrollment.created", account_id=person.account.id, actor="x", at=1,
            result="enrollment_exists",
        )
    )  # fmt: skip
    assert len(await person.scene.rows(notice)) == before
    await person.happens("session.opened", known=False, browser="Firefox on Windows")
    assert len(await person.scene.rows(notice)) == before + 1


async def test_an_event_added_to_the_table_is_told_without_a_migration(person: Reached) -> None:
    """The trigger reads a table: a new line there is enough."""
    before = len(await person.scene.rows(notice))
    await person.scene.ctx.db.run(
        told_event.insert(),
        event="statement.failed",
        weight="info",
        only_detail="",
        unless_detail="",
    )
    await person.happens("statement.failed")
    assert len(await person.scene.rows(notice)) == before + 1


async def test_alarm_goes_every_way_and_is_told_once(person: Reached) -> None:
    """Mail, text and push; asked again, nothing more is sent."""
    await person.happens("factor.removed", label="My key")
    assert await person.told() == (1, 1, 1)
    assert await person.told() == (0, 0, 0)
    assert await person.outcomes() == {"mail": "sent", "sms": "sent", "push": "sent"}
    mail = person.scene.mail.sent[-1]
    assert mail.to == MAIL
    assert "My key cannot be used to sign in any more." in mail.text
    number, text, by, _ = person.scene.text.sent[-1]
    assert (number, by) == ("+393471234567", "sms")
    assert "A second factor was removed" in text
    assert "not-me" not in text
    assert all(row["address"] == "" for row in await person.scene.rows(delivery))


async def test_information_sends_no_text(person: Reached) -> None:
    """Text messages cost money and attention: for alarms only."""
    await person.happens("account.seamless_off")
    assert await person.told() == (1, 0, 1)


async def test_push_says_nothing_of_what_happened(person: Reached) -> None:
    """A locked screen shows that there is something to read, and no more."""
    await person.happens("factor.removed", label="My key")
    await person.told()
    _, payload, _, _ = person.scene.push.sent[-1]
    message = json.loads(payload)
    assert (message["kind"], message["web_push"]) == ("notice", 8030)
    for told in ("My key", "rossi", "factor", person.account.id):
        assert told not in payload.decode()


async def test_new_phone_is_not_told_of_itself(scene: Scene) -> None:
    """The others are."""
    person = await reached(scene, phones=2)
    await person.happens("enrollment.created", subject=person.phones[0].id, label="Pixel 0")
    assert await person.told() == (1, 1, 1)
    target, *_ = scene.push.sent[-1]
    assert target.endpoint.endswith(person.phones[1].id)


async def test_removed_phone_is_told_no_more_and_the_others_are(scene: Scene) -> None:
    """A real removal, with the event that the service writes."""
    person = await reached(scene, phones=2)
    (gone,) = [
        phone.enrollment
        for phone in await devices.list_phones(scene.ctx, person.account.id)
        if phone.enrollment.id == person.phones[0].id
    ]
    await devices.remove_by_operator(scene.ctx, gone)
    assert await person.told() == (1, 1, 1)
    assert "Pixel 0 cannot approve sign-ins any more." in scene.mail.sent[-1].text


async def test_quiet_hours_hold_back_information_only(person: Reached) -> None:
    """A push about nothing urgent waits for the morning; an alarm, and all mails, do not."""
    await person.prefer(quiet_from=0, quiet_until=24 * 60 - 1, timezone="UTC")
    now = person.scene.clock.now()
    person.scene.clock.step(DAY - now % DAY + HOUR)
    await person.happens("account.seamless_off")
    assert await person.told() == (1, 0, 0)
    await person.happens("factor.removed", label="k")
    assert await person.told() == (1, 1, 1)
    person.scene.clock.step(23 * HOUR)
    assert await person.told() == (0, 0, 1)


async def test_push_that_waited_is_dropped_when_it_was_read_meanwhile(person: Reached) -> None:
    """Nobody is woken for what they have seen in the portal."""
    await person.prefer(quiet_from=0, quiet_until=24 * 60 - 1, timezone="UTC")
    now = person.scene.clock.now()
    person.scene.clock.step(DAY - now % DAY + HOUR)
    upto = await person.happens("account.seamless_off")
    await person.told()
    await service.mark_read(person.scene.ctx, person.account.id, upto=upto)
    person.scene.clock.step(23 * HOUR)
    assert await person.told() == (0, 0, 0)
    assert (await person.outcomes())["push"] == "read"


async def test_failures_are_tried_again_and_then_given_up(person: Reached) -> None:
    """A mail server that is down for an hour costs an hour; one that is gone, nothing for ever."""
    scene = person.scene
    scene.mail.outcome = MessageOutcome.FAILED
    await person.happens("account.seamless_off")
    assert (await person.told())[0] == 1
    assert (await person.told())[0] == 0
    scene.clock.step(2 * MINUTE)
    assert (await person.told())[0] == 1
    scene.mail.outcome = MessageOutcome.SENT
    scene.clock.step(6 * MINUTE)
    assert (await person.told())[0] == 1
    assert (await person.outcomes())["mail"] == "sent"
    scene.mail.outcome = MessageOutcome.FAILED
    await person.happens("account.seamless_on")
    tries = 0
    for _ in range(20):
        tries += (await person.told())[0]
        scene.clock.step(DAY)
    assert tries == 8
    assert (await person.outcomes())["mail"] == "failed"


async def test_address_that_does_not_exist_is_not_tried_again(person: Reached) -> None:
    """The mail server's no is final."""
    person.scene.mail.outcome = MessageOutcome.REFUSED
    await person.happens("account.seamless_off")
    assert (await person.told())[0] == 1
    person.scene.clock.step(DAY)
    assert (await person.told())[0] == 0


async def test_ended_subscription_ends_the_delivery(person: Reached) -> None:
    """Gone is gone, and the subscription is forgotten."""
    person.scene.push.outcome = PushOutcome.GONE
    await person.happens("account.seamless_off")
    await person.told()
    assert (await person.outcomes())["push"] == "gone"
    (row,) = await person.scene.rows(enrollment)
    assert row["subscription"] is None


async def test_several_tellers_tell_once(person: Reached) -> None:
    """However many workers look at the same moment."""
    await person.happens("factor.removed", label="k")
    before = len(person.scene.mail.sent)
    await asyncio.gather(*(service.tell_due(person.scene.ctx) for _ in range(5)))
    assert len(person.scene.mail.sent) == before + 1
    rows = await person.scene.rows(delivery)
    assert len([row for row in rows if row["notice_id"] == rows[-1]["notice_id"]]) == 3


async def test_delivery_of_a_dead_process_is_taken_over_after_its_lease(
    person: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who took it and died is not waited for longer than a lease; before that nobody else sends."""
    scene = person.scene
    await person.happens("account.seamless_off")

    async def dies(*_: object) -> MessageOutcome:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(scene.mail, "send", dies)
        with pytest.raises(asyncio.CancelledError):
            await service.tell_due(scene.ctx)
        await asyncio.sleep(0)
    assert (await person.told())[0] == 0
    scene.clock.step(LEASE_MS + 1)
    assert (await person.told())[0] == 1


async def test_removed_address_still_hears_of_alarms(person: Reached) -> None:
    """A thief cannot silence its owner by removing the address first; small news end."""
    scene = person.scene
    await contacts.remove_by_operator(scene.ctx, person.mail)
    assert (await person.told())[0] == 1
    await person.happens("account.seamless_off")
    assert (await person.told())[0] == 0
    await person.happens("factor.removed", label="k")
    assert (await person.told())[0] == 1
    scene.clock.step((scene.ctx.settings.old_address_days + 1) * DAY)
    await person.happens("factor.removed", label="k")
    assert (await person.told())[0] == 0


async def test_texts_to_one_number_are_few_a_day(person: Reached) -> None:
    """Whoever causes many alarms causes a bill that ends; mails and pushes go on."""
    told = [await _alarm(person) for _ in range(TEXTS_A_DAY + 2)]
    assert sum(texts for _, texts, _ in told) <= TEXTS_A_DAY
    assert [mails for mails, _, _ in told] == [1] * (TEXTS_A_DAY + 2)
    person.scene.clock.step(DAY + HOUR)
    assert (await _alarm(person))[1] == 1


async def _alarm(person: Reached) -> tuple[int, int, int]:
    await person.happens("factor.removed", label="k")
    return await person.told()


async def test_one_text_that_breaks_holds_up_no_other(
    person: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail that cannot be rendered is logged and tried later; the push goes out."""

    async def breaks(*_: object) -> MessageOutcome:
        raise ValueError("unrenderable")

    monkeypatch.setattr(person.scene.mail, "send", breaks)
    await person.happens("factor.removed", label="k")
    assert await person.told() == (0, 1, 1)


async def test_old_notices_are_swept(person: Reached) -> None:
    """With what was delivered; younger ones stay."""
    scene = with_settings(person.scene, notice_days=30)
    await person.happens("account.seamless_off")
    await person.told()
    await service.sweep_notices(scene.ctx)
    assert await scene.rows(notice)
    scene.clock.step(31 * DAY)
    await service.sweep_notices(scene.ctx)
    assert (await scene.rows(notice), await scene.rows(delivery)) == ([], [])


async def test_operator_tells_of_the_operators_own(person: Reached) -> None:
    """Title and text are theirs; no button, for there is nothing that was not you."""
    await service.send_notice(
        person.scene.ctx,
        account_ids=[person.account.id],
        title="Closed on {Friday}",
        text="The portal rests from 22:00.",
    )
    assert await person.told() == (1, 0, 1)
    mail = person.scene.mail.sent[-1]
    assert mail.subject.endswith(": Closed on {Friday}")
    assert "The portal rests from 22:00." in mail.text
    assert "not-me" not in mail.text + mail.html


async def test_bell_wakes_the_teller_after_a_commit(person: Reached) -> None:
    """No waiting for the half minute: what is committed is told within moments."""
    ctx, bell = person.scene.ctx, service.Bell()
    ctx.db.after_commit(bell.ring)
    teller = asyncio.create_task(service.tell_for_ever(ctx, bell))
    before = len(person.scene.mail.sent)
    try:
        await asyncio.sleep(0.5)
        await person.happens("account.seamless_off")
        await until(lambda: len(person.scene.mail.sent) > before, 20)
    finally:
        teller.cancel()


async def test_page_mark_stays_for_what_came_meanwhile(person: Reached) -> None:
    """Marking read what was shown takes the mark back, unless there is something newer."""
    ctx = person.scene.ctx
    seen = await person.happens("account.seamless_off")
    newer = await person.happens("account.seamless_on")
    await service.mark_read(ctx, person.account.id, upto=seen)
    assert await unread_of(person) == newer
    await service.mark_read(ctx, person.account.id, upto=newer)
    assert await unread_of(person) is None


async def unread_of(person: Reached) -> int | None:
    """The account's mark."""
    row = await person.scene.ctx.db.one(
        select(account.c.unread_notice).where(account.c.id == person.account.id)
    )
    assert row is not None
    value: int | None = row["unread_notice"]
    return value
