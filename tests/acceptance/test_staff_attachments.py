"""Files of answers at a running server: by script and form, cut, raced, and between strangers."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.acceptance.people import Person, Town
from tests.acceptance.test_attachments import CREDENTIAL, har
from tests.acceptance.test_staff_desk import member, signed_in, written
from tests.acceptance.wire import Answer, Browser, race
from vestibule.staff.rules import Role

pytestmark = pytest.mark.processes

CONTENT: Final = b"The form that you are to sign. "
PATIENCE_S: Final = 40


def desk(number: str) -> str:
    """The desk's page of a conversation."""
    return f"/staff/tickets/{number}"


async def begin(town: Town) -> tuple[Browser, str]:
    """A client, and the number of their conversation."""
    client = await signed_in(await town.linked())
    return client, await ask(client)


async def ask(client: Browser) -> str:
    """The number of a conversation that a client begins."""
    return await written(client, topic="account", subject="A form", text="Where is it?")


async def token_of(browser: Browser, page: str) -> str:
    """The token of a page's forms."""
    shown = await browser.get(page)
    assert shown.status == 200, shown.text
    found = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert found is not None
    return found[1]


async def upload_request(browser: Browser, page: str, name: str, data: bytes) -> bytes:
    """The bytes with which a page's script sends a file."""
    headers = {
        "Origin": browser.origin.url,
        "x-form-token": await token_of(browser, page),
        **browser.headers,
    }
    path = f"{page}/attachments?name={quote(name)}"
    return browser.origin.request("POST", path, data, headers)


async def upload(browser: Browser, page: str, name: str, data: bytes = CONTENT) -> str:
    """Send a file as the page's script does; its id."""
    answer = await browser.origin.send(await upload_request(browser, page, name, data))
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


async def got(browser: Browser, path: str) -> Answer:
    """What a browser gets at an address, byte by byte."""
    return await browser.origin.ask("GET", path, headers=browser.headers)


async def waiting(browser: Browser, page: str) -> list[str]:
    """What waits there for this browser's next message."""
    answer = await got(browser, f"{page}/attachments")
    return [one["name"] for one in answer.json["attachments"]]


async def answer_request(browser: Browser, number: str, text: str) -> bytes:
    """The bytes of an answer, to the conversation as it is shown now."""
    shown = await browser.get(desk(number))
    return browser.form(shown, f"{desk(number)}/answer", text=text, act="send")


def kept(town: Town) -> set[Path]:
    """Every file of an attachment in the store, finished or not."""
    folder = town.server.data / "statements" / "attachments"
    return {path for path in folder.rglob("*") if path.is_file()}


async def of_file(town: Town, id_: str) -> list[dict[str, Any]]:
    """What the journal says of a file, the first first."""
    events = (await town.tables())["audit_event"]
    return sorted((one for one in events if one["subject"] == id_), key=lambda one: one["id"])


async def test_client_gets_what_staff_attached_and_strangers_nothing(town: Town) -> None:
    """From the desk's page to the client's download, and each step is in the journal."""
    client, number = await begin(town)
    sam, sue = await member(town, Role.SUPPORT), await member(town, Role.OFFICER)
    id_ = await upload(sam, desk(number), "form <b>.pdf")
    mine, theirs = f"/messages/{number}/attachments/{id_}", f"{desk(number)}/attachments/{id_}"
    for browser, path in ((client, mine), (sue, theirs)):
        assert (await got(browser, path)).status == 404
    assert await waiting(sue, desk(number)) == []
    assert (await town.portal.send(await answer_request(sam, number, "Sign it."))).status == 303
    shown = (await client.get(f"/messages/{number}")).text
    assert "Sign it." in shown
    assert "form _b_.pdf" in shown
    file = await got(client, mine)
    assert (file.status, file.body) == (200, CONTENT)
    assert file.header("content-type") == "application/octet-stream"
    assert file.header("content-security-policy") == "sandbox; default-src 'none'"
    stranger = await signed_in(await town.linked())
    for path in (mine, theirs, f"{desk(number)}/attachments"):
        refused = await got(stranger, path)
        assert refused.status == 404
        assert CONTENT not in refused.body
    told = await of_file(town, id_)
    assert [one["event"] for one in told] == ["support.attachment_added", "support.attachment_sent"]
    assert len({one["actor"] for one in told}) == 1
    assert told[0]["actor"].startswith("staff:")
    assert (await got(sue, theirs)).body == CONTENT
    assert (await of_file(town, id_))[-1]["event"] == "support.attachment_seen"


