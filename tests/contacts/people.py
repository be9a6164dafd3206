"""What the tests of contacts begin with."""

import re

import pytest
from sqlalchemy import select

from tests.desk import open_session
from tests.login.scene import HERE, Scene
from vestibule.accounts.rules import Account
from vestibule.base.audit import audit_event
from vestibule.base.errors import Fault
from vestibule.contacts import service
from vestibule.contacts.rules import Contact, Kind
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
