"""A desk to try: staff, answers kept ready, and three months of conversations, all made up."""

from __future__ import annotations

import json
import random
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, MINUTE, SteppedClock
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.ids import new_id
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session
from vestibule.staff import service as staff
from vestibule.staff.rules import Member, Role
from vestibule.support import service as support
from vestibule.support.rules import Priority, Ticket, Topic
from vestibule.support.service import canned
from vestibule.web.visitor import Visitor

STAFF: Final = {
    "sanna": ("Sanna Virtanen", Role.SUPPORT),
    "olivier": ("Olivier Brandt", Role.OFFICER),
    "wanda": ("Wanda Okoye", Role.OBSERVER),
}
"""Name and role of the members of staff, by username."""

_MADE_UP: Final = Path(__file__).with_name("demo_desk.json")
_DAYS: Final = 90
_LATELY: Final = 30
_A_DAY: Final = (0, 1)
_A_DAY_LATELY: Final = (1, 4)
"""So many conversations begin; the plot shows the last month."""
_URGENCY: Final = (Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.LOW)
_SOMEWHERE: Final = Visitor(
    address="192.0.2.34", source="192.0.2.34", browser="Firefox on Windows", place="Turin, Italy"
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One conversation that somebody could have had."""

    topic: Topic
    subject: str
    text: str
    answer: str


async def hire(ctx: Context, known: list[Account]) -> None:
    """Make members of staff of those accounts that are to be some and are none."""
    there = {one.username for one in await staff.list_members(ctx)}
    for account in known:
        if account.username in STAFF and account.username not in there:
            await staff.add_member(ctx, account, role=STAFF[account.username][1])


async def open_desk(ctx: Context, visitors: list[Account]) -> None:
    """Fill the desk, once: with answers, and with what clients wrote in the last months.

    ``visitors`` are the clients whose passwords are known: each finds a conversation of theirs.
    """
    made_up = json.loads(_MADE_UP.read_text("utf-8"))
    first = next(iter(made_up["clients"]))
    if await accounts.find_account(ctx, username=first) is not None:
        return
    people = [
        await accounts.create_account(
            ctx,
            username=username,
            # Nobody signs in by this name: its password is known to nobody.
            password=secrets.token_urlsafe(24),
            display_name=name,
            language=language,
        )
        for username, (name, language) in made_up["clients"].items()
    ]
    answering = [one for one in await staff.list_members(ctx) if one.role is not Role.OBSERVER]
    officer = next((one for one in answering if one.officer), None)
    if officer is None:
        return
    await _keep_ready(ctx, officer, made_up["canned"])
    told = {
        language: [_Told(Topic(row[0]), *row[1:]) for row in rows]
        for language, rows in made_up["tickets"].items()
    }
    await _Past(ctx, answering, officer, told).live_through(people, visitors)


async def _keep_ready(ctx: Context, officer: Member, texts: dict[str, dict[str, str]]) -> None:
    for name, by_language in texts.items():
        for language, text in by_language.items():
            await canned.add_canned(
                ctx, member=officer, name=name, language=language, text=text, source=""
            )


class _Past:
    """Plays three months of the desk, by the same services as in earnest and another clock."""

    def __init__(
        self,
        ctx: Context,
        answering: list[Member],
        officer: Member,
        told: dict[str, list[_Told]],
    ) -> None:
        self._now = ctx.clock.now()
        self._real = ctx
        self._answering = answering
        self._officer = officer
        self._told = told
        # The same conversations in every demo; nothing here is a secret.
        self._dice = random.Random(7)  # noqa: S311  -- as said
        self._hours = support.targets_of(ctx).hours

    def _at(self, moment: int) -> Context:
        """The house as it was at a moment (ms)."""
        return replace(self._real, clock=SteppedClock(min(moment, self._now)))

    async def live_through(self, people: list[Account], visitors: list[Account]) -> None:
        """Conversations of the last months, and what waits today."""
        for back in range(_DAYS, 0, -1):
            many = _A_DAY if back > _LATELY else _A_DAY_LATELY
            for _ in range(self._dice.randint(*many)):
                day = self._now - back * DAY
                opened = self._hours.after(day, self._dice.randint(1, 600))
                await self._converse(self._dice.choice(people), opened)
        await self._write(people[0], self._now - 200 * MINUTE)
        _, taken, _ = await self._write(people[1], self._now - 120 * MINUTE)
        own = self._officer.account_id
        await support.assign(self._at(self._now - 60 * MINUTE), self._officer, taken, own)
        session, ticket = await self._answered(people[2], self._now - 300 * MINUTE)
        later = self._at(self._now - 30 * MINUTE)
        await support.mark_seen(later, session, ticket)
        await support.reply(later, session, ticket, text=ticket.subject)
        for person in visitors:
            await self._answered(person, self._now - 90 * MINUTE)

    async def _converse(self, person: Account, opened: int) -> None:
        session, ticket, told = await self._write(person, opened)
        member = self._officer if ticket.topic is Topic.SECURITY else self._pick()
        waited = max(2, round(self._dice.lognormvariate(3.4, 0.9)))
        answered = self._hours.after(opened, waited)
        if answered >= self._now:
            return
        if self._dice.random() < 0.06:
            await support.cancel(self._at(opened + MINUTE), session, ticket)
            return
        then = self._at(answered)
        await support.assign(then, member, ticket, member.account_id)
        ticket = await support.answer(then, member, ticket, told.answer)
        later = self._at(answered + self._dice.randint(10, 600) * MINUTE)
        await support.mark_seen(later, session, ticket)
        if self._dice.random() < 0.95:
            await support.close(later, session, ticket)

    async def _answered(self, person: Account, opened: int) -> tuple[Session, Ticket]:
        """One that waits to be read."""
        session, ticket, told = await self._write(person, opened)
        member = self._officer if ticket.topic is Topic.SECURITY else self._pick()
        then = self._at(opened + 20 * MINUTE)
        return session, await support.answer(then, member, ticket, told.answer)

    def _pick(self) -> Member:
        return self._dice.choice(self._answering)

    async def _write(self, person: Account, opened: int) -> tuple[Session, Ticket, _Told]:
        language = person.language or "en"
        told = self._dice.choice(self._told.get(language, self._told["en"]))
        then = self._at(opened)
        session = await _session(then, person)
        ticket = await support.open_ticket(
            then,
            session,
            topic=told.topic,
            subject=told.subject,
            text=told.text,
            priority=self._dice.choice(_URGENCY),
            language=language,
        )
        return session, ticket, told


async def _session(ctx: Context, person: Account) -> Session:
    """A sign-in of a demo client, which also is what staff sees beside the conversation."""
    now = ctx.clock.now()

    async def body(tx: Tx) -> sessions.NewSession:
        return await sessions.open_session(
            tx,
            ctx,
            account_id=person.id,
            attempt_id=new_id(),
            proof=Proof.PUSH,
            enrollment_id=None,
            browser_digest=None,
            visitor=_SOMEWHERE,
            now=now,
            known=True,
        )

    made = await ctx.db.write(body)
    return await sessions.get_session(ctx, made.cookie)
