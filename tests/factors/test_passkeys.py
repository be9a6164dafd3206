"""Passkeys: whose, for which page, over which sign-in, with their person verified; each once."""

import json
from dataclasses import replace as changed
from typing import Any

import pytest

from tests.desk import Desk
from tests.factors.authenticator import PRESENT, SecurityKey
from tests.factors.test_service import RACERS, owner, race, verify
from tests.login.scene import HERE, Scene, with_settings
from vestibule.base.clock import MINUTE
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.factors import service
from vestibule.factors.rules import Factor, Kind
from vestibule.factors.store import factor as factor_table
from vestibule.sessions.rules import Proof, Session

WRONG: dict[str, dict[str, Any]] = {
    "not verified": {"flags": PRESENT},
    "another origin": {"origin": "https://portal.evil.example"},
    "another relying party": {"rp": "evil.example"},
    "the other ceremony": {"kind": "webauthn.nothing"},
}


async def register(scene: Scene, session: Session, key: SecurityKey, **wrong: Any) -> Factor:
    """Make a passkey in the settings."""
    made = await service.registration_options(scene.ctx, session)
    return await service.register_passkey(
        scene.ctx,
        session=session,
        label="Blue key",
        token=made.token,
        credential=key.create(made.options, **wrong),
        visitor=HERE,
    )


async def sign_in(
    scene: Scene,
    key: SecurityKey,
    *,
    asked_in: str = "browser",
    brought: str = "browser",
    **how: Any,
) -> tuple[str, str]:
    """A passkey as the whole sign-in."""
    asked = service.login_options(scene.ctx, bound=asked_in)
    return await present(scene, key.get(asked.options, **how), asked.token, brought)


async def present(
    scene: Scene, response: str, token: str, bound: str = "browser"
) -> tuple[str, str]:
    """Bring an answer to the sign-in page."""

    async def body(tx: Tx) -> tuple[str, str]:
        return await service.verify_passkey_login(
            tx, scene.ctx, response=response, token=token, bound=bound, now=scene.clock.now()
        )

    return await scene.ctx.db.write(body)


async def question(scene: Scene, factor: Factor) -> str:
    """The options of a sign-in under way, as `verify` of the other tests answers it."""
    asked = await service.challenge(scene.ctx, factor, "attempt", "123456")
    return json.dumps(asked["options"])


async def test_a_passkey_counts_as_soon_as_it_is_made(desk: Desk) -> None:
    """As a second factor, asked for by its own id; nothing that is kept of it is secret."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    assert (factor.kind, factor.label) == (Kind.PASSKEY, "Blue key")
    options = await question(scene, factor)
    asked = json.loads(options)
    assert asked["userVerification"] == "required"
    assert asked["rpId"] == "portal.example"
    (allowed,) = asked["allowCredentials"]
    assert allowed["transports"] == ["nfc", "usb"]
    assert await verify(scene, factor, key.get(options)) is Proof.PASSKEY


async def test_what_is_asked_for_can_be_found_without_a_username(desk: Desk) -> None:
    """A discoverable credential, user verification, and none that the account has already."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    options = json.loads((await service.registration_options(scene.ctx, session)).options)
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"]["id"] == "portal.example"
    assert len(options["excludeCredentials"]) == 1
    assert factor.account_id == session.account_id


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
async def test_a_registration_that_is_not_right_is_refused(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    """Nothing is kept of it."""
    scene = desk.scene
    session = await owner(desk)
    with pytest.raises(Refused, match="passkey_refused"):
        await register(scene, session, SecurityKey(), **wrong)
    assert await scene.rows(factor_table) == []


async def test_attestation_is_asked_for_where_the_operator_wants_it(desk: Desk) -> None:
    """Then a key that does not show its make is refused; else none is asked to."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    plain = await service.registration_options(scene.ctx, session)
    assert json.loads(plain.options)["attestation"] == "none"
    strict = with_settings(scene, attestation="required")
    asked = await service.registration_options(strict.ctx, session)
    assert json.loads(asked.options)["attestation"] == "direct"
    with pytest.raises(Refused, match="passkey_refused"):
        await register(strict, session, key)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"id": 1}', "[" * 5000, "{"])
async def test_nonsense_is_refused(desk: Desk, text: str) -> None:
    """Whatever the field holds, as a registration and as an answer."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    made = await service.registration_options(scene.ctx, session)
    with pytest.raises(Refused, match="passkey_refused"):
        await service.register_passkey(
            scene.ctx,
            session=session,
            label="x",
            token=made.token,
            credential=text,
            visitor=HERE,
        )
    factor = await register(scene, session, key)
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, text)
    token = service.login_options(scene.ctx, bound="browser").token
    with pytest.raises(Refused, match="factor_wrong"):
        await present(scene, text, token)


