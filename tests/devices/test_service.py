"""Phones prove their calls, are renamed and removed, and say where they are nudged."""

import asyncio

import pytest

from tests.desk import open_session
from tests.login.scene import Scene, ScenePhone, code_of
from vestibule.base.database import Tx
from vestibule.base.errors import Fault, Refused
from vestibule.devices import service
from vestibule.devices.rules import PushHealth
from vestibule.devices.store import enrollment
from vestibule.protocol.errors import ProtocolFault
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof

SOURCE = "198.51.100.9"


async def prove(scene: Scene, phone: ScenePhone, header: str | None, *, path: str = "/x") -> str:
    """`ok`, or the code with which a GET of `path` is refused."""
    try:
        proven = await service.prove(
            scene.ctx, authorization=header, method="GET", path=path, body=b""
        )
    except (Fault, ProtocolFault) as error:
        return code_of(error)
    assert proven.id == phone.id
    return "ok"


async def test_proof_names_and_proves_the_enrollment(scene: Scene) -> None:
    """A call with a fresh signature over its method, path and body is the phone's."""
    phone = await scene.phone(await scene.account())
    now = scene.clock.now()
    header = phone.proof("GET", "/x", b"", now=now)
    assert await prove(scene, phone, header) == "ok"
    assert await prove(scene, phone, header, path="/x?y=1") == "signature_wrong"
    assert await prove(scene, phone, phone.proof("PUT", "/x", b"", now=now)) == "signature_wrong"
    assert await prove(scene, phone, phone.proof("GET", "/x", b"{}", now=now)) == "signature_wrong"


@pytest.mark.parametrize("header", [None, "", "Bearer x", "Vestibule ", "Vestibule a.b.c"])
async def test_call_without_a_proof_is_malformed(scene: Scene, header: str | None) -> None:
    """No proof, no look into the database."""
    phone = ScenePhone(scene.ctx.settings.portal_url)
    assert await prove(scene, phone, header) == "message_malformed"


async def test_proof_of_a_stranger_is_unknown(scene: Scene) -> None:
    """A well-formed proof of a key that was never enrolled names nobody."""
    phone = ScenePhone(scene.ctx.settings.portal_url)
    header = phone.proof("GET", "/x", b"", now=scene.clock.now())
    assert await prove(scene, phone, header) == "enrollment_unknown"


@pytest.mark.parametrize("seconds, result", [(89, "ok"), (91, "clock_wrong"), (-59, "ok")])
async def test_proof_holds_within_the_clocks_allowance(
    scene: Scene, seconds: int, result: str
) -> None:
    """Sixty seconds either way are forgiven, beyond that the phone corrects its clock."""
    phone = await scene.phone(await scene.account())
    header = phone.proof("GET", "/x", b"", now=scene.clock.now())
    scene.clock.step(seconds * 1000)
    assert await prove(scene, phone, header) == result


async def test_removed_phone_proves_nothing_and_its_keys_are_gone(scene: Scene) -> None:
    """It hears that it was removed; a forger with its id does not."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, phone=phone)
    await service.revoke(scene.ctx, session=session, id=phone.id, end_sessions=False, source=SOURCE)
    header = phone.proof("GET", "/x", b"", now=scene.clock.now())
    assert await prove(scene, phone, header) == "enrollment_revoked"
    (row,) = await scene.rows(enrollment)
    assert (row["response_key"], row["knowledge_key"], row["subscription"]) == (b"", b"", None)
    assert (f"enrollment:{phone.id}", "removed") in scene.bus.told
    assert await service.list_phones(scene.ctx, account.id) == []


async def test_removal_can_take_the_phones_sessions_along(scene: Scene) -> None:
    """What a lost phone had opened is closed; this session and other phones' are not."""
    account = await scene.account()
    lost, kept = await scene.phone(account), await scene.phone(account)
    session, _ = await open_session(scene, account, phone=lost)
    opened, _ = await open_session(scene, account, phone=lost)
    other, _ = await open_session(scene, account, phone=kept)
    await service.revoke(scene.ctx, session=session, id=lost.id, end_sessions=True, source=SOURCE)
    live = {view.id for view in await sessions.list_sessions(scene.ctx, account.id)}
    assert live == {session.id, other.id}
    assert opened.id not in live


async def test_phone_of_another_account_is_unknown(scene: Scene) -> None:
    """Its id lets nobody rename or remove it."""
    phone = await scene.phone(await scene.account("maria"))
    session, _ = await open_session(scene, await scene.account("mallory"))
    with pytest.raises(Refused, match="enrollment_unknown"):
        await service.revoke(
            scene.ctx, session=session, id=phone.id, end_sessions=False, source=SOURCE
        )
    with pytest.raises(Refused, match="enrollment_unknown"):
        await service.rename(scene.ctx, session=session, id=phone.id, label="x", source=SOURCE)


