"""Second factors, apps first: made by their owner, proven, used once, removed; and who may."""

import asyncio
from base64 import b32decode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.desk import Desk
from tests.login.scene import HERE, Scene, code_of
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.database import Tx
from vestibule.base.errors import Fault, Refused
from vestibule.factors import service
from vestibule.factors.rules import Factor, State, totp
from vestibule.factors.store import factor as factor_table
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof, Session

RACERS = 64


async def owner(desk: Desk, proof: Proof = Proof.PUSH, name: str = "morgan") -> Session:
    """Somebody who is signed in."""
    account = await desk.scene.account(name)
    return await desk.sign_in(account, proof=proof)


async def verify(scene: Scene, factor: Factor, answer: str) -> Proof:
    """Answer with a factor, as a sign-in does."""

    async def body(tx: Tx) -> Proof:
        return await service.verify(
            tx,
            scene.ctx,
            factor_id=factor.id,
            account_id=factor.account_id,
            answer=answer,
            attempt_id="attempt",
            challenge="123456",
            now=scene.clock.now(),
            source="192.0.2.7",
        )

    return await scene.ctx.db.write(body)


async def usable(scene: Scene, account_id: str) -> list[Factor]:
    """What a chooser lists."""
    now = scene.clock.now()
    return await scene.ctx.db.read(lambda tx: service.usable(tx, scene.ctx, account_id, now))


async def race(times: int, act: Callable[[], Awaitable[Any]]) -> list[str]:
    """What became of acts side by side: the code of each refusal, or ok."""
    ends = await asyncio.gather(*(act() for _ in range(times)), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Fault):
            raise end
    return [code_of(end) if isinstance(end, Fault) else "ok" for end in ends]


def code_now(scene: Scene, shown: service.TotpShown, ahead: int = 0) -> str:
    """What an app shows."""
    return totp.code_at(b32decode(shown.text), totp.step_at(scene.clock.now()) + ahead)


async def app(scene: Scene, session: Session) -> tuple[Factor, service.TotpShown]:
    """An authenticator app that is confirmed; the next step is free again."""
    made = await service.add_totp(scene.ctx, session=session, label="Ada's app", source="x")
    shown = await service.show_totp(scene.ctx, session, made.id)
    code = code_now(scene, shown)
    await service.confirm_totp(scene.ctx, session=session, id=made.id, code=code, visitor=HERE)
    scene.clock.step(30_000)
    return await service.get_factor(scene.ctx, session, made.id), shown


async def told(scene: Scene) -> list[str]:
    """The events about factors."""
    names = [row["event"] for row in await scene.events()]
    return [name for name in names if name.startswith(("factor.", "codes."))]


# --- authenticator apps -----------------------------------------------------------------------


async def test_an_app_counts_once_a_code_confirmed_it(desk: Desk) -> None:
    """Until then its secret is shown again and nobody signs in with it; after that never shown."""
    scene = desk.scene
    session = await owner(desk)
    made = await service.add_totp(scene.ctx, session=session, label=" Ada's  app ", source="x")
    assert (made.label, made.state(scene.clock.now())) == ("Ada's app", State.WAITING)
    shown = await service.show_totp(scene.ctx, session, made.id)
    assert shown == await service.show_totp(scene.ctx, session, made.id)
    assert await usable(scene, session.account_id) == []
    with pytest.raises(Refused, match="factor_unconfirmed"):
        await verify(scene, made, code_now(scene, shown))
    with pytest.raises(Refused, match="factor_wrong"):
        await service.confirm_totp(
            scene.ctx, session=session, id=made.id, code="000000", visitor=HERE
        )
    code = code_now(scene, shown)
    await service.confirm_totp(scene.ctx, session=session, id=made.id, code=code, visitor=HERE)
    assert [one.id for one in await usable(scene, session.account_id)] == [made.id]
    with pytest.raises(Refused, match="factor_confirmed"):
        await service.show_totp(scene.ctx, session, made.id)
    with pytest.raises(Refused, match="factor_code_used"):
        await verify(scene, made, code)
    scene.clock.step(30_000)
    assert await verify(scene, made, code_now(scene, shown)) is Proof.TOTP
    assert await told(scene) == ["factor.added", "factor.confirmed", "factor.used"]