async def test_recording_of_staff_never_reaches_the_disk_as_it_was_sent(town: Town) -> None:
    """Its credential is in no file of the server: store, database or log."""
    client, number = await begin(town)
    sam = await member(town, Role.SUPPORT)
    id_ = await upload(sam, desk(number), "how-to.har", har(20))
    assert (await town.portal.send(await answer_request(sam, number, "Like this."))).status == 303
    safe = await got(client, f"/messages/{number}/attachments/{id_}")
    assert safe.status == 200
    assert CREDENTIAL.encode() not in safe.body
    for path in town.server.data.rglob("*"):
        if path.is_file():
            assert CREDENTIAL.encode() not in path.read_bytes(), path


async def test_upload_that_is_cut_leaves_nothing(town: Town) -> None:
    """Wherever it ends; the same file is then sent anew."""
    _, number = await begin(town)
    sam = await member(town, Role.SUPPORT)
    request = await upload_request(sam, desk(number), "long.txt", b"x" * 200_000)
    head = request.index(b"\r\n\r\n") + 4
    before = kept(town)
    for cut in (0, 1, 65_536, 100_000, 199_999):
        _, writer = await asyncio.open_connection("127.0.0.1", town.portal.port)
        writer.write(request[: head + cut])
        await writer.drain()
        writer.close()
    limit = time.monotonic() + PATIENCE_S
    while (answer := await town.portal.send(request)).status == 503:
        assert time.monotonic() < limit
    assert answer.status == 201
    while len(kept(town) - before) != 1:
        assert time.monotonic() < limit
        await asyncio.sleep(0.05)
    assert await waiting(sam, desk(number)) == ["long.txt"]


async def test_two_who_answer_at_once_lose_no_file(town: Town) -> None:
    """One is first, and their file goes; the other is told so, and theirs waits on."""
    client, number = await begin(town)
    crew = [await member(town, Role.SUPPORT), await member(town, Role.OFFICER)]
    for index, browser in enumerate(crew):
        await upload(browser, desk(number), f"of {index}.txt")
    requests = [await answer_request(one, number, f"By {i}") for i, one in enumerate(crew)]
    answers = await race(town.portal, requests)
    assert sorted(answer.status for answer in answers) == [303, 409]
    first = [answer.status for answer in answers].index(303)
    shown = (await client.get(f"/messages/{number}")).text
    assert f"of {first}.txt" in shown
    assert f"of {1 - first}.txt" not in shown
    assert f"of {1 - first}.txt" in answers[1 - first].text
    assert await waiting(crew[first], desk(number)) == []
    assert await waiting(crew[1 - first], desk(number)) == [f"of {1 - first}.txt"]


async def test_members_who_answer_each_other_do_not_wait_for_ever(town: Town) -> None:
    """Each is the other's client: both answers arrive, however they meet."""
    people: list[Person] = [await town.linked(), await town.linked()]
    browsers, numbers = [], []
    for person in people:
        town.server.command("staff", "add", person.username)
        browsers.append(await signed_in(person))
        numbers.append(await ask(browsers[-1]))
    for turn in range(5):
        requests = []
        for browser, number in zip(browsers, reversed(numbers), strict=True):
            await upload(browser, desk(number), f"{turn}.txt")
            requests.append(await answer_request(browser, number, f"Turn {turn}"))
        assert [one.status for one in await race(town.portal, requests)] == [303, 303]
    for browser, number in zip(browsers, numbers, strict=True):
        shown = (await browser.get(f"/messages/{number}")).text
        assert [turn for turn in range(5) if f"{turn}.txt" not in shown] == []


async def test_notices_and_mails_carry_no_name(town: Town) -> None:
    """Whatever table it is in: the file's name stands in its own row alone."""
    _, number = await begin(town)
    sam = await member(town, Role.SUPPORT)
    await upload(sam, desk(number), "canary-name.txt")
    assert (await town.portal.send(await answer_request(sam, number, "Here."))).status == 303
    tables = await town.tables()
    named = {
        table
        for table, rows in tables.items()
        if "canary-name" in json.dumps(rows, default=str, ensure_ascii=False)
    }
    assert named == {"ticket_attachment"}
