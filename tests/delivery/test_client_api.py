"""What a signed-in terminal is told of its account's access, and nobody else."""

import httpx
import pytest

from tests.delivery.keeper import NETWORK, opened, owner
from tests.desk import Desk, open_session
from tests.login.scene import HERE, Scene
from vestibule.accounts.rules import Account
from vestibule.base.database import Tx
from vestibule.delivery import service
from vestibule.delivery.rules.setups import PROGRAMS
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof


async def token_of(scene: Scene, account: Account) -> str:
    """A terminal's token."""

    async def body(tx: Tx) -> sessions.NewSession:
        return await sessions.open_terminal_session(
            tx,
            scene.ctx,
            account_id=account.id,
            attempt_id=None,
            proof=Proof.PUSH,
            enrollment_id=None,
            name="laptop",
            visitor=HERE,
            now=scene.clock.now(),
        )

    return (await scene.ctx.db.write(body)).cookie


async def asked(desk: Desk, token: str, **query: str) -> httpx.Response:
    """GET /api/delivery with a token."""
    headers = {"authorization": f"Bearer {token}"}
    return await desk.http.get("/api/delivery", headers=headers, params=query)


async def test_terminal_is_told_its_access_and_ready_made_configurations(desk: Desk) -> None:
    """Server, username, registered keys and networks; a file or more for every program."""
    account, session = await owner(desk.scene)
    home, key = await opened(desk.scene, session)
    (host_key,) = await service.shown_host_keys(desk.scene.ctx)
    answer = await asked(desk, await token_of(desk.scene, account), key="~/my key")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["username"] == home.username
    assert told["username"] != account.username
    assert told["enabled"] is True
    assert told["networks"] == [NETWORK]
    assert told["host_keys"] == [host_key.line]
    assert told["fingerprints"] == [host_key.fingerprint]
    assert told["keys"] == [{"label": key.label, "fingerprint": key.fingerprint}]
    assert told["setups"][0]["program"] == "openssh"
    assert {one["program"] for one in told["setups"]} == set(PROGRAMS)
    assert 'IdentityFile "~/my key"' in told["setups"][0]["text"]
    assert all(step for one in told["setups"] for step in one["steps"])
    assert "PRIVATE" not in answer.text


async def test_account_without_a_home_is_sent_to_the_portal(desk: Desk) -> None:
    """Nothing is made by asking."""
    account, _ = await owner(desk.scene)
    answer = await asked(desk, await token_of(desk.scene, account))
    assert answer.status_code == 409
    assert answer.json()["code"] == "delivery_not_set_up"
    assert await service.home_of(desk.scene.ctx, account.id) is None


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer vst_wrong", "Basic abc", "Bearer a b"])
async def test_stranger_is_told_nothing(desk: Desk, header: str) -> None:
    """Without a terminal's token there is no answer, and how to get one is named."""
    headers = {"authorization": header} if header else {}
    answer = await desk.http.get("/api/delivery", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_unknown"
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_browser_session_is_no_token(desk: Desk) -> None:
    """The value of a cookie opens nothing here, in a cookie or as a token."""
    account, session = await owner(desk.scene)
    await opened(desk.scene, session)
    await desk.sign_in(account)
    assert (await desk.http.get("/api/delivery")).status_code == 401
    _, cookie = await open_session(desk.scene, account)
    assert (await asked(desk, cookie)).status_code == 401


async def test_one_account_never_sees_anothers_access(desk: Desk) -> None:
    """Each token answers for its own account."""
    _, session = await owner(desk.scene)
    home, _ = await opened(desk.scene, session)
    other, _ = await owner(desk.scene, "mallory")
    answer = await asked(desk, await token_of(desk.scene, other))
    assert answer.status_code == 409
    assert home.username not in answer.text


async def test_path_of_a_key_that_is_none_is_refused(desk: Desk) -> None:
    """What is to stand in a configuration is checked before it does."""
    account, session = await owner(desk.scene)
    await opened(desk.scene, session)
    answer = await asked(desk, await token_of(desk.scene, account), key='a"\nProxyCommand id')
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_field"