async def test_a_code_counts_once_and_none_before_it_after(desk: Desk) -> None:
    """The step moves on for good: the former code is void although its time is not over."""
    scene = desk.scene
    factor, shown = await app(scene, await owner(desk))
    earlier = code_now(scene, shown)
    scene.clock.step(20_000)
    assert await verify(scene, factor, code_now(scene, shown, ahead=1)) is Proof.TOTP
    for code in (earlier, code_now(scene, shown, ahead=1)):
        with pytest.raises(Refused, match="factor_code_used"):
            await verify(scene, factor, code)


async def test_one_step_of_an_app_opens_once_however_many_race(desk: Desk) -> None:
    """Of sixty-four answers with one code a single one counts."""
    scene = desk.scene
    factor, shown = await app(scene, await owner(desk))
    code = code_now(scene, shown)
    ends = await race(RACERS, lambda: verify(scene, factor, code))
    assert sorted(ends) == ["factor_code_used"] * (RACERS - 1) + ["ok"]
    assert (await told(scene)).count("factor.used") == 1


async def test_the_secret_is_not_in_the_database(desk: Desk) -> None:
    """Neither as bytes nor as text, nor does a row open in another's place."""
    scene = desk.scene
    session = await owner(desk)
    made = await service.add_totp(scene.ctx, session=session, label="a", source="x")
    shown = await service.show_totp(scene.ctx, session, made.id)
    (row,) = await scene.rows(factor_table)
    assert b32decode(shown.text) not in row["secret"]
    assert shown.text not in repr(row)


async def test_another_account_knows_nothing_of_it(desk: Desk) -> None:
    """Its id is as unknown as one that was never there."""
    scene = desk.scene
    factor, shown = await app(scene, await owner(desk))
    stranger = await owner(desk, name="riley")
    code = code_now(scene, shown)
    for act in (
        service.show_totp(scene.ctx, stranger, factor.id),
        service.rename(scene.ctx, session=stranger, id=factor.id, label="x", source="x"),
        service.remove(scene.ctx, session=stranger, id=factor.id, source="x"),
        service.confirm_totp(scene.ctx, session=stranger, id=factor.id, code=code, visitor=HERE),
    ):
        with pytest.raises(Refused, match="factor_unknown"):
            await act


async def test_no_more_than_ten_of_a_kind(desk: Desk) -> None:
    """Then one has to go first."""
    scene = desk.scene
    session = await owner(desk)
    for number in range(10):
        await service.add_totp(scene.ctx, session=session, label=f"app {number}", source="x")
    with pytest.raises(Refused, match="factors_full"):
        await service.add_totp(scene.ctx, session=session, label="app 11", source="x")


# --- who may ----------------------------------------------------------------------------------


async def test_adding_needs_a_fresh_second_factor(desk: Desk) -> None:
    """An old proof no longer suffices, nor a password where there is a factor already."""
    scene = desk.scene
    session = await owner(desk)
    await app(scene, session)
    scene.clock.step(11 * MINUTE)
    with pytest.raises(Refused, match="step_up_needed"):
        await service.add_totp(scene.ctx, session=session, label="b", source="x")
    account = await accounts_of(scene, session)
    weak = await desk.sign_in(account, proof=Proof.PASSWORD)
    for act in (
        service.add_totp(scene.ctx, session=weak, label="b", source="x"),
        service.make_codes(scene.ctx, session=weak, label="b", visitor=HERE),
        service.make_card(scene.ctx, session=weak, label="b", source="x"),
        service.registration_options(scene.ctx, weak),
    ):
        with pytest.raises(Refused, match="step_up_needed"):
            await act


