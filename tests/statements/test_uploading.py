"""Uploads in parts: resumed at any place, by anybody, through every kind of break."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.delivery.keeper import refused
from tests.statements.operator_desk import (
    Keyholder,
    Operator,
    chunks,
    plain_copies,
    random_bytes,
    wanted,
)
from vestibule.base.clock import HOUR
from vestibule.base.errors import Unavailable
from vestibule.statements import service
from vestibule.statements.rules import PART, Published, State, Upload

DATA = random_bytes(2 * PART + 12_345)


async def code(call: object) -> str:
    """The code that a call is refused with."""
    return (await refused(call)).code.name  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"x", DATA[:PART], DATA], ids=len)
async def test_an_upload_that_was_finished_is_a_statement(operator: Operator, data: bytes) -> None:
    """Whole, with one event; its parts are gone."""
    published = await operator.uploaded(data)
    assert published.state is State.NEW
    [shown] = await operator.shown()
    assert await operator.read(shown) == data
    assert await operator.stored() == {shown.object}
    assert await operator.events() == ["statement.published"]


@pytest.mark.parametrize("cut", [1, PART - 1, PART, PART + 1, 2 * PART, len(DATA) - 1])
async def test_an_upload_goes_on_from_any_boundary(operator: Operator, cut: int) -> None:
    """What the offset names is kept; the same announcement finds the upload again."""
    upload = await operator.append(await operator.begin(DATA), DATA[:cut])
    assert upload.offset == cut
    found = await operator.begin(DATA)
    assert (found.id, found.offset, found.fresh) == (upload.id, cut, False)
    ended = await operator.append(found, DATA[cut:])
    assert ended.offset == len(DATA)
    await service.finish(operator.scene.ctx, ended)
    [shown] = await operator.shown()
    assert await operator.read(shown) == DATA


async def test_a_sender_that_breaks_off_keeps_what_came(operator: Operator) -> None:
    """To the byte, and its own exception comes out."""

    async def broken() -> AsyncIterator[bytes]:
        async for chunk in chunks(DATA[: PART + 777]):
            yield chunk
        raise ConnectionResetError

    upload = await operator.begin(DATA)
    with pytest.raises(ConnectionResetError):
        await service.append(operator.scene.ctx, upload, chunks=broken())
    found = await service.upload_of(operator.scene.ctx, operator.publisher, upload.id)
    assert found.offset == PART + 777
    await service.finish(operator.scene.ctx, await operator.append(found, DATA[PART + 777 :]))
    assert await operator.read((await operator.shown())[0]) == DATA


async def test_two_writers_at_one_offset_are_one_that_is_taken(operator: Operator) -> None:
    """The other is told where it stands, and its bytes are in nobody's way."""
    upload = await operator.begin(DATA)
    sent = await asyncio.gather(
        operator.append(upload, DATA[:PART]),
        operator.append(upload, DATA[: PART // 2]),
        return_exceptions=True,
    )
    [won] = [one for one in sent if isinstance(one, Upload)]
    [lost] = [one for one in sent if not isinstance(one, Upload)]
    assert getattr(lost, "facts", None) == {"offset": won.offset}
    await service.finish(operator.scene.ctx, await operator.append(won, DATA[won.offset :]))
    [shown] = await operator.shown()
    assert await operator.read(shown) == DATA
    assert await operator.stored() == {shown.object}


async def test_two_who_finish_at_once_both_have_it(operator: Operator) -> None:
    """One event, one file, the same answer but for its newness."""
    upload = await operator.append(await operator.begin(DATA), DATA)
    answers = await asyncio.gather(*(service.finish(operator.scene.ctx, upload) for _ in range(4)))
    assert sorted(answer.state for answer in answers) == ["new", "same", "same", "same"]
    assert len({answer.id for answer in answers}) == 1
    [shown] = await operator.shown()
    assert await operator.stored() == {shown.object}
    assert await operator.events() == ["statement.published"]


async def test_what_is_there_already_needs_no_upload(operator: Operator) -> None:
    """The announcement alone says so; another content is refused before a byte is sent."""
    published = await operator.uploaded(DATA)
    opened = await service.begin_upload(operator.scene.ctx, operator.publisher, wanted(DATA))
    assert opened == Published(state=State.SAME, id=published.id)
    other = wanted(DATA[:-1])
    begun = service.begin_upload(operator.scene.ctx, operator.publisher, other)
    assert await code(begun) == "statement_differs"


async def test_an_upload_ends_when_it_is_not_what_was_announced(operator: Operator) -> None:
    """Damaged bytes cannot be mended in the middle: it is abandoned, and nothing is left."""
    upload = await operator.begin(DATA)
    upload = await operator.append(upload, DATA[:-1] + bytes([DATA[-1] ^ 1]))
    assert await code(service.finish(operator.scene.ctx, upload)) == "digest_wrong"
    assert await operator.stored() == set()
    found = service.upload_of(operator.scene.ctx, operator.publisher, upload.id)
    assert await code(found) == "upload_unknown"
    assert (await operator.uploaded(DATA)).state is State.NEW


async def test_more_than_was_announced_is_refused(operator: Operator) -> None:
    """What fits stays."""
    upload = await operator.begin(DATA)
    assert await code(operator.append(upload, DATA + b"x")) == "body_too_large"
    found = await service.upload_of(operator.scene.ctx, operator.publisher, upload.id)
    assert found.offset == 2 * PART


async def test_an_unfinished_upload_is_not_finished(operator: Operator) -> None:
    """It is told where it stands."""
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])
    fault = await refused(service.finish(operator.scene.ctx, upload))
    assert (fault.code.name, fault.facts) == ("upload_offset", {"offset": PART})
    fresh = await operator.begin(DATA, kind="trade")
    assert await code(service.finish(operator.scene.ctx, fresh)) == "upload_offset"


