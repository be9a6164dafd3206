"""Contacts are verified by codes that are limited, counted and used once, on both databases."""

from sqlalchemy import select

from tests.contacts.people import E164, added, events, owner, refused, sent, verified
from tests.desk import Desk, open_session
from tests.login.scene import HERE, Scene, code_of, with_settings
from vestibule.accounts import service as accounts
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.database import Tx
from vestibule.contacts import service, store
from vestibule.contacts.rules import Kind, State
from vestibule.sessions.rules import Proof

NUMBER = "347 123 4589"


async def test_number_is_verified_by_its_code(scene: Scene) -> None:
    """Added, sent a code, verified: the journal has each step, and never the number."""
    account, session = await owner(scene)
    contact = await verified(scene, session)
    assert (contact.state, contact.address, contact.preferred) == (State.VERIFIED, E164, True)
    assert contact.verified_at == scene.clock.now()
    assert await service.verified(scene.ctx.db, account.id) == [contact]
    assert await events(scene) == ["contact.added", "contact.code_sent", "contact.verified"]
    rows = await scene.ctx.db.all(select(audit_event.c.detail))
    assert not any("1234589" in row["detail"] for row in rows)


async def test_adding_takes_a_fresh_proof(scene: Scene) -> None:
    """An open browser that somebody left does not add a number; one with nothing stronger may."""
    account = await scene.account()
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    scene.clock.step(HOUR)
    assert code_of(await refused(added(scene, session))) == "step_up_needed"
    first, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    assert (await added(scene, first)).state is State.NEW


async def test_nothing_changes_while_the_account_cools_down(scene: Scene) -> None:
    """After a recovery no number is added, preferred or removed, nor an older one verified."""
    account, session = await owner(scene)
    one = await verified(scene, session)
    two = await added(scene, session, "+44 7400 123456")
    code = await sent(scene, two)
    until = scene.clock.now() + DAY

    async def body(tx: Tx) -> None:
        await accounts.guard(tx, account_id=account.id, until=until)
        await accounts.guard(tx, account_id=account.id, until=until - HOUR)

    await scene.ctx.db.write(body)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    assert session.guarded_until == until
    before = await scene.rows(store.contact)
    named = {"session": session, "source": HERE.address}
    for call in (
        added(scene, session, "+44 7400 123457"),
        service.remove(scene.ctx, contact_id=one.id, **named),  # type: ignore[arg-type]
        service.prefer(scene.ctx, contact_id=one.id, **named),  # type: ignore[arg-type]
        service.verify(scene.ctx, contact_id=two.id, code=code, **named),  # type: ignore[arg-type]
    ):
        fault = await refused(call)
        assert (code_of(fault), fault.facts["until"]) == ("cooling_down", until)
    assert await scene.rows(store.contact) == before
    scene.clock.step(DAY)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    assert (await added(scene, session, "+44 7400 123457")).state is State.NEW


async def test_the_same_twice_and_too_many_are_refused(scene: Scene) -> None:
    """However it is written; removed, it may be added again."""
    _, session = await owner(scene)
    first = await added(scene, session)
    assert code_of(await refused(added(scene, session, "0039 347 1234589"))) == "contact_exists"
    await service.remove(scene.ctx, session=session, contact_id=first.id, source=HERE.address)
    again = await added(scene, session)
    assert again.id != first.id
    for last in range(4):
        await added(scene, session, f"+44 7400 12345{last}")
    fault = await refused(added(scene, session, "+44 7400 123459"))
    assert (code_of(fault), fault.facts["most"]) == ("contacts_full", 5)
    assert (await added(scene, session, "maria@example.org", Kind.MAIL)).state is State.NEW


async def test_one_is_preferred_and_another_takes_over(scene: Scene) -> None:
    """Never two, never one that is not verified; removing it leaves the next one."""
    account, session = await owner(scene)
    one = await verified(scene, session)
    two = await verified(scene, session, "+44 7400 123456")
    new = await added(scene, session, "+44 7400 123457")
    assert (one.preferred, two.preferred) == (True, False)
    named = {"session": session, "source": HERE.address}
    await service.prefer(scene.ctx, contact_id=two.id, **named)  # type: ignore[arg-type]
    listed = await service.list_contacts(scene.ctx, account.id)
    assert [one.id for one in listed if one.preferred] == [two.id]
    fault = await refused(service.prefer(scene.ctx, contact_id=new.id, **named))  # type: ignore[arg-type]
    assert code_of(fault) == "contact_unverified"
    await service.remove(scene.ctx, contact_id=two.id, **named)  # type: ignore[arg-type]
    listed = await service.list_contacts(scene.ctx, account.id)
    assert [found.id for found in listed if found.preferred] == [one.id]


async def test_removed_address_is_told_for_some_days(scene: Scene) -> None:
    """Nobody silences an account's owner by removing the address; others were never told."""
    account, session = await owner(scene)
    old = await verified(scene, session)
    new = await added(scene, session, "maria@example.org", Kind.MAIL)
    for contact in (old, new):
        await service.remove(scene.ctx, session=session, contact_id=contact.id, source="")
    assert [one.id for one in await service.to_tell(scene.ctx, account.id)] == [old.id]
    scene.clock.step(30 * DAY)
    assert await service.to_tell(scene.ctx, account.id) == []
    scene.clock.step(1)
    await service.sweep_contacts(scene.ctx)
    await service.sweep_codes(scene.ctx)
    assert await scene.rows(store.contact) == []
    assert await scene.rows(store.contact_code) == []


async def test_others_contacts_cannot_be_touched(scene: Scene) -> None:
    """An id of another account is as unknown as none at all."""
    _, mine = await owner(scene)
    _, theirs = await owner(scene, "sam")
    contact = await verified(scene, mine)
    named = {"session": theirs, "contact_id": contact.id, "source": ""}
    for call in (
        service.remove(scene.ctx, **named),  # type: ignore[arg-type]
        service.prefer(scene.ctx, **named),  # type: ignore[arg-type]
        service.verify(scene.ctx, code="123456", **named),  # type: ignore[arg-type]
    ):
        assert code_of(await refused(call)) == "contact_unknown"


async def test_numbers_can_be_asked_for_by_their_age(scene: Scene) -> None:
    """Recovery takes those that were verified long enough ago."""
    account, session = await owner(scene)
    old = await verified(scene, session)
    moment = scene.clock.now()
    scene.clock.step(MINUTE)
    await verified(scene, session, "+44 7400 123456")
    found = await service.verified(scene.ctx.db, account.id, Kind.NUMBER, before=moment)
    assert [one.id for one in found] == [old.id]
    assert await service.verified(scene.ctx.db, account.id, Kind.MAIL) == []


async def test_operator_adds_and_removes(desk: Desk) -> None:
    """Vouched for, it is verified at once."""
    scene = with_settings(desk.scene, old_address_days=0)
    account = await scene.account()
    contact = await service.add_by_operator(
        scene.ctx,
        account_id=account.id,
        kind=Kind.MAIL,
        typed="Maria@Example.org",
        country="",
        verified=True,
    )
    (found,) = await service.verified(scene.ctx.db, account.id)
    assert (found.id, found.preferred) == (contact.id, True)
    await service.remove_by_operator(scene.ctx, found)
    assert await service.list_contacts(scene.ctx, account.id) == []