async def accounts_of(scene: Scene, session: Session) -> Account:
    """The account of a session."""
    return await accounts.get_account(scene.ctx, session.account_id)


async def test_the_first_factor_is_added_by_password_and_ends_other_such_sessions(
    desk: Desk,
) -> None:
    """Nothing stronger exists before it; after it a password alone opens nothing any more.

    The session itself rises to what was shown in it.
    """
    scene = desk.scene
    account = await scene.account()
    other = await desk.sign_in(account, proof=Proof.PASSWORD)
    session = await desk.sign_in(account, proof=Proof.PASSWORD)
    await app(scene, session)
    live = {view.id: view.proof for view in await sessions.list_sessions(scene.ctx, account.id)}
    assert live == {session.id: Proof.TOTP}
    assert other.id not in live


@pytest.mark.parametrize("proof", [Proof.RECOVERY_CODE, Proof.TEMPORARY_PASS])
async def test_who_comes_by_paper_may_add_but_not_remove(desk: Desk, proof: Proof) -> None:
    """That is what recovery codes and passes are for; taking away needs more than they are."""
    scene = desk.scene
    first = await owner(desk)
    kept, _ = await app(scene, first)
    session = await desk.sign_in(await accounts_of(scene, first), proof=proof)
    await app(scene, session)
    with pytest.raises(Refused, match="step_up_needed"):
        await service.remove(scene.ctx, session=session, id=kept.id, source="x")


async def test_nothing_is_removed_while_the_account_cools_down(desk: Desk) -> None:
    """After a recovery one may add, and neither remove nor renew."""
    scene = desk.scene
    session = await owner(desk)
    factor, _ = await app(scene, session)
    await service.make_codes(scene.ctx, session=session, label="Codes", visitor=HERE)
    guarded = replace(session, guarded_until=scene.clock.now() + HOUR)
    with pytest.raises(Refused, match="cooling_down"):
        await service.remove(scene.ctx, session=guarded, id=factor.id, source="x")
    with pytest.raises(Refused, match="cooling_down"):
        await service.make_codes(scene.ctx, session=guarded, label="Codes", visitor=HERE)
    await service.add_totp(scene.ctx, session=guarded, label="b", source="x")


async def test_renamed_and_removed_factors_are_told_of(desk: Desk) -> None:
    """A removed one answers for nobody, and its secret is gone from the database."""
    scene = desk.scene
    session = await owner(desk)
    factor, shown = await app(scene, session)
    await service.rename(scene.ctx, session=session, id=factor.id, label="Blue", source="x")
    assert (await service.get_factor(scene.ctx, session, factor.id)).label == "Blue"
    await service.remove(scene.ctx, session=session, id=factor.id, source="x")
    with pytest.raises(Refused, match="factor_unknown"):
        await verify(scene, factor, code_now(scene, shown))
    (row,) = await scene.rows(factor_table)
    assert (row["secret"], row["state"]) == (b"", "{}")
    assert (await told(scene))[-2:] == ["factor.renamed", "factor.removed"]


async def test_what_nobody_finished_is_swept(desk: Desk) -> None:
    """After a week; what counts stays."""
    scene = desk.scene
    session = await owner(desk)
    kept, _ = await app(scene, session)
    await service.add_totp(scene.ctx, session=session, label="never", source="x")
    scene.clock.step(8 * DAY)
    await service.sweep_factors(scene.ctx)
    assert [row["id"] for row in await scene.rows(factor_table)] == [kept.id]


async def test_kinds_without_a_question_ask_nothing(desk: Desk) -> None:
    """An app's code needs nothing from the page."""
    scene = desk.scene
    factor, _ = await app(scene, await owner(desk))
    assert await service.challenge(scene.ctx, factor, "a", "123456") == {}
