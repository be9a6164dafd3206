"""Texts and calls reach a real HTTP gateway in the form that the settings describe."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vestibule.base.context import MessageOutcome
from vestibule.base.settings import Settings
from vestibule.outside import text
from vestibule.outside.console import Outbox
from vestibule.outside.text import Gateway

NUMBER = "+390612345678"
SAID = 'Code "123456" & {number}\n@portal.example #123456'


@dataclass
class Provider:
    """A gateway that keeps what it is asked for and answers as told."""

    url: str = ""
    status: int = 200
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        """Take one call."""
        body = await request.text()
        self.asked.append((str(request.rel_url), dict(request.headers), body))
        return web.Response(status=self.status, text="no credit", headers={"location": "/other"})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A running gateway."""
    made = Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.serve)
    async with TestServer(application) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


def settings(folder: Path, **values: Any) -> Settings:
    """Of a portal that is not at localhost."""
    return Settings(data=folder, portal_url="https://portal.example", **values)


async def test_json_is_quoted_for_its_place(tmp_path: Path, provider: Provider) -> None:
    """Quotes, line breaks and braces in a text stay text; the headers of the settings are sent."""
    table = settings(
        tmp_path,
        sms_gateway_url=f"{provider.url}/send?to={{number}}",
        gateway_headers={"Authorization": "Bearer abc"},
    )
    async with Gateway(table, Outbox()) as gateway:
        assert gateway.ways == {"sms"}
        sent = await gateway.send(NUMBER, SAID, by="sms", language="it")
    assert sent is MessageOutcome.SENT
    ((address, headers, body),) = provider.asked
    assert address == "/send?to=%2B390612345678"
    assert headers["Authorization"] == "Bearer abc"
    assert json.loads(body) == {"to": NUMBER, "text": SAID}


async def test_form_is_quoted_for_its_place(tmp_path: Path, provider: Provider) -> None:
    """A template that does not begin with a brace is a form; calls have a template of their own."""
    table = settings(
        tmp_path,
        voice_gateway_url=f"{provider.url}/call",
        voice_gateway_body="To={number}&Twiml={text}&Lang={language}&By={by}",
    )
    async with Gateway(table, Outbox()) as gateway:
        assert gateway.ways == {"voice"}
        await gateway.send(NUMBER, SAID, by="voice", language="zh-Hans")
        assert await gateway.send(NUMBER, SAID, by="sms", language="en") is MessageOutcome.REFUSED
    ((_, headers, body),) = provider.asked
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body) == {
        "To": [NUMBER],
        "Twiml": [SAID],
        "Lang": ["zh-Hans"],
        "By": ["voice"],
    }


@pytest.mark.parametrize(
    "status, outcome",
    [
        (202, MessageOutcome.SENT),
        (400, MessageOutcome.REFUSED),
        (422, MessageOutcome.REFUSED),
        (302, MessageOutcome.FAILED),
        (401, MessageOutcome.FAILED),
        (402, MessageOutcome.FAILED),
        (429, MessageOutcome.FAILED),
        (503, MessageOutcome.FAILED),
    ],
)
async def test_answers_are_told_apart(
    tmp_path: Path, provider: Provider, status: int, outcome: MessageOutcome
) -> None:
    """Only what the number itself causes blames the number; nobody is sent on elsewhere."""
    provider.status = status
    async with Gateway(settings(tmp_path, sms_gateway_url=provider.url), Outbox()) as gateway:
        assert await gateway.send(NUMBER, SAID, by="sms", language="en") is outcome
    assert len(provider.asked) == 1


async def test_unreachable_gateway_is_no_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there."""
    monkeypatch.setattr(text, "_TIMEOUT", aiohttp.ClientTimeout(total=2))
    table = settings(tmp_path, sms_gateway_url="http://127.0.0.1:9/")
    async with Gateway(table, Outbox()) as gateway:
        sent = await gateway.send(NUMBER, SAID, by="sms", language="en")
    assert sent is MessageOutcome.FAILED


async def test_messages_are_shown_at_home_only(tmp_path: Path) -> None:
    """At localhost both ways show what they would send; elsewhere neither is offered."""
    outbox = Outbox()
    async with Gateway(Settings(data=tmp_path), outbox) as gateway:
        assert gateway.ways == {"sms", "voice"}
        await gateway.send(NUMBER, SAID, by="voice", language="en")
    assert [(one.by, one.to, one.text) for one in outbox.shown] == [("voice", NUMBER, SAID)]
    async with Gateway(settings(tmp_path), outbox) as gateway:
        assert gateway.ways == frozenset()
        assert await gateway.send(NUMBER, SAID, by="sms", language="en") is MessageOutcome.REFUSED


async def test_a_gateway_that_is_set_ends_the_showing(tmp_path: Path) -> None:
    """Whoever pays for texts, at localhost too, does not have calls printed by surprise."""
    table = Settings(data=tmp_path, sms_gateway_url="http://127.0.0.1:9/")
    async with Gateway(table, Outbox()) as gateway:
        assert gateway.ways == {"sms"}
