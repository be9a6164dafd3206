"""Diagnoses: kept sealed for their owner, attached once, and gone in time. On both databases."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import select

from tests.login.scene import Scene, ScenePhone, code_of
from tests.support.clients import Client, open_client, open_member, stored
from vestibule.accounts import service as accounts
from vestibule.app import sweep
from vestibule.base.clock import DAY
from vestibule.base.errors import Fault, Refused, Unavailable
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.staff.rules import Role
from vestibule.support.rules.diagnoses import SENT_A_DAY, Diagnosis
from vestibule.support.service.diagnosing import (
    attach_diagnosis,
    delete_diagnosis,
    list_diagnoses,
    read_diagnosis,
    send_diagnosis,
)
from vestibule.support.service.looking import list_waiting, open_for_staff
from vestibule.support.store.diagnoses import diagnosis

SAID = "Vestibule diagnosis\nproblems: offline canary-of-the-text\n"


class Owner:
    """A client with a conversation, and one phone."""

    def __init__(self, client: Client, phone: ScenePhone, enrollment: Enrollment) -> None:
        self.client, self.phone, self.enrollment = client, phone, enrollment
        self.ctx = client.ctx

    @property
    def id(self) -> str:
        """Of the account."""
        return self.client.session.account_id

    async def send(self, text: str = SAID) -> Diagnosis:
        """What the phone sends."""
        return await send_diagnosis(self.ctx, self.enrollment, text, source="192.0.2.9")

    async def references(self) -> list[str]:
        """Those that are offered."""
        return [one.reference for one in await list_diagnoses(self.ctx, self.id)]

    async def attach(self, reference: str) -> None:
        """Into the conversation."""
        await attach_diagnosis(self.ctx, self.client.place, reference)


async def open_owner(scene: Scene, name: str) -> Owner:
    """A client of that name."""
    client = await open_client(scene, name)
    account = next(one for one in await accounts.list_accounts(scene.ctx) if one.username == name)
    phone = await scene.phone(account, label=f"{name}'s Pixel")
    (known,) = await devices.list_phones(scene.ctx, account.id)
    return Owner(client, phone, known.enrollment)


@pytest.fixture
async def owner(scene: Scene) -> Owner:
    """Alice."""
    return await open_owner(scene, "alice")


async def rows(scene: Scene) -> list[Any]:
    """The table as it is."""
    return list(await scene.ctx.db.all(select(diagnosis)))


async def told(scene: Scene) -> list[tuple[str, str, str]]:
    """The events of diagnoses: name, actor, source."""
    return [
        (row["event"], row["actor"], row["source"])
        for row in await scene.events()
        if row["event"].startswith("support.diagnosis")
    ]


async def refused(call: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(Fault) as caught:
        await call
    return code_of(caught.value)


async def test_it_is_kept_sealed_and_read_by_its_owner(scene: Scene, owner: Owner) -> None:
    """In the database there is nothing of it that could be read."""
    kept = await owner.send()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", kept.reference)
    assert kept.expires_at == scene.clock.now() + 14 * DAY
    found, text = await read_diagnosis(owner.ctx, owner.id, kept.reference.lower())
    assert (found, text) == (kept, SAID)
    (row,) = await rows(scene)
    assert b"canary" not in row["text"]
    (event,) = await told(scene)
    assert event == ("support.diagnosis_sent", f"phone:{owner.phone.id}", "192.0.2.9")
    assert "canary" not in str(await scene.events())


async def test_the_same_text_sent_again_is_the_same_one(scene: Scene, owner: Owner) -> None:
    """Also at one moment, and after it was deleted: a repeated call changes nothing."""
    first, second = await asyncio.gather(owner.send(), owner.send())
    assert first == second
    await delete_diagnosis(owner.ctx, owner.id, first.reference, source="")
    again = await owner.send()
    assert again.reference == first.reference
    assert await owner.references() == []
    assert len(await rows(scene)) == 1
    assert [name for name, _, _ in await told(scene)] == [
        "support.diagnosis_sent",
        "support.diagnosis_deleted",
    ]


async def test_another_phone_with_the_same_text_is_another_one(scene: Scene, owner: Owner) -> None:
    """Neither its reference nor that there is one can be learnt by sending the text of others."""
    other = await open_owner(scene, "bob")
    assert (await owner.send()).reference != (await other.send()).reference


async def test_five_a_day_whatever_became_of_them(scene: Scene, owner: Owner) -> None:
    """Sent side by side too; deleting makes no room, the next day does."""
    outcomes = await asyncio.gather(
        *(owner.send(f"{number}") for number in range(SENT_A_DAY + 2)), return_exceptions=True
    )
    assert [code_of(one) for one in outcomes if isinstance(one, Refused)] == ["diagnoses_many"] * 2
    for reference in await owner.references():
        await delete_diagnosis(owner.ctx, owner.id, reference, source="")
    await sweep(owner.ctx)
    assert await refused(owner.send("one more")) == "diagnoses_many"
    scene.clock.step(DAY)
    await owner.send("one more")


async def test_attached_it_is_a_file_that_waits(scene: Scene, owner: Owner) -> None:
    """With its name and its text; here nothing is left of it."""
    kept = await owner.send()
    await owner.attach(kept.reference)
    (file,) = await list_waiting(owner.ctx, owner.client.place)
    assert (file.name, file.kind.value) == (f"diagnosis-{kept.reference}.txt", "file")
    assert await owner.client.read(file.id) == SAID.encode()
    (row,) = await rows(scene)
    assert (row["state"], row["text"]) == ("attached", None)
    assert await owner.references() == []
    assert await refused(read_diagnosis(owner.ctx, owner.id, kept.reference)) == "diagnosis_unknown"
    assert [name for name, _, _ in await told(scene)][-1] == "support.diagnosis_attached"


async def test_attached_twice_at_one_moment_it_is_one_file(scene: Scene, owner: Owner) -> None:
    """Whoever comes second takes its file back."""
    kept = await owner.send()
    outcomes = await asyncio.gather(
        *(owner.attach(kept.reference) for _ in range(3)), return_exceptions=True
    )
    assert [code_of(one) for one in outcomes if isinstance(one, Fault)] == ["diagnosis_unknown"] * 2
    assert len(await list_waiting(owner.ctx, owner.client.place)) == 1
    assert len(stored(scene)) == 1


async def test_a_file_that_is_refused_costs_nothing(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room with this message, or a store that fails: it can be attached later."""
    kept = await owner.send()
    for number in range(owner.ctx.settings.attachments_per_message):
        await owner.client.attach(f"{number}.txt", b"x")
    assert await refused(owner.attach(kept.reference)) == "attachments_too_many"
    assert await owner.references() == [kept.reference]
    await owner.client.reply()

    async def full(name: str, chunks: object) -> int:
        raise Unavailable("store_full")

    with monkeypatch.context() as patch:
        patch.setattr(type(owner.ctx.objects), "write", lambda self, n, c: full(n, c))
        assert await refused(owner.attach(kept.reference)) == "store_full"
    await owner.attach(kept.reference)


