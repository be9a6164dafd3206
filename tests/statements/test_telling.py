"""Telling of new statements: once each, by the ways that their reader chose."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from pysequoia import decrypt

from tests.login.scene import HERE, Scene, with_settings
from tests.notifications.reaching import Reached, reached
from tests.statements.press import CSV, OWNER, certified, publish
from vestibule.base.clock import DAY, HOUR, MINUTE, SECOND
from vestibule.base.context import MessageOutcome
from vestibule.delivery import service as delivery
from vestibule.delivery.rules import Choice, Mailed, Notices
from vestibule.notifications import service as notifications
from vestibule.notifications.rules import TOLD
from vestibule.notifications.store import notice
from vestibule.outside.mail import rendered
from vestibule.statements import service
from vestibule.statements.rules import Kind
from vestibule.statements.rules.telling import enclosed_kinds, notice_of
from vestibule.statements.store import statement

SILENT = Choice(mail=Mailed.OFF, push=False, listed=False)
LISTED = Choice(mail=Mailed.OFF)
ATTACHED = Choice(mail=Mailed.ATTACHMENT)
PUSHED = Choice(mail=Mailed.OFF, push=True)


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """With what `app` wires, and without waiting for more statements to come."""
    scene = with_settings(scene, statement_gather_seconds=0)
    return replace(scene, ctx=replace(scene.ctx, enclosing=service.enclosed))


@pytest.fixture
async def person(scene: Scene) -> Reached:
    """Somebody with an address, a number and a phone."""
    return await reached(scene)


async def told(person: Reached) -> tuple[int, int, int]:
    """Tell of statements, then carry that out; how many mails, texts and pushes that were."""
    await service.tell_ready(person.scene.ctx)
    return await person.told()


async def ready(person: Reached) -> list[dict[str, Any]]:
    """The details of the notices of statements so far."""
    rows = await person.scene.rows(notice)
    return [json.loads(row["detail"]) for row in rows if row["event"] == "statements.ready"]


async def choose(person: Reached, **kinds: Choice) -> None:
    """Choose ways; with a certificate, so that files may be chosen to come by mail."""
    session = await certified(person.scene, person.account)
    await delivery.set_notices(
        person.scene.ctx, session, notices=Notices(**kinds), source=HERE.address
    )
    await notifications.tell_due(person.scene.ctx)
    for sender in (person.scene.mail, person.scene.text, person.scene.push):
        sender.sent.clear()


# --- the rules ---------------------------------------------------------------------------------


def test_several_kinds_take_each_way_that_one_of_them_takes() -> None:
    """One notice for all: by mail for one, by push for another; silent ones are not spoken of."""
    notices = Notices(daily=ATTACHED, monthly=SILENT, trade=PUSHED)
    detail = notice_of({Kind.DAILY: 3, Kind.MONTHLY: 1, Kind.TRADE: 2}, notices)
    assert detail == {
        "daily": 3,
        "trade": 2,
        "mail": "attachment",
        "push": True,
        "enclosed": "daily",
    }
    assert enclosed_kinds(detail) == {Kind.DAILY}


def test_nothing_is_told_where_nothing_is_wanted() -> None:
    """All kinds silent, or none there."""
    assert notice_of({Kind.MONTHLY: 1}, Notices(monthly=SILENT)) is None
    assert notice_of({}, Notices()) is None
    assert notice_of({Kind.DAILY: 0}, Notices()) is None


def test_kinds_of_a_foreign_detail_are_none() -> None:
    """A notice of an older version encloses nothing."""
    for detail in ({}, {"enclosed": ""}, {"enclosed": "weekly"}, {"enclosed": 7}):
        assert enclosed_kinds(detail) == frozenset()


def test_event_is_told_by_choice() -> None:
    """Else everybody would be told in every way."""
    assert TOLD["statements.ready"].by_choice == "/settings/delivery/notices"


# --- once --------------------------------------------------------------------------------------


async def test_new_statements_are_told_in_one_notice(person: Reached) -> None:
    """By mail and in the list, counted by kind, and nothing of what is in them."""
    await publish(person.scene, person.account)
    await publish(person.scene, person.account, "activity-2026-11-21.csv")
    await publish(person.scene, person.account, "statement-2026-10.pdf", kind="monthly")
    assert await told(person) == (1, 0, 0)
    assert await told(person) == (0, 0, 0)
    (mail,) = person.scene.mail.sent
    assert "2 daily reports and 1 monthly report" in mail.text
    assert "/statements\n" in mail.text
    assert "/settings/delivery/notices" in mail.text
    for secret in ("12.50", "activity-", "statement-2026"):
        assert secret not in mail.text + mail.html + mail.subject
    assert await ready(person) == [
        {"daily": 2, "monthly": 1, "mail": "notice", "push": False, "enclosed": ""}
    ]


async def test_what_comes_together_is_told_together(person: Reached) -> None:
    """The first waits for the others; whatever is there by then is told with it."""
    person = replace(person, scene=with_settings(person.scene, statement_gather_seconds=60))
    await publish(person.scene, person.account)
    assert await told(person) == (0, 0, 0)
    due = await service.tell_ready(person.scene.ctx)
    assert due == person.scene.clock.now() + 60 * SECOND
    person.scene.clock.step(59 * SECOND)
    await publish(person.scene, person.account, "activity-2026-11-21.csv")
    assert await told(person) == (0, 0, 0)
    person.scene.clock.step(SECOND)
    assert await told(person) == (1, 0, 0)
    assert [detail["daily"] for detail in await ready(person)] == [2]
    assert await service.tell_ready(person.scene.ctx) is None


async def test_several_tellers_tell_of_each_once(person: Reached) -> None:
    """However many processes look at one moment."""
    other = await person.scene.account("other")
    for number in range(1, 8):
        await publish(person.scene, person.account, f"activity-2026-11-0{number}.csv")
        await publish(person.scene, other, f"activity-2026-11-0{number}.csv")
    await asyncio.gather(*(service.tell_ready(person.scene.ctx) for _ in range(6)))
    details = await ready(person)
    assert sum(detail["daily"] for detail in details) == 14
    assert all(row["told_at"] for row in await person.scene.rows(statement))


async def test_marking_without_an_event_is_undone(
    person: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A death between the two loses neither: both are one transaction."""
    await publish(person.scene, person.account)

    async def dies(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("vestibule.statements.service.telling.audit.record", dies)
        with pytest.raises(asyncio.CancelledError):
            await service.tell_ready(person.scene.ctx)
    assert [row["told_at"] for row in await person.scene.rows(statement)] == [None]
    assert await told(person) == (1, 0, 0)


async def test_replaced_statement_is_told_of_anew(person: Reached) -> None:
    """Whoever fetched the first one has to learn that there is another."""
    await publish(person.scene, person.account)
    await told(person)
    await publish(person.scene, person.account, data=b"other\r\n", replace=True)
    assert await told(person) == (1, 0, 0)


# --- the ways ----------------------------------------------------------------------------------


async def test_pushes_are_sent_where_chosen(person: Reached) -> None:
    """They say that there is something new; on a locked screen no more may stand."""
    await choose(person, daily=PUSHED)
    await publish(person.scene, person.account)
    assert await told(person) == (0, 0, 1)
    _, payload, _, _ = person.scene.push.sent[-1]
    assert json.loads(payload)["notification"]["body"] == (
        "There is something new for you. Open to see what."
    )


async def test_quiet_hours_hold_back_pushes(person: Reached) -> None:
    """As for all news."""
    await choose(person, daily=Choice(mail=Mailed.NOTICE, push=True))
    await person.prefer(quiet_from=0, quiet_until=24 * 60 - 1, timezone="UTC")
    now = person.scene.clock.now()
    person.scene.clock.step(DAY - now % DAY + HOUR)
    await publish(person.scene, person.account)
    assert await told(person) == (1, 0, 0)
    person.scene.clock.step(23 * HOUR)
    assert await told(person) == (0, 0, 1)


async def test_listed_only_sends_nothing(person: Reached) -> None:
    """It stands in the portal's list of notifications, with a way to the statements."""
    await choose(person, daily=LISTED)
    await publish(person.scene, person.account)
    assert await told(person) == (0, 0, 0)
    page = await notifications.list_notices(
        person.scene.ctx, person.account.id, language="en", most=1
    )
    assert page.notices[0].text.startswith("Ready for you: 1 daily report.")
    assert page.notices[0].open_url.endswith("/statements")


async def test_nothing_at_all_is_nothing_at_all(person: Reached) -> None:
    """No notice, and it is not looked at for ever."""
    await choose(person, daily=SILENT)
    await publish(person.scene, person.account)
    assert await told(person) == (0, 0, 0)
    assert await ready(person) == []
    assert await service.tell_ready(person.scene.ctx) is None


# --- files by mail -----------------------------------------------------------------------------


async def test_encrypted_files_come_along(person: Reached) -> None:
    """Only those of the kinds that were chosen; only the owner's private key opens them."""
    await choose(person, daily=ATTACHED)
    await publish(person.scene, person.account)
    await publish(person.scene, person.account, "statement-2026-10.pdf", kind="monthly")
    assert await told(person) == (1, 0, 0)
    (mail,) = person.scene.mail.sent
    (file,) = mail.attachments
    assert file.name == "activity-2026-11-22.csv.pgp"
    opened = decrypt(decryptor=OWNER.decryptor(), bytes=file.data)
    assert opened.bytes == CSV
    assert "1 file is attached, encrypted" in mail.text
    assert CSV not in file.data


async def test_files_that_are_too_large_together_stay(person: Reached) -> None:
    """The mail says so; none of them comes alone, which would look like all."""
    await choose(person, daily=ATTACHED)
    scene = with_settings(person.scene, attachment_most_mib=1)
    person = replace(person, scene=scene)
    for day in (21, 22):
        name = f"activity-2026-11-{day}.csv"
        await publish(scene, person.account, name, data=bytes([day]) * 600_000)
    assert await told(person) == (1, 0, 0)
    (mail,) = scene.mail.sent
    assert mail.attachments == ()
    assert "No file is attached this time" in mail.text


async def test_plain_file_never_travels_by_mail(person: Reached) -> None:
    """Not even where files were chosen and the certificate was removed afterwards."""
    await choose(person, daily=ATTACHED)
    session = await certified(person.scene, person.account)
    await delivery.remove_certificate(person.scene.ctx, session, source=HERE.address)
    await notifications.tell_due(person.scene.ctx)
    person.scene.mail.sent.clear()
    await publish(person.scene, person.account)
    assert await told(person) == (1, 0, 0)
    (mail,) = person.scene.mail.sent
    assert mail.attachments == ()
    assert "only encrypted files travel by mail" in mail.text


async def test_what_waits_for_encryption_is_told_of_afterwards(person: Reached) -> None:
    """It cannot be fetched before."""
    await publish(person.scene, person.account)
    await choose(person, daily=ATTACHED)
    assert await told(person) == (0, 0, 0)
    await service.encrypt_plain(person.scene.ctx)
    assert await told(person) == (1, 0, 0)
    assert len(person.scene.mail.sent[-1].attachments) == 1


async def test_file_purged_meanwhile_is_missed_by_nobody(person: Reached) -> None:
    """The mail goes without it, and is not tried for ever."""
    await choose(person, daily=ATTACHED)
    published = await publish(person.scene, person.account)
    await service.tell_ready(person.scene.ctx)
    await person.scene.ctx.objects.delete(published.object)
    assert await person.told() == (1, 0, 0)
    assert person.scene.mail.sent[-1].attachments == ()


async def test_mail_sent_again_has_the_same_id(person: Reached) -> None:
    """So that a mailbox drops the second of two; another notice has another."""
    server = person.scene.mail
    server.outcome = MessageOutcome.FAILED
    await publish(person.scene, person.account)
    await told(person)
    server.outcome = MessageOutcome.SENT
    person.scene.clock.step(2 * MINUTE)
    await told(person)
    await publish(person.scene, person.account, "activity-2026-11-21.csv")
    await told(person)
    failed, again, other = (mail.id for mail in server.sent)
    assert failed == again != other
    assert rendered(server.sent[0], "N <no-reply@b.example>")["Message-ID"] == (
        f"<{failed}@b.example>"
    )
