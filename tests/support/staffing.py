"""A desk with staff: members who are signed in, and conversations of clients."""

from __future__ import annotations

from dataclasses import dataclass

from tests.desk import Desk, open_session
from tests.login.scene import Scene
from vestibule.accounts.rules import Account
from vestibule.base.clock import SECOND
from vestibule.sessions.rules import Proof, Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Member, Role
from vestibule.support import service
from vestibule.support.rules import Priority, Ticket, Topic

SUBJECT = "Subject canary"
TEXT = "Text canary: my phone is gone."


@dataclass
class Colleague:
    """A member of staff who is signed in."""

    account: Account
    member: Member
    session: Session
    cookie: str


async def hire(
    scene: Scene, name: str, role: Role = Role.SUPPORT, *, proof: Proof = Proof.PUSH
) -> Colleague:
    """Somebody new at the desk, approved by phone."""
    account = await scene.account(name, display_name=f"{name.title()} Name")
    await staff.add_member(scene.ctx, account, role=role)
    session, cookie = await open_session(scene, account, proof=proof)
    return Colleague(account, await staff.get_member(scene.ctx, session), session, cookie)


async def client(scene: Scene, name: str = "morgan") -> Session:
    """A client who is signed in somewhere."""
    session, _ = await open_session(scene, await scene.account(name, display_name="Morgan Canary"))
    return session


async def write(
    scene: Scene,
    session: Session,
    *,
    topic: Topic = Topic.ACCOUNT,
    subject: str = SUBJECT,
    text: str = TEXT,
    priority: Priority = Priority.NORMAL,
    language: str = "en",
) -> Ticket:
    """A client writes to the desk; a second passes, as the order of messages is that of times."""
    written = await service.open_ticket(
        scene.ctx,
        session,
        topic=topic,
        subject=subject,
        text=text,
        priority=priority,
        language=language,
    )
    scene.clock.step(SECOND)
    return written


async def sit(desk: Desk, who: Colleague, *, proof: Proof = Proof.PUSH) -> Session:
    """They are who uses this browser now."""
    return await desk.sign_in(who.account, proof=proof)
