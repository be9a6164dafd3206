"""An ntfy server small enough for a test: it takes what is published, and remembers it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.journeys.background import Background
from tests.serving import reserved_port


@dataclass
class Ntfy:
    """The server; https://docs.ntfy.sh/publish/#publish-as-json is all that it knows."""

    port: int
    published: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The server's `ntfy_url`."""
        return f"http://localhost:{self.port}"

    def of(self, topic_url: str) -> list[dict[str, Any]]:
        """What was published to a topic, named by its address."""
        return [one for one in self.published if topic_url == f"{self.url}/{one['topic']}"]

    async def publish(self, request: Request) -> Response:
        """POST / with a JSON message."""
        message = json.loads(await request.body())
        if not isinstance(message.get("topic"), str) or not message["topic"]:
            return JSONResponse({"code": 40009, "http": 400}, status_code=400)
        self.published.append(message)
        return JSONResponse({"id": f"m{len(self.published)}", "event": "message", **message})


@contextmanager
def ntfy_server(background: Background) -> Iterator[Ntfy]:
    """A running one."""
    with reserved_port() as port:
        ntfy = Ntfy(port)
        routes = Starlette(routes=[Route("/", ntfy.publish, methods=["POST"])])
        config = uvicorn.Config(
            routes,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            log_config=None,
            lifespan="off",
        )
        served = uvicorn.Server(config)
        running: list[asyncio.Task[None]] = []

        async def start() -> None:
            running.append(asyncio.create_task(served.serve()))
            while not served.started:  # noqa: ASYNC110 -- uvicorn tells it by a flag only
                await asyncio.sleep(0.01)

        async def stop() -> None:
            served.should_exit = served.force_exit = True
            await asyncio.gather(*running)

        background.do(start())
        try:
            yield ntfy
        finally:
            background.do(stop())
