"""Somebody who can be told: an account with a mail address, a number and phones."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from tests.login.scene import Scene, ScenePhone
from vestibule.accounts.rules import Account
from vestibule.accounts.store import account as account_table
from vestibule.base import audit
from vestibule.base.database import Tx
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Contact, Kind
from vestibule.notifications import service
from vestibule.notifications.store import delivery

MAIL = "m.rossi@example.com"
NUMBER = "+39 347 123 4567"


@dataclass
class Reached:
    """A person, and what has been sent to them since."""

    scene: Scene
    account: Account
    mail: Contact
    number: Contact
    phones: list[ScenePhone]

    async def happens(self, event: str, *, subject: str = "record", **detail: Any) -> int:
        """An event in the journal; the notice's id."""
        now = self.scene.clock.step(1000)

        async def body(tx: Tx) -> None:
            await audit.record(
                tx,
                event=event,
                account_id=self.account.id,
                subject=subject,
                actor="browser",
                source="192.0.2.7",
                at=now,
                detail=detail,
            )

        await self.scene.ctx.db.write(body)
        return int((await self.scene.events())[-1]["id"])

    async def prefer(self, **columns: Any) -> None:
        """Change what the account prefers."""
        change = update(account_table).where(account_table.c.id == self.account.id)
        await self.scene.ctx.db.run(change.values(columns))

    async def told(self) -> tuple[int, int, int]:
        """Tell what is due; how many mails, texts and pushes that were."""
        before = self._sent()
        await service.tell_due(self.scene.ctx)
        return tuple(now - was for now, was in zip(self._sent(), before, strict=True))  # type: ignore[return-value]

    def _sent(self) -> tuple[int, int, int]:
        scene = self.scene
        return len(scene.mail.sent), len(scene.text.sent), len(scene.push.sent)

    async def outcomes(self) -> dict[str, str | None]:
        """What became of the deliveries of the last notice, by way."""
        rows = await self.scene.rows(delivery)
        last = max(row["notice_id"] for row in rows)
        return {row["way"]: row["outcome"] for row in rows if row["notice_id"] == last}


async def reached(scene: Scene, *, phones: int = 1, **account: Any) -> Reached:
    """Somebody with a verified address, a verified number and so many phones, told of all that."""
    made = await scene.account("m.rossi", **account)
    linked = [await scene.phone(made, label=f"Pixel {n}") for n in range(phones)]
    told = [
        await contacts.add_by_operator(
            scene.ctx, account_id=made.id, kind=kind, typed=typed, country="IT", verified=True
        )
        for kind, typed in ((Kind.MAIL, MAIL), (Kind.NUMBER, NUMBER))
    ]
    await service.tell_due(scene.ctx)
    for sender in (scene.mail, scene.text, scene.push):
        sender.sent.clear()
    return Reached(scene, made, told[0], told[1], linked)
