"""The second push way: an ntfy server of the operator's own choice.

For phones without a push service that reaches them: the ntfy app holds a connection of its own.
One JSON message a call (https://docs.ntfy.sh/publish/#publish-as-json).
"""

from http import HTTPStatus
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp
import structlog

from vestibule.base.context import PushOutcome
from vestibule.base.settings import Settings

_log = structlog.get_logger("vestibule.ntfy")

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=5)
_URGENT: Final = 5
_USUAL: Final = 4


class Ntfy:
    """Publishes to topics. Open it with ``async with``: it holds connections to the server."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.ntfy_url
        token = settings.ntfy_token
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def address(self, topic: str) -> str:
        """Where a topic can be read, in a browser too."""
        return f"{self._url}/{topic}"

    def subscribe(self, topic: str) -> str:
        """The link that makes the ntfy app subscribe to a topic."""
        parts = urlsplit(self._url)
        insecure = "" if parts.scheme == "https" else "?secure=false"
        return f"ntfy://{parts.netloc}/{topic}{insecure}"

    async def send(
        self, topic: str, *, title: str, text: str, click: str, urgent: bool
    ) -> PushOutcome:
        """Publish one message. Never raises for the network's sake."""
        if self._session is None:
            raise RuntimeError("Ntfy is used outside of its `async with`")
        message = {
            "topic": topic,
            "title": title,
            "message": text,
            "click": click,
            "priority": _URGENT if urgent else _USUAL,
        }
        try:
            async with self._session.post(
                self._url, json=message, headers=self._headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("ntfy.failed", reason=repr(error)[:200])
            return PushOutcome.FAILED
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return PushOutcome.SENT
        _log.warning("ntfy.refused", status=status)
        return PushOutcome.FAILED