async def test_a_registration_is_for_one_session_and_some_minutes(desk: Desk) -> None:
    """Brought into another session, or too late, it is none."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    made = await service.registration_options(scene.ctx, session)
    credential = key.create(made.options)
    stranger = await owner(desk, name="riley")
    for who, wait in ((stranger, 0), (changed(session, id="x" * 43), 0), (session, 10 * MINUTE)):
        scene.clock.step(wait)
        with pytest.raises(Refused, match="passkey_late"):
            await service.register_passkey(
                scene.ctx,
                session=who,
                label="x",
                token=made.token,
                credential=credential,
                visitor=HERE,
            )


async def test_one_credential_is_kept_once_in_the_whole_house(desk: Desk) -> None:
    """Neither twice by its owner nor by anybody else."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    await register(scene, session, key)
    for who in (session, await owner(desk, name="riley")):
        with pytest.raises(Refused, match="factor_exists"):
            await register(scene, who, key)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
async def test_an_answer_that_is_not_right_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    """Without user verification, from or for another site: no, in both uses."""
    scene, key = desk.scene, SecurityKey()
    factor = await register(scene, await owner(desk), key)
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, key.get(await question(scene, factor), **wrong))
    with pytest.raises(Refused, match="factor_wrong"):
        await sign_in(scene, key, **wrong)


async def test_an_answer_is_for_one_sign_in_one_account_and_one_key(desk: Desk) -> None:
    """Swapped between attempts, rounds, accounts or keys it opens nothing."""
    scene, key, other = desk.scene, SecurityKey(), SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    second = await register(scene, session, other)
    for attempt, number in (("another", "123456"), ("attempt", "654321")):
        asked = await service.challenge(scene.ctx, factor, attempt, number)
        with pytest.raises(Refused, match="factor_wrong"):
            await verify(scene, factor, key.get(json.dumps(asked["options"])))
    options = await question(scene, factor)
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, other.get(options))
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, second, key.get(options))
    with pytest.raises(Refused, match="factor_wrong"):
        await verify(scene, factor, key.get(options, user="c29tZWJvZHk"))
    foreign = changed(factor, account_id=(await owner(desk, name="riley")).account_id)
    with pytest.raises(Refused, match="factor_unknown"):
        await verify(scene, foreign, key.get(options))


async def test_a_counter_that_went_back_is_a_copy(desk: Desk) -> None:
    """Said as what it is; keys that keep no counter are not suspected."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    options = await question(scene, factor)
    await verify(scene, factor, key.get(options, counter=9))
    for counter in (9, 3, 0):
        with pytest.raises(Refused, match="passkey_copied"):
            await verify(scene, factor, key.get(options, counter=counter))
    plain = SecurityKey(counts=False)
    uncounted = await register(scene, session, plain)
    for _ in range(2):
        await verify(scene, uncounted, plain.get(await question(scene, uncounted)))


async def test_a_passkey_signs_in_by_itself(desk: Desk) -> None:
    """It says whose it is; no username is typed, and none is told to anybody who asks."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    assert await sign_in(scene, key) == (session.account_id, factor.id)
    options = json.loads(service.login_options(scene.ctx, bound="b").options)
    assert options["allowCredentials"] == []


async def test_a_sign_in_of_its_own_counts_once_however_many_race(desk: Desk) -> None:
    """The same answer again, also from keys without a counter, is refused."""
    scene, key = desk.scene, SecurityKey(counts=False)
    await register(scene, await owner(desk), key)
    asked = service.login_options(scene.ctx, bound="browser")
    response = key.get(asked.options)
    ends = await race(RACERS, lambda: present(scene, response, asked.token))
    assert sorted(ends) == ["factor_code_used"] * (RACERS - 1) + ["ok"]


async def test_a_sign_in_of_its_own_is_for_one_browser_and_some_minutes(desk: Desk) -> None:
    """A page that relays the question to somebody else's browser gets nothing."""
    scene, key = desk.scene, SecurityKey()
    await register(scene, await owner(desk), key)
    with pytest.raises(Refused, match="passkey_late"):
        await sign_in(scene, key, brought="another browser")
    asked = service.login_options(scene.ctx, bound="browser")
    response = key.get(asked.options)
    scene.clock.step(10 * MINUTE)
    with pytest.raises(Refused, match="passkey_late"):
        await present(scene, response, asked.token)


async def test_a_removed_or_unknown_passkey_signs_nobody_in(desk: Desk) -> None:
    """Both are refused alike."""
    scene, key = desk.scene, SecurityKey()
    session = await owner(desk)
    factor = await register(scene, session, key)
    await service.remove(scene.ctx, session=session, id=factor.id, source="x")
    for one in (key, SecurityKey()):
        with pytest.raises(Refused, match="factor_wrong"):
            await sign_in(scene, one)
