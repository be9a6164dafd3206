"""A new PIN for a phone, from the portal: linked again, under its old name."""

import re

import pytest

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import Scene, ScenePhone, code_of
from vestibule.accounts import service as accounts
from vestibule.activation import service
from vestibule.base.clock import HOUR
from vestibule.base.errors import Fault, Refused
from vestibule.devices import service as devices
from vestibule.protocol.activation_link import parse_link
from vestibule.protocol.encoding import b64u
from vestibule.sessions.rules import Proof, Session

THERE = "198.51.100.9"


async def offered(scene: Scene, session: Session, phone: ScenePhone) -> str:
    """The offer of a ticket that replaces that phone."""
    ticket = await service.issue_ticket(scene.ctx, session=session, source=THERE, replaces=phone.id)
    link = b64u(parse_link(ticket.link).secret)
    return await service.open_ticket(scene.ctx, link=link, source=THERE)


async def test_new_pin_keeps_the_name_and_ends_the_former(scene: Scene) -> None:
    """Also on the same device; the former enrollment is revoked in the same transaction."""
    account = await scene.account()
    former = await scene.phone(account, label="Kitchen phone")
    session, _ = await open_session(scene, account, phone=former)
    again = ScenePhone(former.issuer, label="Whatever it says")
    again.device = former.device
    response = enrol_response(scene, await offered(scene, session, former), again)
    enrolled = await service.redeem_ticket(scene.ctx, response=response, source=THERE)
    assert enrolled.replaced == former.id
    (listed,) = await devices.list_phones(scene.ctx, account.id)
    assert (listed.enrollment.id, listed.enrollment.label) == (again.id, "Kitchen phone")
    with pytest.raises(Fault) as caught:
        await scene.waiting(former)
    assert code_of(caught.value) == "enrollment_revoked"
    assert (f"enrollment:{former.id}", "removed") in scene.bus.told
    assert (await accounts.get_account(scene.ctx, account.id)).guarded_until is None


async def test_new_pin_asks_for_a_fresh_proof(scene: Scene) -> None:
    """A session found open an hour later takes no phone away."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, phone=phone)
    scene.clock.step(HOUR)
    with pytest.raises(Refused, match="step_up_needed"):
        await offered(scene, session, phone)


async def test_new_pin_by_a_recovery_code_cools_down(scene: Scene) -> None:
    """Who came without a phone may link one, and what matters rests."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, proof=Proof.RECOVERY_CODE)
    response = enrol_response(scene, await offered(scene, session, phone))
    await service.redeem_ticket(scene.ctx, response=response, source=THERE)
    guarded = (await accounts.get_account(scene.ctx, account.id)).guarded_until
    assert guarded == scene.clock.now() + 72 * HOUR


async def test_new_pin_is_for_the_accounts_own_phone(scene: Scene) -> None:
    """Nobody replaces another's phone; and one that was removed meanwhile brings none back."""
    account = await scene.account()
    phone = await scene.phone(account)
    other = await scene.phone(account, label="Other")
    stranger = await scene.phone(await scene.account("robin"))
    session, _ = await open_session(scene, account, phone=other)
    with pytest.raises(Refused, match="enrollment_unknown"):
        await offered(scene, session, stranger)
    response = enrol_response(scene, await offered(scene, session, phone))
    (mine, *_) = [
        one.enrollment
        for one in await devices.list_phones(scene.ctx, account.id)
        if one.enrollment.id == phone.id
    ]
    await devices.remove_by_phone(scene.ctx, mine, source=THERE)
    with pytest.raises(Refused, match="ticket_withdrawn"):
        await service.redeem_ticket(scene.ctx, response=response, source=THERE)


async def test_settings_lead_to_a_new_pin(desk: Desk) -> None:
    """The list of phones has the button; the page shows a code for that phone only."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account, label="Kitchen phone")
    await desk.sign_in(account, phone=phone)
    listed = (await desk.http.get("/settings/phones")).text
    link = re.search(r'href="(/activation/new-pin\?phone=[^"]+)"', listed)
    assert link is not None
    page = await desk.http.get(link[1])
    assert page.status_code == 200
    assert "New PIN for Kitchen phone" in page.text
    again = await desk.send(link[1], "/activation/new", back=link[1])
    assert again.headers["location"] == link[1]
    missing = await desk.http.get("/activation/new-pin?phone=AAAAAAAAAAAAAAAAAAAAAA")
    assert missing.status_code == 404