async def test_abandoning_takes_everything_away(operator: Operator) -> None:
    """Also twice, and never for another publisher."""
    ctx = operator.scene.ctx
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])
    stranger, _ = await service.add_publisher(ctx, "stranger")
    await service.abandon(ctx, stranger, upload.id)
    assert await code(service.upload_of(ctx, stranger, upload.id)) == "upload_unknown"
    assert len(await operator.stored()) == 1
    for _ in range(2):
        await service.abandon(ctx, operator.publisher, upload.id)
    assert await operator.stored() == set()
    assert await code(operator.append(upload, DATA[PART:])) == "upload_unknown"
    assert await operator.stored() == set()


async def test_an_upload_abandoned_while_it_is_finished_is_not_published(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the two holds: here the abandoning, which came first."""
    upload = await operator.append(await operator.begin(DATA), DATA)
    written = operator.scene.ctx.objects.write

    async def write(name: str, source: AsyncIterator[bytes]) -> int:
        size = await written(name, source)
        await service.abandon(operator.scene.ctx, operator.publisher, upload.id)
        return size

    monkeypatch.setattr(operator.scene.ctx.objects, "write", write)
    assert await code(service.finish(operator.scene.ctx, upload)) == "upload_unknown"
    assert await operator.shown() == []
    assert await operator.stored() == set()


async def test_an_upload_that_nobody_goes_on_with_is_swept(operator: Operator) -> None:
    """After the hours of the setting; every touch begins them anew."""
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])
    await operator.begin(DATA, kind="trade")
    operator.scene.clock.step(47 * HOUR)
    upload = await operator.append(upload, DATA[PART : PART + 1])
    operator.scene.clock.step(2 * HOUR)
    assert await service.sweep_uploads(operator.scene.ctx) == 1
    assert (await operator.begin(DATA)).offset == PART + 1
    operator.scene.clock.step(49 * HOUR)
    found = service.upload_of(operator.scene.ctx, operator.publisher, upload.id)
    assert await code(found) == "upload_unknown"
    assert await service.sweep_uploads(operator.scene.ctx) == 1
    assert await operator.stored() == set()


async def test_what_was_said_last_holds(operator: Operator) -> None:
    """A publisher that was refused says replace, and need not send it again."""
    upload = await operator.append(await operator.begin(DATA), DATA)
    await operator.publish(b"meanwhile")
    assert await code(service.finish(operator.scene.ctx, upload)) == "statement_differs"
    upload = await operator.begin(DATA, replace=True)
    assert upload.offset == len(DATA)
    assert (await service.finish(operator.scene.ctx, upload)).state is State.REPLACED
    assert await operator.read((await operator.shown())[0]) == DATA


async def test_parts_lie_sealed_and_open_nowhere_else(operator: Operator, house: Path) -> None:
    """No plain text on the disk; a part moved to another place of the upload is not taken."""
    data = random_bytes(PART) * 2
    upload = await operator.append(await operator.begin(data), data)
    assert plain_copies(house, data[1000:1064]) == []
    first, second = sorted((house / "statements" / "uploads").rglob("?" * 22))
    first.write_bytes(second.read_bytes())
    assert await code(service.finish(operator.scene.ctx, upload)) == "digest_wrong"
    assert await operator.stored() == set()


async def test_an_upload_is_encrypted_to_the_certificate_of_its_end(
    operator: Operator, keyholder: Keyholder, house: Path
) -> None:
    """Set in the middle of it, it counts; the whole never lies in clear."""
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])
    await operator.certify(keyholder.certificate)
    await service.finish(operator.scene.ctx, await operator.append(upload, DATA[PART:]))
    [shown] = await operator.shown()
    assert keyholder.decrypt(await operator.read(shown)) == DATA
    assert plain_copies(house, DATA[:64]) == []
    assert plain_copies(house, DATA[-64:]) == []


async def test_a_store_that_fails_in_the_middle_loses_nothing_that_was_kept(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offset stays where it was; when the store is back it goes on from there."""
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])

    async def full(_name: str, _chunks: AsyncIterator[bytes]) -> int:
        raise Unavailable("store_full")

    with monkeypatch.context() as patch:
        patch.setattr(operator.scene.ctx.objects, "write", full)
        with pytest.raises(Unavailable, match="store_full"):
            await operator.append(upload, DATA[PART:])
    found = await service.upload_of(operator.scene.ctx, operator.publisher, upload.id)
    assert found.offset == PART
    await service.finish(operator.scene.ctx, await operator.append(found, DATA[PART:]))
    assert await operator.read((await operator.shown())[0]) == DATA


async def test_an_upload_from_an_offset_that_is_over_is_told_so(operator: Operator) -> None:
    """A late retry changes nothing."""
    upload = await operator.append(await operator.begin(DATA), DATA[:PART])
    fault = await refused(operator.append(replace(upload, offset=0), DATA[:10]))
    assert (fault.code.name, fault.facts) == ("upload_offset", {"offset": PART})
    assert len(await operator.stored()) == 1
