"""Server-sent events for those who wait, made for thousands of them in one process.

A waiting browser costs one task, one `Waiter` and no statement: the database is read when it
arrives, when it is woken, and at the end of its time. While wake-ups may get lost
(`WakeBus.healthy` is false) it is read every couple of seconds instead.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from vestibule.base.context import Context

BEAT_S: Final = 15.0
"""A comment this often keeps proxies from cutting the line and finds out who left."""

_COMMENT: Final = b":\n\n"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies must hand on every line at once.
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to tell after looking: frames (`frame`), and whether that was all."""

    frames: bytes = b""
    done: bool = False
    again_s: float = BEAT_S
    """When to call the looker again with `BEAT`, where something changes by the clock alone."""


Looker = Callable[[str | None], Awaitable[Look]]
"""Called with None on arrival and at the end, with `BEAT` when it asked for that, else with the
wake-up's message."""

BEAT: Final = "beat"


def frame(event: str, data: dict[str, Any] | None = None) -> bytes:
    """One event; ``data`` travels as JSON on one line."""
    text = json.dumps(data or {}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {text}\n\n".encode()


class Stream:
    """An ASGI endpoint: ``Route("/login/wait/events", Stream(prepare))``.

    ``prepare(scope)`` checks who asks (it may raise a refusal) and returns the wake topic, the
    looker, and the moment (ms) after which looking again is due and the stream ends.
    """

    def __init__(self, prepare: Callable[[Scope], Awaitable[tuple[str, Looker, int]]]) -> None:
        self._prepare = prepare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser until there is no more to tell, its time is over, or it left."""
        ctx: Context = scope["app"].state.ctx
        topic, look, ends_at = await self._prepare(scope)
        async with ctx.wake.subscribe(topic) as waiter:
            # Subscribed first, looked second: what changes in between is told, not lost.
            seen = await look(None)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            while not seen.done:
                await _write(send, seen.frames or _COMMENT)
                left = (ends_at - ctx.clock.now()) / 1000
                message = await waiter.wait(max(0.05, min(BEAT_S, seen.again_s, left)))
                if _left(receive):
                    return
                if ctx.clock.now() >= ends_at:
                    last = await look(message)
                    seen = Look(last.frames, done=True)
                elif message is not None or not ctx.wake.healthy:
                    seen = await look(message)
                elif seen.again_s < BEAT_S:
                    seen = await look(BEAT)
                else:
                    seen = Look()
        await _write(send, seen.frames, more=False)


async def _write(send: Send, frames: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": frames, "more_body": more})


def _left(receive: Receive) -> bool:
    """Whether the browser has gone, without waiting for it: one step of `receive`, by hand.

    A task that waits for the disconnection would cost as much as the stream itself.
    """
    while True:
        step = receive()
        try:
            step.send(None)  # type: ignore[attr-defined]  # a coroutine, whatever ASGI's type says
        except StopIteration as got:
            if got.value["type"] == "http.disconnect":
                return True
            if not got.value.get("more_body"):
                continue
            return False
        else:
            return False
        finally:
            step.close()  # type: ignore[attr-defined]  # a coroutine, typed as awaitable
