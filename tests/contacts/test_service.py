"""Contacts are verified by codes that are limited, counted and used once, on both databases."""

import asyncio
import re

import pytest
from sqlalchemy import select

from tests.desk import Desk, open_session
from tests.login.scene import HERE, Scene, code_of, with_settings
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.context import MessageOutcome
from vestibule.base.database import Tx
from vestibule.base.errors import Fault, Refused
from vestibule.contacts import service, store
from vestibule.contacts.rules import Contact, Kind, State
from vestibule.sessions.rules import Proof, Session

NUMBER = "347 123 4589"
E164 = "+393471234589"


async def owner(scene: Scene, username: str = "morgan") -> tuple[Account, Session]:
    """Somebody signed in by phone approval."""
    account = await scene.account(username)
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    return account, session


async def added(
    scene: Scene, session: Session, typed: str = NUMBER, kind: Kind = Kind.NUMBER
) -> Contact:
    """A contact that is not verified yet."""
    return await service.add(
        scene.ctx, session=session, kind=kind, typed=typed, country="IT", source=HERE.address
    )


async def sent(scene: Scene, contact: Contact, **changes: str) -> str:
    """The code that was sent to a contact for its verification."""
    named = {"subject": contact.id, "purpose": "verify", "by": "sms", "source": HERE.source}
    await service.send_code(scene.ctx, contact=contact, language="en", **(named | changes))  # type: ignore[arg-type]
    await service.settle()
    text = scene.mail.sent[-1].text if contact.kind is Kind.MAIL else scene.text.sent[-1][1]
    found = re.search(r"\b\d{6}\b", text)
    assert found is not None
    return found[0]


async def verified(scene: Scene, session: Session, typed: str = NUMBER) -> Contact:
    """A number that was shown to be its owner's."""
    contact = await added(scene, session, typed)
    return await service.verify(
        scene.ctx,
        session=session,
        contact_id=contact.id,
        code=await sent(scene, contact),
        source=HERE.address,
    )


async def refused(call: object) -> Fault:
    """The refusal of an awaited call."""
    with pytest.raises(Fault) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def events(scene: Scene) -> list[str]:
    """The names of all events about contacts, in order."""
    rows = await scene.ctx.db.all(select(audit_event.c.event).order_by(audit_event.c.id))
    return [row["event"] for row in rows if row["event"].startswith("contact.")]


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


async def test_text_is_bound_to_the_site(scene: Scene) -> None:
    """Its last line names the host at which alone the code may be filled in by itself."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    code = await sent(scene, contact)
    number, text, by, language = scene.text.sent[-1]
    assert (number, by, language) == (E164, "sms", "en")
    assert text.splitlines()[-1] == f"@portal.example #{code}"
    assert len(text) <= 160


async def test_voice_speaks_digit_by_digit(scene: Scene) -> None:
    """A call is the second way, and says the code so that it can be written down."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    await service.send_code(
        scene.ctx,
        contact=contact,
        subject=contact.id,
        purpose="verify",
        by="voice",
        language="en",
        source=HERE.source,
        wait=True,
    )
    assert re.search(r"\d, \d, \d, \d, \d, \d", scene.text.sent[-1][1])


async def test_code_is_good_once_and_for_ten_minutes(scene: Scene) -> None:
    """Used up or run out, it is refused; the database never holds it."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    code = await sent(scene, contact)
    assert code.encode() not in (await scene.rows(store.contact_code))[0]["code_digest"]
    checked = await service.check_code(scene.ctx, subject=contact.id, code=code)
    now = scene.clock.now()
    await scene.ctx.db.write(lambda tx: service.spend_code(tx, checked, now=now))
    again = scene.ctx.db.write(lambda tx: service.spend_code(tx, checked, now=now))
    assert code_of(await refused(again)) == "sms_code_spent"
    fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=code))
    assert code_of(fault) == "sms_code_spent"
    scene.clock.step(MINUTE)
    code = await sent(scene, contact)
    scene.clock.step(10 * MINUTE)
    fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=code))
    assert code_of(fault) == "sms_code_expired"


async def test_wrong_codes_are_counted_and_end_the_code(scene: Scene) -> None:
    """The fifth ends it, for the right one too; a code sent anew brings no new tries."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    code = await sent(scene, contact)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    lefts = []
    for _ in range(4):
        fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=wrong))
        lefts.append((code_of(fault), fault.facts["left"]))
    assert lefts == [("sms_code_wrong", left) for left in (4, 3, 2, 1)]
    fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=wrong))
    assert code_of(fault) == "sms_code_spent"
    fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=code))
    assert code_of(fault) == "sms_code_spent"
    # A new code brings no new tries: the account has had its five of this day.
    scene.clock.step(MINUTE)
    code = await sent(scene, contact)
    fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=code))
    assert code_of(fault) == "sms_codes_blocked"
    assert isinstance(fault.facts["wait"], int)
    scene.clock.step(DAY)
    code = await sent(scene, contact)
    checked = await service.check_code(scene.ctx, subject=contact.id, code=code)
    assert checked.contact_id == contact.id


