"""A certificate's owner is told before it expires, once each time, whoever sweeps."""

import asyncio
import json
import time
from typing import Any

import pysequoia
from sqlalchemy import select

from tests.delivery.keeper import FROM, events, owner
from tests.login.scene import Scene
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY
from vestibule.delivery import service
from vestibule.notifications import service as notifications
from vestibule.sessions.rules import Session


async def lasting(scene: Scene, session: Session, days: int) -> int:
    """Set a certificate that expires so many days from now; when, in ms."""
    # It is made by the machine's own clock, which need not be the test's.
    ahead = scene.clock.now() // 1000 - int(time.time())
    made = pysequoia.Tsk.generate("Ada", validity_seconds=ahead + days * DAY // 1000)
    data = bytes(made.extract_certificate())
    new = await service.set_certificate(scene.ctx, session, data=data, **FROM)
    assert new.expires_at is not None
    return new.expires_at


async def details(scene: Scene) -> list[dict[str, Any]]:
    """What the events about the end of a certificate say, in their order."""
    wanted = audit_event.c.event.like("delivery.certificate_expire%")
    rows = await scene.ctx.db.all(
        select(audit_event.c.detail).where(wanted).order_by(audit_event.c.id)
    )
    return [json.loads(row["detail"]) for row in rows]


async def test_owner_is_told_three_times_and_at_the_end(scene: Scene) -> None:
    """At 30 days, a week, a day, and when it is over; never twice, and by every way they have."""
    account, session = await owner(scene)
    ends = await lasting(scene, session, 40)
    assert await service.warn_expiring(scene.ctx) == 0
    told = []
    for days in (31, 30, 29, 8, 7, 2, 1, 0, -3):
        scene.clock.step(ends - days * DAY - scene.clock.now())
        told += [days] * await service.warn_expiring(scene.ctx)
        assert await service.warn_expiring(scene.ctx) == 0
    assert told == [30, 7, 1, 0]
    said = await details(scene)
    assert [one["days"] for one in said] == [30, 7, 1, 0]
    assert len({(one["day"], one["fingerprint"]) for one in said}) == 1
    assert (await events(scene))[-2:] == [
        "delivery.certificate_expires",
        "delivery.certificate_expired",
    ]
    page = await notifications.list_notices(scene.ctx, account.id, language="en", most=10)
    titles = [told.title for told in page.notices if "expire" in told.notice.event]
    assert titles == ["Your OpenPGP certificate has expired"] + 3 * [
        "Your OpenPGP certificate expires soon"
    ]
    assert "…" not in "".join(told.text for told in page.notices)


async def test_several_sweepers_tell_once(scene: Scene) -> None:
    """Each worker sweeps; who comes second writes nothing."""
    _, session = await owner(scene)
    await lasting(scene, session, 5)
    told = await asyncio.gather(*(service.warn_expiring(scene.ctx) for _ in range(6)))
    assert sum(told) == 1
    assert [one["days"] for one in await details(scene)] == [7]


async def test_certificates_that_stay_or_are_gone_are_not_told_of(scene: Scene) -> None:
    """One without an end, one that was removed, one whose place another took."""
    _, session = await owner(scene)
    await lasting(scene, session, 3)
    forever = bytes(pysequoia.Tsk.generate("Ada").extract_certificate())
    new = await service.set_certificate(scene.ctx, session, data=forever, **FROM)
    assert new.expires_at is None
    assert await service.warn_expiring(scene.ctx) == 0
    await lasting(scene, session, 3)
    await service.remove_certificate(scene.ctx, session, **FROM)
    assert await service.warn_expiring(scene.ctx) == 0
    assert await details(scene) == []