async def test_password_session_may_only_undo_what_it_linked(scene: Scene) -> None:
    """A phone that was there before needs a phone; one linked since may be the wrong one."""
    account = await scene.account()
    before = await scene.phone(account)
    scene.clock.step(1)
    session, _ = await open_session(scene, account, proof=Proof.PASSWORD)
    since = await scene.phone(account)
    with pytest.raises(Refused, match="step_up_needed"):
        await service.revoke(
            scene.ctx, session=session, id=before.id, end_sessions=False, source=SOURCE
        )
    await service.revoke(scene.ctx, session=session, id=since.id, end_sessions=False, source=SOURCE)
    (left,) = await service.list_phones(scene.ctx, account.id)
    assert left.enrollment.id == before.id


async def test_renaming_cleans_the_name_and_says_what_it_was(scene: Scene) -> None:
    """White space is folded, the former name is told, and the phone is woken."""
    account = await scene.account()
    phone = await scene.phone(account, label="Pixel 9")
    session, _ = await open_session(scene, account, phone=phone)
    former = await service.rename(
        scene.ctx, session=session, id=phone.id, label="  Maria's\t Pixel ", source=SOURCE
    )
    assert former == "Pixel 9"
    (listed,) = await service.list_phones(scene.ctx, account.id)
    assert listed.enrollment.label == "Maria's Pixel"
    assert (f"enrollment:{phone.id}", "change") in scene.bus.told


@pytest.mark.parametrize("label", ["", "   ", "x" * 41, "a\u202eb", "a\x00b"])
async def test_name_that_cannot_be_shown_is_refused(scene: Scene, label: str) -> None:
    """Empty, overlong and invisible names change nothing."""
    account = await scene.account()
    phone = await scene.phone(account)
    session, _ = await open_session(scene, account, phone=phone)
    before = await scene.rows(enrollment)
    with pytest.raises(Refused, match="device_name_invalid"):
        await service.rename(scene.ctx, session=session, id=phone.id, label=label, source=SOURCE)
    assert await scene.rows(enrollment) == before


async def test_subscription_is_sealed_and_only_changes_are_written(scene: Scene) -> None:
    """The same one again costs no event; none at all is remembered as unavailable."""
    account = await scene.account()
    phone = await scene.phone(account, push=False)
    fresh = ScenePhone(phone.issuer).subscription
    assert fresh is not None
    (listed,) = await service.list_phones(scene.ctx, account.id)
    assert listed.enrollment.push_health is PushHealth.UNKNOWN
    for push in (fresh, fresh, None, None):
        await service.set_subscription(scene.ctx, listed.enrollment, push=push, source=SOURCE)
    events = [row["event"] for row in await scene.events()]
    assert [event for event in events if "push" in event] == [
        "enrollment.push_on",
        "enrollment.push_off",
    ]
    (listed,) = await service.list_phones(scene.ctx, account.id)
    assert listed.enrollment.push_health is PushHealth.UNAVAILABLE
    await service.set_subscription(scene.ctx, listed.enrollment, push=fresh, source=SOURCE)
    (row,) = await scene.rows(enrollment)
    assert fresh.endpoint.encode() not in row["subscription"]
    assert service.push_target(scene.ctx, phone.id, row["subscription"]).endpoint == fresh.endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://localhost/x",
        "https://169.254.169.254/latest",
        "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x",
    ],
)
async def test_subscription_elsewhere_is_refused(scene: Scene, endpoint: str) -> None:
    """A phone cannot make the server call anything but a push service."""
    account = await scene.account()
    await scene.phone(account)
    (listed,) = await service.list_phones(scene.ctx, account.id)
    given = ScenePhone(scene.ctx.settings.portal_url).subscription
    assert given is not None
    push = type(given)(endpoint=endpoint, p256dh=given.p256dh, auth=given.auth)
    with pytest.raises(Refused, match="subscription_refused"):
        await service.set_subscription(scene.ctx, listed.enrollment, push=push, source=SOURCE)


async def test_counter_moves_forward_only_and_once(scene: Scene) -> None:
    """Of 64 responses with one counter a single one is accepted, and none with a lower."""
    phone = await scene.phone(await scene.account())

    async def advance(counter: int) -> bool:
        async def body(tx: Tx) -> bool:
            return await service.advance_counter(
                tx, enrollment_id=phone.id, counter=counter, now=scene.clock.now()
            )

        return await scene.ctx.db.write(body)

    assert sum(await asyncio.gather(*(advance(7) for _ in range(64)))) == 1
    assert not await advance(6)
    assert await advance(8)


async def test_assertion_without_a_credential_holds_nothing(scene: Scene) -> None:
    """A phone that enrolled no biometrics cannot answer with them."""
    assert not service.assertion_holds(scene.ctx, credential=None, assertion={}, request="x")
    kept = '{"id": "AAAA", "public_key": "AAAA", "sign_count": 0}'
    for assertion in ({}, {"id": "BBBB"}, {"id": "AAAA"}, {"id": "AAAA", "response": {}}):
        assert not service.assertion_holds(
            scene.ctx, credential=kept, assertion=assertion, request="x"
        )
