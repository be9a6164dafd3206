"""Diagnoses at a server that is a process of its own: kept once, counted, refused."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.people import Person, Town
from tests.acceptance.wire import JSON, Answer, race
from tests.serving import PASSWORD
from vestibule.client import diagnosis
from vestibule.client.errors import Refused
from vestibule.client.phone import Phone
from vestibule.client.portal import Portal

pytestmark = pytest.mark.processes
PATH = "/device/diagnosis"
CANARY = "canary-that-no-log-may-hold"
DAY_S = 86_400


def call(person: Person, raw: bytes, *, proven: bytes | None = None, path: str = PATH) -> bytes:
    """The bytes of the call; `proven` is the body that its proof was made for."""
    proof = person.proof("POST", path, raw if proven is None else proven)
    return person.town.phone.request("POST", PATH, raw, {"Content-Type": JSON, **proof})


def said(text: str) -> bytes:
    """A body with this text."""
    return json.dumps({"text": text}).encode()


async def send(person: Person, text: str) -> Answer:
    """The call with this text."""
    return await person.town.phone.send(call(person, said(text)))


async def kept(town: Town, person: Person) -> list[str]:
    """The states of the diagnoses of the person's phone."""
    rows = (await town.tables())["diagnosis"]
    return [row["state"] for row in rows if row["enrollment_id"] == person.phone.id]


async def test_it_is_kept_sealed_and_written_nowhere_else(town: Town) -> None:
    """Neither the database, nor the journal, nor the server's log has a word of it."""
    person = await town.linked()
    answer = await send(person, f"Vestibule diagnosis\n{CANARY}\n")
    assert answer.status == 200, answer.text
    assert answer.json["kept_until"] > town.now() + 13 * DAY_S * 1000
    assert await kept(town, person) == ["kept"]
    assert CANARY not in str(await town.tables())
    assert CANARY not in town.server.log.read_text()
    (event,) = [
        one
        for one in await town.events("support.diagnosis_sent")
        if one["actor"] == f"phone:{person.phone.id}"
    ]
    assert answer.json["reference"] in event["detail"]


async def test_the_same_text_at_one_moment_is_one(city: Town) -> None:
    """Eight times over four workers: one reference, one row, one of the five."""
    person = await city.linked()
    requests = [call(person, said("the same"))] * 8
    answers = await race(city.phone, requests)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["reference"] for answer in answers}) == 1
    assert await kept(city, person) == ["kept"]


async def test_five_a_day_also_at_one_moment(city: Town) -> None:
    """Twelve different ones over four workers: five are kept, the others are told when."""
    person = await city.linked()
    requests = [call(person, said(f"number {number}")) for number in range(12)]
    answers = await race(city.phone, requests)
    assert Counter(answer.status for answer in answers) == {200: 5, 429: 7}
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.code for answer in refused} == {"diagnoses_many"}
    for answer in refused:
        assert 0 < answer.json["wait"] <= DAY_S
        assert answer.header("retry-after") == str(answer.json["wait"])
        assert answer.json["next"]
    assert len(await kept(city, person)) == 5


async def test_limit_is_of_the_account_and_ends(town: Town) -> None:
    """Nobody else is stopped by it, and the next day neither is the owner."""
    person, other = await town.linked(), await town.linked()
    for number in range(5):
        assert (await send(person, f"{number}")).status == 200
    assert (await send(person, "one more")).code == "diagnoses_many"
    assert (await send(person, "0")).status == 200, "the same as before is no other"
    assert (await send(other, "one more")).status == 200
    town.step(DAY_S + 1)
    assert (await send(person, "one more")).status == 200


async def test_wrong_proofs_keep_nothing(town: Town) -> None:
    """Of another body, another call, another phone, and none."""
    person, other = await town.linked(), await town.linked()
    raw = said("mine")
    foreign = {"Content-Type": JSON, **other.proof("POST", PATH, said("theirs"))}
    answers = [
        await town.phone.send(call(person, raw, proven=b"{}")),
        await town.phone.send(call(person, raw, path="/device/label")),
        await town.phone.send(town.phone.request("POST", PATH, raw, foreign)),
        await town.phone.send(town.phone.request("POST", PATH, raw, {"Content-Type": JSON})),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [
        (403, "signature_wrong"),
        (403, "signature_wrong"),
        (403, "signature_wrong"),
        (400, "message_malformed"),
    ]
    assert await kept(town, person) + await kept(town, other) == []


async def test_removed_phone_sends_nothing(town: Town) -> None:
    """It is told that it was removed."""
    person = await town.linked()
    raw = b"{}"
    headers = {"Content-Type": JSON, **person.proof("POST", "/device/removal", raw)}
    removed = await town.phone.send(town.phone.request("POST", "/device/removal", raw, headers))
    assert removed.status == 200
    answer = await send(person, "still here")
    assert (answer.status, answer.code) == (410, "enrollment_revoked")


@pytest.mark.parametrize(
    "raw, status, code",
    [
        (said("x" * 32_768), 200, ""),
        (said("x" * 32_769), 413, "body_too_large"),
        (said("携" * 10_922), 200, ""),
        (said("携" * 10_923), 413, "body_too_large"),
        (b" " * 131_073, 413, "body_too_large"),
        (b'{"text":"\xff\xfe"}', 400, "json_malformed"),
        (b'{"text":"\xed\xa0\x80"}', 400, "json_malformed"),
        (b'{"text":"\\udead"}', 400, "json_malformed"),
        (b'{"text":"\\u0007"}', 400, "diagnosis_text"),
        (said("turned \u202e round"), 400, "diagnosis_text"),
        (said(" \n"), 400, "diagnosis_text"),
        (b'{"text":["x"]}', 400, "json_malformed"),
        (b'{"text":"x"', 400, "json_malformed"),
    ],
)
async def test_sizes_and_characters_have_their_borders(
    town: Town, raw: bytes, status: int, code: str
) -> None:
    """Up to the last byte, and not one more; broken Unicode is no text."""
    person = await town.linked()
    answer = await town.phone.send(call(person, raw))
    assert answer.status == status, answer.text
    assert status == 200 or answer.code == code
    assert len(await kept(town, person)) == (status == 200)


async def test_reference_phone_sends_one(town: Town, tmp_path: Path) -> None:
    """The client that others are built after does what the specification says."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        Phone(tmp_path / "phone.json") as phone,
    ):
        page = await Portal(http, town.server.portal).begin(town.person().username, PASSWORD)
        offer = await phone.fetch_offer(page.activation_link)
        await phone.activate(offer, pin="2580", label="Pocket")
        first, again = await asyncio.gather(*(diagnosis.send(phone, "state: well") for _ in "ab"))
        assert first == again
        with pytest.raises(Refused) as refused:
            await diagnosis.send(phone, "bell \x07")
        assert refused.value.code == "diagnosis_text"
