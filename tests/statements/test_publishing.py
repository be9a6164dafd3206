"""Publishing in one piece, through the services, on both databases."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.keeper import refused
from tests.statements.operator_desk import (
    NAME,
    Keyholder,
    Operator,
    chunks,
    plain_copies,
    random_bytes,
    wanted,
)
from vestibule.base.clock import DAY, HOUR
from vestibule.base.errors import Unavailable
from vestibule.statements import service
from vestibule.statements.rules import WHOLE_MOST, Presence, State

DATA = b"when,what,how much\n" * 5_000
OTHER = b"when,what,how little\n" * 5_000


async def never() -> AsyncIterator[bytes]:
    """A body that may not be asked for."""
    read = True
    assert not read
    yield b""


@pytest.mark.parametrize("data", [b"", b"x", DATA, b"y" * WHOLE_MOST])
async def test_a_statement_that_was_published_is_there(operator: Operator, data: bytes) -> None:
    """Listed with its facts, whole, kept as long as the setting says, with one event."""
    published = await operator.publish(data)
    assert published.state is State.NEW
    [shown] = await operator.shown()
    now = operator.scene.clock.now()
    assert (shown.id, shown.name, shown.shown_name) == (published.id, NAME, NAME)
    assert (shown.kind, shown.period, shown.media) == ("daily", "2026-11-22", "text/csv")
    assert (shown.size, shown.stored_size) == (len(data), len(data))
    assert (shown.published_at, shown.purge_at) == (now, now + 100 * DAY)
    assert (shown.told_at, shown.seen_at, shown.encrypted_to) == (None, None, None)
    assert shown.sha256 == hashlib.sha256(data).digest()
    assert await operator.read(shown) == data
    assert await operator.events() == ["statement.published"]
    assert await operator.stored() == {shown.object}


async def test_the_same_again_changes_nothing(operator: Operator) -> None:
    """However often, also with replace and other capitals: one file, one event, no body read."""
    first = await operator.publish(DATA)
    for changes in ({}, {"replace": True}, {"name": NAME.upper()}, {"period": "2026-11-21"}):
        again = await service.publish(
            operator.scene.ctx, operator.publisher, wanted(DATA, **changes), chunks=never()
        )
        assert (again.state, again.id) == (State.SAME, first.id)
    assert await operator.events() == ["statement.published"]
    assert len(await operator.stored()) == 1


async def test_another_content_is_refused_without_replace(operator: Operator) -> None:
    """Somebody may have fetched it: nothing is changed, and its body is not asked for."""
    await operator.publish(DATA)
    fault = await refused(
        service.publish(operator.scene.ctx, operator.publisher, wanted(OTHER), chunks=never())
    )
    assert fault.code.name == "statement_differs"
    [shown] = await operator.shown()
    assert await operator.read(shown) == DATA


async def test_another_content_replaces_where_that_is_meant(operator: Operator) -> None:
    """The former file goes, the statement is new to its client, and its days begin anew."""
    await operator.publish(DATA)
    [former] = await operator.shown()
    await service.mark_seen(operator.scene.ctx, operator.account.id, [former.id])
    operator.scene.clock.step(3 * DAY)
    published = await operator.publish(OTHER, replace=True)
    assert (published.state, published.id) == (State.REPLACED, former.id)
    [shown] = await operator.shown()
    assert await operator.read(shown) == OTHER
    assert (shown.seen_at, shown.purge_at) == (None, former.purge_at + 3 * DAY)
    assert await operator.stored() == {shown.object}
    assert await operator.events() == ["statement.published", "statement.replaced"]
    assert (await operator.publish(OTHER)).state is State.SAME


@pytest.mark.parametrize(
    "sent",
    [DATA[:-1], DATA + b"x", DATA[:-1] + b"x", b"", DATA * 2],
    ids=["short", "long", "other", "nothing", "twice"],
)
async def test_a_body_that_is_not_what_was_announced_leaves_nothing(
    operator: Operator, sent: bytes
) -> None:
    """Cut, longer or damaged on its way: refused, and neither a row nor a file is left."""
    fault = await refused(
        service.publish(operator.scene.ctx, operator.publisher, wanted(DATA), chunks=chunks(sent))
    )
    assert fault.code.name == "digest_wrong"
    assert await operator.shown() == []
    assert await operator.stored() == set()


async def test_a_sender_that_breaks_off_leaves_nothing(operator: Operator) -> None:
    """Its own exception comes out; publishing again works."""

    async def broken() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await service.publish(operator.scene.ctx, operator.publisher, wanted(DATA), chunks=broken())
    assert await operator.stored() == set()
    assert (await operator.publish(DATA)).state is State.NEW


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"account": "nobody"}, "statement_account"),
        ({"account": "\0" * 5}, "statement_account"),
        ({"kind": "yearly"}, "statement_kind"),
        ({"name": "../2026-11-22"}, "statement_name"),
        ({"name": "no date"}, "statement_period"),
        ({"size": WHOLE_MOST + 1}, "body_too_large"),
    ],
)
async def test_what_cannot_be_published_is_refused_before_its_body(
    operator: Operator, changes: dict[str, Any], code: str
) -> None:
    """With a code for each reason, and nothing changed."""
    said = wanted(DATA, **changes)
    fault = await refused(
        service.publish(operator.scene.ctx, operator.publisher, said, chunks=never())
    )
    assert fault.code.name == code
    assert await operator.events() == []


async def test_the_same_name_is_another_statement_elsewhere(operator: Operator) -> None:
    """In another kind, and in another account."""
    await operator.scene.account("bob")
    for changes in ({}, {"kind": "trade"}, {"account": "bob"}):
        assert (await operator.publish(DATA, **changes)).state is State.NEW
    assert len(await operator.shown()) == 2
    assert len(await operator.stored()) == 3


async def test_two_publishers_with_the_same_file_publish_it_once(operator: Operator) -> None:
    """Whoever comes second gets the same answer as one who sends again."""
    second, _ = await service.add_publisher(operator.scene.ctx, "second")
    other = replace(operator, publisher=second)
    answers = await asyncio.gather(
        *(one.publish(DATA) for one in (operator, other) for _ in range(6))
    )
    assert sorted(answer.state for answer in answers) == ["new"] + ["same"] * 11
    assert len({answer.id for answer in answers}) == 1
    [shown] = await operator.shown()
    assert await operator.read(shown) == DATA
    assert await operator.stored() == {shown.object}
    assert await operator.events() == ["statement.published"]


async def test_two_contents_for_one_name_at_once_leave_one_of_them(operator: Operator) -> None:
    """Without replace one is refused; the file is whole and belongs to who was told so."""
    answers = await asyncio.gather(
        operator.publish(DATA), operator.publish(OTHER), return_exceptions=True
    )
    assert sum(isinstance(answer, Exception) for answer in answers) == 1
    [shown] = await operator.shown()
    kept = DATA if not isinstance(answers[0], Exception) else OTHER
    assert await operator.read(shown) == kept
    assert await operator.stored() == {shown.object}


async def test_two_who_replace_at_once_leave_one_whole_file(operator: Operator) -> None:
    """Each is told and journalled; the last holds, and nothing of the others is left."""
    await operator.publish(DATA)
    contents = [random_bytes(20_000) for _ in range(6)]
    answers = await asyncio.gather(
        *(operator.publish(content, replace=True) for content in contents)
    )
    assert {answer.state for answer in answers} == {State.REPLACED}
    [shown] = await operator.shown()
    assert await operator.read(shown) in contents
    assert await operator.stored() == {shown.object}
    assert await operator.events() == ["statement.published"] + ["statement.replaced"] * 6


async def test_what_is_there_is_told_before_it_is_sent(operator: Operator) -> None:
    """Absent, the same, another, or no such account; in the order in which it was asked."""
    await operator.publish(DATA)
    same, other = hashlib.sha256(DATA).digest(), hashlib.sha256(OTHER).digest()
    asked = [
        ("alice", "daily", "absent.csv", same),
        ("Alice", "daily", NAME.upper(), same),
        ("alice", "daily", NAME, other),
        ("alice", "trade", NAME, same),
        ("nobody", "daily", NAME, same),
        ("alice", "yearly", "../x", same),
    ]
    states = await service.check(operator.scene.ctx, asked * 40)
    assert (
        states
        == [
            Presence.ABSENT,
            Presence.SAME,
            Presence.DIFFERS,
            Presence.ABSENT,
            Presence.ACCOUNT_UNKNOWN,
            Presence.ABSENT,
        ]
        * 40
    )


# --- encrypted ---------------------------------------------------------------------------------


async def test_with_a_certificate_only_the_encrypted_file_lies_there(
    operator: Operator, keyholder: Keyholder, house: Path
) -> None:
    """It can be decrypted, its name says so, and no plain text is anywhere below the data."""
    await operator.certify(keyholder.certificate)
    data = random_bytes(100_000)
    published = await operator.publish(data)
    [shown] = await operator.shown()
    assert shown.shown_name == f"{NAME}.pgp"
    assert (shown.size, shown.encrypted_to) == (len(data), keyholder.fingerprint)
    message = await operator.read(shown)
    assert len(message) == shown.stored_size > len(data)
    assert keyholder.decrypt(message) == data
    assert plain_copies(house, data[:64]) == []
    again = await operator.publish(data)
    assert (again.state, again.id) == (State.SAME, published.id)


async def test_a_certificate_set_while_publishing_is_encrypted_to(
    operator: Operator, keyholder: Keyholder, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was written in clear meanwhile is not listed, and goes."""
    data, certified = random_bytes(50_000), False
    written = operator.scene.ctx.objects.write

    async def write(name: str, source: AsyncIterator[bytes]) -> int:
        nonlocal certified
        size = await written(name, source)
        if not certified:
            certified = True
            await operator.certify(keyholder.certificate)
        return size

    monkeypatch.setattr(operator.scene.ctx.objects, "write", write)
    await operator.publish(data)
    [shown] = await operator.shown()
    assert shown.encrypted_to == keyholder.fingerprint
    assert keyholder.decrypt(await operator.read(shown)) == data
    assert await operator.stored() == {shown.object}
    assert plain_copies(house, data[:64]) == []


