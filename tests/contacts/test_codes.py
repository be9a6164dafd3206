"""Codes are bound to their purpose, limited, counted, and used once, on both databases."""

import asyncio
import re

import pytest

from tests.contacts.people import E164, added, events, owner, refused, sent, verified
from tests.login.scene import HERE, Scene, code_of
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.context import MessageOutcome
from vestibule.base.errors import Refused
from vestibule.contacts import service, store
from vestibule.contacts.rules import Contact


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