async def test_wrong_codes_side_by_side_count_like_one_after_the_other(scene: Scene) -> None:
    """Sixteen at once: five are looked at."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    code = await sent(scene, contact)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    tries = [service.check_code(scene.ctx, subject=contact.id, code=wrong) for _ in range(16)]
    faults = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(fault, Refused) for fault in faults)
    assert (await scene.rows(store.contact_code))[0]["tries"] == 5
    assert (await events(scene)).count("contact.code_refused") == 5


async def test_right_code_side_by_side_is_spent_once(scene: Scene) -> None:
    """However many bring it at the same moment."""
    account, session = await owner(scene)
    contact = await added(scene, session)
    code = await sent(scene, contact)
    tries = [
        service.verify(
            scene.ctx, session=session, contact_id=contact.id, code=code, source=HERE.address
        )
        for _ in range(8)
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Contact) for one in done) == 1
    assert (await events(scene)).count("contact.verified") == 1
    assert len(await service.verified(scene.ctx.db, account.id)) == 1


async def test_sending_again_takes_patience(scene: Scene) -> None:
    """The page is told how long; what was sent before is void."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    first = await sent(scene, contact)
    fault = await refused(sent(scene, contact))
    assert (code_of(fault), fault.facts["wait"]) == ("code_wait", 45)
    scene.clock.step(45_000)
    second = await sent(scene, contact)
    assert len(scene.text.sent) == 2
    if first != second:
        fault = await refused(service.check_code(scene.ctx, subject=contact.id, code=first))
        assert code_of(fault) == "sms_code_wrong"
    checked = await service.check_code(scene.ctx, subject=contact.id, code=second)
    assert checked.contact_id == contact.id


async def test_two_asking_at_once_get_one_message(scene: Scene) -> None:
    """A double click costs one text."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    done = await asyncio.gather(*(sent(scene, contact) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in done) == 1
    assert len(scene.text.sent) == 1


async def test_nobody_is_flooded_with_messages(scene: Scene) -> None:
    """Five an hour to one number, whichever accounts and addresses of the network ask for them."""
    count = 0
    contact = None
    for name in ("ann", "ben", "cleo"):
        _, session = await owner(scene, name)
        contact = await added(scene, session)
        for _ in range(3):
            scene.clock.step(3 * MINUTE)
            try:
                await sent(scene, contact, source=f"192.0.2.{count}")
            except Refused as fault:
                assert fault.code.name == "code_wait"  # noqa: PT017
            else:
                count += 1
    assert count == len(scene.text.sent) == 5
    scene.clock.step(HOUR)
    assert contact is not None
    await sent(scene, contact)


async def test_unverified_number_gets_no_other_code(scene: Scene) -> None:
    """Adding somebody's account a number of one's own brings no code that opens it."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    fault = await refused(sent(scene, contact, subject="case", purpose="recover"))
    assert code_of(fault) == "contact_unverified"
    assert scene.text.sent == []


async def test_code_for_one_thing_is_not_good_for_another(scene: Scene) -> None:
    """A recovery's code verifies nothing, though it went to the same number."""
    _, session = await owner(scene)
    old = await verified(scene, session)
    new = await added(scene, session, "+44 7400 123456")
    scene.clock.step(10 * MINUTE)
    code = await sent(scene, old, subject=new.id, purpose="recover")
    call = service.verify(
        scene.ctx, session=session, contact_id=new.id, code=code, source=HERE.address
    )
    assert code_of(await refused(call)) == "sms_code_expired"


@pytest.mark.parametrize(
    "outcome, code",
    [
        (MessageOutcome.REFUSED, "contact_refused"),
        (MessageOutcome.FAILED, "message_failed"),
    ],
)
async def test_failed_message_is_said_at_once(
    scene: Scene, outcome: MessageOutcome, code: str
) -> None:
    """Whoever waits for a code is told when none will come; others learn nothing by the time."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    scene.text.outcome = outcome
    call = service.send_code(
        scene.ctx,
        contact=contact,
        subject=contact.id,
        purpose="verify",
        by="sms",
        language="en",
        source=HERE.source,
        wait=True,
    )
    assert code_of(await refused(call)) == code
    scene.clock.step(MINUTE)
    assert await sent(scene, contact)


async def test_way_that_is_not_offered_is_refused(scene: Scene) -> None:
    """Without a gateway for texts none is promised."""
    _, session = await owner(scene)
    contact = await added(scene, session)
    scene.text.ways = frozenset({"voice"})
    assert code_of(await refused(sent(scene, contact))) == "way_unavailable"


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
