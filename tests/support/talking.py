"""A client and a member of staff who talk to each other through the services."""

from dataclasses import dataclass, replace

import pytest

from tests.desk import open_session
from tests.login.scene import Scene, code_of
from vestibule.accounts.rules import Account
from vestibule.base.context import Mail
from vestibule.base.errors import Refused
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.notifications import service as notifications
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Member, Role
from vestibule.support import service
from vestibule.support.rules import Priority, Ticket, Topic

CANARY = "canary of the staff only"


@dataclass
class Two:
    """A client and a member of staff."""

    scene: Scene
    client: Session
    cookie: str
    account: Account
    member: Member

    async def write(self, text: str = "Nothing comes any more.", **changes: str) -> Ticket:
        """A new conversation."""
        values = {"subject": "No notifications", "source": "192.0.2.7"} | changes
        return await service.open_ticket(
            self.scene.ctx,
            self.client,
            topic=Topic.SIGN_IN,
            text=text,
            priority=Priority(values.pop("priority", "normal")),
            **values,
        )

    async def answer(self, ticket: Ticket, text: str = "Look into the settings.") -> Ticket:
        """What staff says."""
        return await service.answer(self.scene.ctx, self.member, ticket, text)

    async def read(self, ticket: Ticket) -> None:
        """The client looks at it."""
        here = await service.get_ticket(self.scene.ctx, self.client, ticket.number)
        await service.mark_seen(self.scene.ctx, self.client, here)

    async def told(self) -> list[str]:
        """Names of the events of the desk so far."""
        return [row["event"] for row in await self.scene.events() if row["event"][:8] == "support."]

    async def notices(self) -> list[tuple[str, bool]]:
        """What the client was told of the desk, and whether it was read."""
        page = await notifications.list_notices(
            self.scene.ctx, self.account.id, language="en", most=50
        )
        told = [one.notice for one in page.notices if one.notice.event[:8] == "support."]
        return [(notice.event, notice.read) for notice in told]

    async def marked(self) -> bool:
        """Whether every page of the client says that there is an answer."""
        session = await sessions.get_session(self.scene.ctx, self.cookie)
        return session.unread_message


async def member_of(scene: Scene, username: str, role: Role = Role.OFFICER) -> Member:
    """Somebody of the staff."""
    account = await scene.account(username, display_name=username.title())
    await staff.add_member(scene.ctx, account, role=role)
    session, _ = await open_session(scene, account)
    return await staff.get_member(scene.ctx, session)


async def verified_mail(two: Two) -> None:
    """An address at which the client is told."""
    await contacts.add_by_operator(
        two.scene.ctx,
        account_id=two.account.id,
        kind=Kind.MAIL,
        typed="morgan@example.org",
        country="",
        verified=True,
    )


async def told_by_mail(two: Two) -> Mail:
    """The mail about an answer that the client is sent now."""
    two.scene.mail.sent.clear()
    await notifications.tell_due(replace(two.scene.ctx, quoting=service.quoted))
    (mail,) = [one for one in two.scene.mail.sent if "has an answer" in one.subject]
    return mail


async def refused(call: object) -> str:
    """The code that a call is refused with."""
    with pytest.raises(Refused) as caught:
        await call  # type: ignore[misc]
    return code_of(caught.value)
