"""Texts and calls: handed to a gateway over HTTP, in whatever form the settings describe.

Any provider whose interface is one POST fits: address and body are templates, and what is filled
in is quoted for the place where it stands (URL, form or JSON).
"""

import json
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import quote, urlsplit

import aiohttp
import structlog
from yarl import URL

from vestibule.base.context import By, MessageOutcome
from vestibule.base.settings import Settings
from vestibule.outside.console import Outbox, shows_messages

_log = structlog.get_logger("vestibule.text")

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
# Not the number's fault: the gateway is busy, or its operator has to act.
_PASSING: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


class Gateway:
    """Sends texts and calls by the settings. Open it with ``async with``."""

    def __init__(self, settings: Settings, outbox: Outbox) -> None:
        self._headers = settings.gateway_headers
        self.outbox = outbox
        self._routes: dict[By, tuple[str, str]] = {
            "sms": (settings.sms_gateway_url, settings.sms_gateway_body),
            "voice": (settings.voice_gateway_url, settings.voice_gateway_body),
        }
        # One gateway that is set means that this is no place of development any more.
        alone = not any(url for url, _ in self._routes.values())
        self._shown = {
            by
            for by, (url, _) in self._routes.items()
            if shows_messages(settings, url) and (url or alone)
        }
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def ways(self) -> frozenset[By]:
        """What can be done at all, by the settings."""
        return frozenset(by for by, (url, _) in self._routes.items() if url or by in self._shown)

    async def send(self, number: str, text: str, *, by: By, language: str) -> MessageOutcome:
        """Send or speak ``text``. Never raises for the network's sake."""
        if by in self._shown:
            self.outbox.put(by=by, to=number, subject="", text=text)
            return MessageOutcome.SENT
        url, template = self._routes[by]
        if not url or self._session is None:
            _log.warning("text.no_gateway", by=by)
            return MessageOutcome.REFUSED
        facts = {"number": number, "text": text, "language": language, "by": by}
        address = URL(_filled(url, {k: quote(v, safe="") for k, v in facts.items()}), encoded=True)
        body, kind = rendered(template, facts)
        try:
            # Tried once: a call that timed out may have been carried out, and the person can
            # ask for the next code when the page says so.
            async with self._session.post(
                address,
                data=body,
                headers={"content-type": kind, **self._headers},
                allow_redirects=False,
            ) as answer:
                status = answer.status
                said = (await answer.content.read(300)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("text.failed", by=by, reason=repr(error)[:200])
            return MessageOutcome.FAILED
        if status < 300:
            return MessageOutcome.SENT
        _log.warning("text.refused", by=by, status=status, said=said, host=urlsplit(url).hostname)
        permanent = 400 <= status < 500 and status not in _PASSING
        return MessageOutcome.REFUSED if permanent else MessageOutcome.FAILED


def rendered(template: str, facts: dict[str, str]) -> tuple[bytes, str]:
    """The body of a call and its type: JSON where the template begins with a brace."""
    if template.lstrip().startswith("{"):
        quoted = {name: json.dumps(value)[1:-1] for name, value in facts.items()}
        return _filled(template, quoted).encode(), "application/json"
    quoted = {name: quote(value, safe="") for name, value in facts.items()}
    return _filled(template, quoted).encode(), "application/x-www-form-urlencoded"


def _filled(template: str, facts: dict[str, str]) -> str:
    # One pass: what a text holds is never taken for a place to fill.
    parts = template.split("{")
    done = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        done.append(facts[name] + rest if closed and name in facts else "{" + part)
    return "".join(done)