async def test_others_reach_nothing(scene: Scene, owner: Owner) -> None:
    """Neither to read, nor to attach, nor to delete; the refusal is that of one that never was."""
    kept = await owner.send()
    mallory = await open_owner(scene, "mallory")
    for reference in (kept.reference, "0000-0000", "nonsense", ""):
        for call in (
            read_diagnosis(mallory.ctx, mallory.id, reference),
            mallory.attach(reference),
            delete_diagnosis(mallory.ctx, mallory.id, reference, source=""),
        ):
            assert await refused(call) == "diagnosis_unknown"
    assert await owner.references() == [kept.reference]
    assert await mallory.references() == []


async def test_it_is_gone_in_time(scene: Scene, owner: Owner) -> None:
    """Unread from that moment, its text deleted by the next sweep, its row a day later."""
    kept = await owner.send()
    scene.clock.step(14 * DAY)
    assert await owner.references() == []
    assert await refused(owner.attach(kept.reference)) == "diagnosis_unknown"
    await sweep(owner.ctx)
    (row,) = await rows(scene)
    assert (row["state"], row["text"]) == ("gone", None)
    assert (await told(scene))[-1] == ("support.diagnosis_gone", "system", "")
    scene.clock.step(DAY + 1)
    await sweep(owner.ctx)
    assert await rows(scene) == []


async def test_it_outlives_the_phone(owner: Owner) -> None:
    """The phone that failed is often the one that is removed next."""
    kept = await owner.send()
    await devices.remove_by_phone(owner.ctx, owner.enrollment, source="")
    assert await owner.references() == [kept.reference]
    await owner.attach(kept.reference)


@pytest.mark.parametrize("setting", ["diagnosis_days", "attachments_per_message"])
async def test_a_house_may_take_none(owner: Owner, setting: str) -> None:
    """Or takes no files at all: then nothing could become of it."""
    object.__setattr__(owner.ctx.settings, setting, 0)
    assert await refused(owner.send()) == "diagnosis_unavailable"


async def test_sealed_for_another_row_it_does_not_open(scene: Scene, owner: Owner) -> None:
    """Whoever writes into the database cannot show one client the text of another."""
    kept = await owner.send()
    other = await open_owner(scene, "bob")
    theirs = await other.send("theirs")
    (text,) = [row["text"] for row in await rows(scene) if row["reference"] == kept.reference]
    await scene.ctx.db.run(
        diagnosis.update().where(diagnosis.c.reference == theirs.reference).values(text=text)
    )
    assert await refused(other.attach(theirs.reference)) == "attachment_damaged"


async def test_staff_has_no_way_to_it(scene: Scene, owner: Owner) -> None:
    """As a file that waits it is its author's alone, until the message is sent."""
    kept = await owner.send()
    await owner.attach(kept.reference)
    (file,) = await list_waiting(owner.ctx, owner.client.place)
    officer = await open_member(scene, "dana", Role.OFFICER)
    ticket = owner.client.ticket

    async def look() -> None:
        opened = await open_for_staff(
            owner.ctx, officer, ticket, file.id, how="download", source=""
        )
        opened.close()

    assert await refused(look()) == "attachment_unknown"
    await owner.client.reply()
    await look()
