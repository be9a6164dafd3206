"""Sessions are opened once, looked up by their cookie, and end when they should."""

import pytest
from sqlalchemy import select

from tests.desk import open_session
from tests.login.scene import HERE, Scene
from vestibule.accounts import service as accounts
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.database import Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.base.ids import new_id, new_secret
from vestibule.sessions import service
from vestibule.sessions.rules import EndReason, Proof
from vestibule.sessions.store import portal_session

SOURCE = "192.0.2.7"


async def test_session_is_found_by_its_cookie_alone(scene: Scene) -> None:
    """The cookie opens it; the database holds nothing that would."""
    account = await scene.account()
    session, cookie = await open_session(scene, account)
    found = await service.session_of(scene.ctx, cookie)
    assert found == session
    assert cookie not in repr(await scene.everything())
    for wrong in (None, "", session.id, new_secret(), cookie[:-1], cookie + "A", "é" * 43):
        assert await service.session_of(scene.ctx, wrong) is None


async def test_session_is_read_with_one_statement(scene: Scene) -> None:
    """A page costs one read; "last seen" is written once a minute at most."""
    account = await scene.account()
    _, cookie = await open_session(scene, account)
    seen: list[str] = []
    scene.ctx.db.observe(lambda kind, _: seen.append(kind))
    await service.session_of(scene.ctx, cookie)
    assert seen == ["statement"]
    scene.clock.step(MINUTE + 1)
    for _ in range(3):
        await service.session_of(scene.ctx, cookie)
    scene.ctx.db.observe(None)
    assert seen.count("statement") == 1 + 3 + 1
    (row,) = await scene.ctx.db.all(select(portal_session.c.seen_at))
    assert row["seen_at"] == scene.clock.now()


async def test_idle_session_ends(scene: Scene) -> None:
    """After an hour without a page it is over; with a page now and then it is not."""
    account = await scene.account()
    _, cookie = await open_session(scene, account)
    scene.clock.step(HOUR - 1)
    assert await service.session_of(scene.ctx, cookie)
    scene.clock.step(HOUR - 1)
    assert await service.session_of(scene.ctx, cookie)
    scene.clock.step(HOUR)
    assert await service.session_of(scene.ctx, cookie) is None
    assert await service.list_sessions(scene.ctx, account.id) == []


async def test_busy_session_ends_after_a_day(scene: Scene) -> None:
    """However often it is used, it ends 24 hours after it was opened."""
    account = await scene.account()
    _, cookie = await open_session(scene, account)
    for _ in range(47):
        scene.clock.step(30 * MINUTE)
        assert await service.session_of(scene.ctx, cookie)
    scene.clock.step(30 * MINUTE)
    assert await service.session_of(scene.ctx, cookie) is None


async def test_ended_session_is_dead_and_stays_in_the_history(scene: Scene) -> None:
    """Out is out, once; the list of sign-ins still shows it."""
    account = await scene.account()
    session, cookie = await open_session(scene, account)
    ending = {"id": session.id, "account_id": account.id, "source": SOURCE}
    assert await service.end_session(scene.ctx, reason=EndReason.SIGNED_OUT, **ending)
    assert not await service.end_session(scene.ctx, reason=EndReason.ENDED, **ending)
    assert await service.session_of(scene.ctx, cookie) is None
    (past,) = await service.list_sign_ins(scene.ctx, account.id, most=5)
    assert past.id == session.id
    (row,) = await scene.rows(portal_session)
    assert row["end_reason"] == "signed_out"


async def test_session_of_another_account_cannot_be_ended(scene: Scene) -> None:
    """Knowing an id is not enough."""
    session, cookie = await open_session(scene, await scene.account("maria"))
    other = await scene.account("mallory")
    assert not await service.end_session(
        scene.ctx, id=session.id, account_id=other.id, reason=EndReason.ENDED, source=SOURCE
    )
    assert await service.session_of(scene.ctx, cookie)


async def test_ending_the_others_keeps_this_one(scene: Scene) -> None:
    """All other sessions of the account are over, nobody else's."""
    account, stranger = await scene.account("maria"), await scene.account("bob")
    session, cookie = await open_session(scene, account)
    others = [await open_session(scene, account) for _ in range(3)]
    _, foreign = await open_session(scene, stranger)
    assert await service.end_other_sessions(scene.ctx, session=session, source=SOURCE) == 3
    assert await service.session_of(scene.ctx, cookie)
    assert await service.session_of(scene.ctx, foreign)
    assert [await service.session_of(scene.ctx, other) for _, other in others] == [None] * 3