async def test_a_certificate_replaced_while_publishing_is_the_one_encrypted_to(
    operator: Operator, keyholder: Keyholder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encrypted again without being sent again; one that changes each time is given up, 503."""
    await operator.certify(Keyholder().certificate)
    written = operator.scene.ctx.objects.write
    holders = [keyholder]

    async def write(name: str, source: AsyncIterator[bytes]) -> int:
        size = await written(name, source)
        if holders:
            await operator.certify(holders.pop().certificate)
        return size

    monkeypatch.setattr(operator.scene.ctx.objects, "write", write)
    await operator.publish(DATA)
    [shown] = await operator.shown()
    assert keyholder.decrypt(await operator.read(shown)) == DATA
    holders.extend(Keyholder() for _ in range(6))
    with pytest.raises(Unavailable, match="busy"):
        await operator.publish(OTHER, replace=True)
    assert await operator.shown() == [shown]
    assert await operator.stored() == {shown.object}


async def test_setting_a_certificate_and_publishing_at_once_never_shows_plain(
    operator: Operator, keyholder: Keyholder
) -> None:
    """Whichever comes first: what is listed in clear at the end is hidden until encrypted."""
    names = [f"2026-11-22 {number}.csv" for number in range(20)]

    async def certify() -> None:
        await asyncio.sleep(0.01)
        await operator.certify(keyholder.certificate)

    await asyncio.gather(certify(), *(operator.publish(DATA, name=name) for name in names))
    assert all(one.encrypted_to for one in await operator.shown())
    await service.encrypt_plain(operator.scene.ctx)
    shown = await operator.shown()
    assert sorted(one.name for one in shown) == sorted(names)
    for one in shown:
        assert keyholder.decrypt(await operator.read(one)) == DATA
    assert await operator.stored() == {one.object for one in shown}


# --- failing stores and databases --------------------------------------------------------------


async def test_a_full_store_is_told_and_leaves_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with its own code; when there is room again, the same works."""

    async def full(_name: str, _chunks: AsyncIterator[bytes]) -> int:
        raise Unavailable("store_full")

    with monkeypatch.context() as patch:
        patch.setattr(operator.scene.ctx.objects, "write", full)
        with pytest.raises(Unavailable) as caught:
            await operator.publish(DATA)
    assert (caught.value.code.name, caught.value.code.status) == ("store_full", 503)
    assert await operator.events() == []
    assert (await operator.publish(DATA)).state is State.NEW


async def test_a_commit_whose_outcome_is_unknown_keeps_the_file(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the commit: the listed file is whole, and stays."""
    written = operator.scene.ctx.db.write

    async def broken(*args: Any, **options: Any) -> Any:
        await written(*args, **options)
        raise Unavailable("database_unavailable", reason="the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(operator.scene.ctx.db, "write", broken)
        with pytest.raises(Unavailable):
            await operator.publish(DATA)
    [shown] = await operator.shown()
    assert await operator.read(shown) == DATA
    assert (await operator.publish(DATA)).state is State.SAME


# --- publishers --------------------------------------------------------------------------------


async def test_a_publisher_is_known_by_its_token(operator: Operator) -> None:
    """Until it is revoked; its use is remembered; the token itself is not kept."""
    ctx = operator.scene.ctx
    assert len(operator.token) == 47
    found = await service.publisher_of(ctx, operator.token)
    assert found is not None
    assert found.name == "reports"
    [listed] = await service.list_publishers(ctx)
    assert listed.used_at == operator.scene.clock.now()
    operator.scene.clock.step(2 * HOUR)
    await service.revoke_publisher(ctx, "reports")
    assert await service.publisher_of(ctx, operator.token) is None
    assert (await refused(service.revoke_publisher(ctx, "reports"))).code.name == (
        "publisher_unknown"
    )
    assert await operator.events("publisher.") == ["publisher.added", "publisher.revoked"]


@pytest.mark.parametrize("token", ["", "vsp_", "vsp_" + "A" * 43, "x" * 47, "vsp_" + "é" * 43])
async def test_a_token_that_nobody_has_is_nobodys(operator: Operator, token: str) -> None:
    """Of whatever form."""
    assert await service.publisher_of(operator.scene.ctx, token) is None


async def test_a_publishers_name_is_given_once(operator: Operator) -> None:
    """Also after it was revoked, for it stands in events."""
    ctx = operator.scene.ctx
    await service.revoke_publisher(ctx, "reports")
    assert (await refused(service.add_publisher(ctx, "reports"))).code.name == "publisher_exists"
