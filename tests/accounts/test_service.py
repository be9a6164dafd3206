"""Accounts are made, found however they are written, and their passwords checked in threads."""

import asyncio

import pytest

from tests.login.scene import PASSWORD, Scene
from vestibule.accounts import service
from vestibule.accounts.service import PasswordPool
from vestibule.accounts.store import account
from vestibule.base.errors import Refused, Unavailable
from vestibule.base.sealing import Sealer

SOURCE = "192.0.2.7"


async def test_created_account_is_found_however_it_is_written(scene: Scene) -> None:
    """Case and width do not matter; the name is shown as it was given."""
    made = await scene.account("Maria", display_name="Maria Rossi")
    found = await service.find_account(scene.ctx, username="ＭＡＲＩＡ")
    assert found == made
    assert (made.username, made.display_name, made.seamless) == ("Maria", "Maria Rossi", True)
    assert await service.find_account(scene.ctx, username="mario") is None
    assert await service.find_account(scene.ctx, username="\x00") is None


async def test_same_name_in_another_spelling_is_taken(scene: Scene) -> None:
    """Two accounts never share a folded name, also when both are made at once."""
    results = await asyncio.gather(
        *(scene.account(name) for name in ("straße", "STRASSE", "Strasse")),
        return_exceptions=True,
    )
    refusals = [result for result in results if isinstance(result, Refused)]
    assert [refusal.code.name for refusal in refusals] == ["username_taken"] * 2
    assert len(await service.list_accounts(scene.ctx)) == 1


async def test_password_is_stored_as_an_argon2id_hash_under_the_master_key(scene: Scene) -> None:
    """The row holds no password, and its hash verifies with this house's key only."""
    await scene.account()
    (row,) = await scene.rows(account)
    assert row["password_hash"].startswith("$argon2id$v=19$")
    assert PASSWORD not in repr(row)
    assert await scene.ctx.passwords.verify(row["password_hash"], PASSWORD)
    stranger = PasswordPool(Sealer(bytes(32)), threads=1, memory_kib=8, passes=1)
    assert not await stranger.verify(row["password_hash"], PASSWORD)
    stranger.close()


async def test_password_pool_uses_the_recommended_cost() -> None:
    """Without other orders: 19 MiB, two passes, one lane."""
    pool = PasswordPool(Sealer(bytes(32)), threads=1)
    assert (await pool.hash("x")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    pool.close()


async def test_unknown_account_is_hashed_for_all_the_same() -> None:
    """Without a hash to compare, the answer is no, after the same work."""
    pool = PasswordPool(Sealer(bytes(32)), threads=1, memory_kib=8, passes=1)
    seen: list[bytes] = []
    run = pool._run

    async def spy(work: object, *args: bytes) -> object:
        seen.append(args[0])
        return await run(work, *args)  # type: ignore[arg-type]

    pool._run = spy  # type: ignore[method-assign,assignment]
    assert not await pool.verify(None, PASSWORD)
    assert seen[0].startswith(b"$argon2id$v=19$m=8,t=1,p=1$")
    pool.close()


async def test_full_queue_is_refused_at_once() -> None:
    """More than 32 waiting a thread are told that the house is busy."""
    pool = PasswordPool(Sealer(bytes(32)), threads=1, memory_kib=8, passes=1)
    results = await asyncio.gather(
        *(pool.verify(None, "x") for _ in range(40)), return_exceptions=True
    )
    busy = [result for result in results if isinstance(result, Unavailable)]
    assert [fault.code.name for fault in busy] == ["password_busy"] * 8
    assert await pool.verify(None, "x") is False
    pool.close()


async def test_changed_password_replaces_the_former(scene: Scene) -> None:
    """The owner changes it with the current one, and what a report had stopped goes on."""
    made = await scene.account()
    until = scene.clock.now() + 1000
    await scene.ctx.db.write(lambda tx: service.mark_reported(tx, account_id=made.id, until=until))
    await service.change_password(
        scene.ctx, account_id=made.id, current=PASSWORD, new="a new set of words", source=SOURCE
    )
    now = await service.get_account(scene.ctx, made.id)
    assert (now.password_change_needed, now.pushes_stopped_until) == (False, None)
    (row,) = await scene.rows(account)
    assert await scene.ctx.passwords.verify(row["password_hash"], "a new set of words")
    assert (await scene.events())[-1]["event"] == "account.password_changed"


async def test_current_password_cannot_be_guessed_from_an_open_session(scene: Scene) -> None:
    """Five wrong ones are free, then even the right one has to wait; the wait does not grow."""
    made = await scene.account()

    async def attempt(current: str) -> str:
        with pytest.raises(Refused) as caught:
            await service.change_password(
                scene.ctx, account_id=made.id, current=current, new="x" * 5 + "y/z!", source=SOURCE
            )
        return caught.value.code.name

    codes = [await attempt("wrong one") for _ in range(7)]
    assert codes == ["wrong_credentials"] * (codes.index("password_wait")) + ["password_wait"] * (
        7 - codes.index("password_wait")
    )
    assert 5 <= codes.index("password_wait") <= 6
    assert await attempt(PASSWORD) == "password_wait"


async def test_bad_new_password_changes_nothing(scene: Scene) -> None:
    """The rules hold for changes too."""
    made = await scene.account()
    before = await scene.rows(account)
    with pytest.raises(Refused, match="password_too_short"):
        await service.change_password(
            scene.ctx, account_id=made.id, current=PASSWORD, new="short", source=SOURCE
        )
    assert await scene.rows(account) == before


async def test_seamless_is_switched_once_and_journalled(scene: Scene) -> None:
    """Saving what is already so leaves no event."""
    made = await scene.account()
    changes = [
        await service.set_seamless(scene.ctx, account_id=made.id, on=on, source=SOURCE)
        for on in (True, False, False, True)
    ]
    assert changes == [False, True, False, True]
    assert [row["event"] for row in await scene.events()][1:] == [
        "account.seamless_off",
        "account.seamless_on",
    ]