async def test_disabled_account_has_no_sessions(scene: Scene) -> None:
    """Disabling takes hold with the next page, and enabling gives nothing away for free."""
    account = await scene.account()
    _, cookie = await open_session(scene, account)
    await accounts.set_disabled(scene.ctx, account_id=account.id, disabled=True)
    assert await service.session_of(scene.ctx, cookie) is None
    with pytest.raises(Refused, match="not_signed_in"):
        await service.get_session(scene.ctx, cookie)


async def test_one_sign_in_opens_one_session(scene: Scene) -> None:
    """A second session of the same attempt cannot be stored."""
    account = await scene.account()
    attempt = new_id()

    async def body(tx: Tx) -> service.NewSession:
        return await service.open_session(
            tx,
            scene.ctx,
            account_id=account.id,
            attempt_id=attempt,
            proof=Proof.PUSH,
            enrollment_id=None,
            browser_digest=None,
            visitor=HERE,
            now=scene.clock.now(),
        )

    await scene.ctx.db.write(body)
    with pytest.raises(Duplicate):
        await scene.ctx.db.write(body)
    assert len(await scene.rows(portal_session)) == 1


async def test_browser_is_known_by_a_sign_in_with_a_phone(scene: Scene) -> None:
    """A password alone makes no browser known; the latest sign-in says what it is called."""
    account = await scene.account()
    strong, weak = new_secret(), new_secret()
    await open_session(scene, account, browser=strong)
    await open_session(scene, account, browser=strong, proof=Proof.NUMBER)
    await open_session(scene, account, browser=weak, proof=Proof.PASSWORD)
    (known,) = await service.list_known_browsers(scene.ctx, account.id)
    assert known.id == service.browser_id(scene.ctx, strong)
    scene.clock.step(180 * DAY)
    assert await service.list_known_browsers(scene.ctx, account.id) == []


async def test_forgotten_browser_is_not_known_any_more(scene: Scene) -> None:
    """One or all are forgotten; their sessions go on; nobody forgets for another account."""
    account, stranger = await scene.account("maria"), await scene.account("bob")
    first, second = new_secret(), new_secret()
    _, cookie = await open_session(scene, account, browser=first)
    await open_session(scene, account, browser=second)
    await open_session(scene, stranger, browser=first)
    forget = service.browser_id(scene.ctx, first)

    async def known() -> int:
        return len(await service.list_known_browsers(scene.ctx, account.id))

    for wrong in ("nonsense", service.browser_id(scene.ctx, new_secret())):
        assert not await service.forget_browser(
            scene.ctx, account_id=account.id, browser_id=wrong, source=SOURCE
        )
    assert await known() == 2
    assert await service.forget_browser(
        scene.ctx, account_id=account.id, browser_id=forget, source=SOURCE
    )
    assert await known() == 1
    assert await service.forget_browser(
        scene.ctx, account_id=account.id, browser_id=None, source=SOURCE
    )
    assert await known() == 0
    assert await service.session_of(scene.ctx, cookie)
    assert len(await service.list_known_browsers(scene.ctx, stranger.id)) == 1


async def test_sweep_keeps_what_still_means_something(scene: Scene) -> None:
    """A session is deleted when it is over and its browser no longer known."""
    account = await scene.account()
    await open_session(scene, account, browser=new_secret())
    scene.clock.step(179 * DAY)
    assert await service.sweep_sessions(scene.ctx) == 0
    scene.clock.step(2 * DAY)
    assert await service.sweep_sessions(scene.ctx) == 1


async def test_journal_tells_of_every_step(scene: Scene) -> None:
    """Opening and ending are events with their address, and in pages when there are many."""
    account = await scene.account()
    session, _ = await open_session(scene, account)
    await service.end_session(
        scene.ctx, id=session.id, account_id=account.id, reason=EndReason.ENDED, source=SOURCE
    )
    told = await service.list_happenings(scene.ctx, account.id, before=None, most=2)
    assert [(one.event, one.source) for one in told] == [
        ("session.ended", SOURCE),
        ("session.opened", HERE.address),
    ]
    assert told[1].detail["browser"] == HERE.browser
    (older,) = await service.list_happenings(scene.ctx, account.id, before=told[-1].id, most=2)
    assert older.event == "account.created"
