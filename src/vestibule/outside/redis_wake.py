"""Wake-ups between the workers of one house, over one Redis connection each.

Who tells wakes its own worker at once and publishes to the others; what is told within one turn
of the loop travels in one message. Every worker hears everything and looks the topic up in its
dict: cheaper than a subscription per waiting browser, which is two commands each.

Redis is a convenience. While it is away ``healthy`` is false and waiters look every two seconds;
when it comes back all of them are woken once, because a wake-up may have been lost meanwhile.
A worker that was away by itself could tell nobody, and the others did not notice: it has them
all look once, too.
"""

import asyncio
import random
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from vestibule.base.ids import new_id
from vestibule.base.wake import LocalBus, Waiter

_log = structlog.get_logger("vestibule.wake")

_BEAT_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_WOKEN_AT_ONCE: Final = 500
_BETWEEN_WAKES_S: Final = 0.02

_FAILURES: Final = (RedisError, OSError, TimeoutError)

_Told = tuple[str, str, bool]
_Letter = tuple[str, list[_Told]]
"""The worker that sends, and what it tells: topics with messages that may linger."""
_EVERYBODY: Final[_Told] = ("", "", False)
"""Has all who wait look, whatever their topic."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Letter).decode


class RedisBus(LocalBus):
    """A wake-up bus shared by all workers that open it for the same house."""

    def __init__(self, url: str, house: str) -> None:
        super().__init__()
        # RESP3, so that one connection both listens and publishes.
        self._pool = ConnectionPool.from_url(
            url, protocol=3, socket_connect_timeout=_BEAT_S, socket_timeout=_BEAT_S
        )
        # Redis' channels know nothing of its numbered databases: the name keeps houses apart.
        self._channel = f"vestibule:wake:{house}"
        self._worker = new_id()
        self._connection: AbstractConnection | None = None
        self._outbox: list[_Told] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._untold = False

    @classmethod
    async def open(cls, url: str, house: str) -> "RedisBus":
        """Start listening; returns when Redis answers, or after two seconds without it."""
        bus = cls(url, house)
        bus._spawn(bus._stay_connected())
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEAT_S):
                await bus._changed.wait()
        return bus

    @property
    def healthy(self) -> bool:
        """Whether wake-ups of other workers arrive."""
        return self._connection is not None

    def tell(self, topic: str, message: str = "", *, linger: bool = False) -> None:
        """Wake everybody who waits on ``topic``, in every worker."""
        super().tell(topic, message, linger=linger)
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox.append((topic, message, linger))

    async def close(self) -> None:
        """Stop listening."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _flush(self) -> None:
        told, self._outbox = self._outbox, []
        if self._connection is None:
            self._untold = True
        else:
            self._spawn(self._publish(self._connection, _encode((self._worker, told))))

    async def _publish(self, connection: AbstractConnection, letter: bytes) -> None:
        # Where this fails the listener fails too, and says so.
        with suppress(*_FAILURES):
            await connection.send_command("PUBLISH", self._channel, letter)

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            connection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # theirs
            try:
                await connection.connect()
                await connection.send_command("SUBSCRIBE", self._channel)
                await connection.read_response(push_request=True)
                pause = _FIRST_PAUSE_S
                self._become(connection)
                await self._listen(connection)
            except _FAILURES as error:
                _log.warning("wake.redis_away", reason=str(error))
            finally:
                self._become(None)
                with suppress(*_FAILURES):
                    await connection.disconnect(nowait=True)
            # Spread, so that the workers of a large house do not come back in one instant.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    async def _listen(self, connection: AbstractConnection) -> None:
        asked = False
        while True:
            answer = await connection.read_response(timeout=_BEAT_S, push_request=True)
            if answer is None:
                if asked:
                    raise TimeoutError("no answer to a ping")
                await connection.send_command("PING")
            asked = answer is None
            if isinstance(answer, list) and answer[0] == b"message":
                self._hear(answer[2])

    def _hear(self, letter: bytes) -> None:
        try:
            worker, told = _decode(letter)
        except msgspec.DecodeError:
            _log.warning("wake.letter_unreadable", size=len(letter))
            return
        if worker != self._worker:
            for topic, message, linger in told:
                if topic == _EVERYBODY[0]:
                    self._wake_everybody()
                else:
                    super().tell(topic, message, linger=linger)

    def _become(self, connection: AbstractConnection | None) -> None:
        """Take note that Redis came or went, and have every waiter look."""
        if (connection is None) == (self._connection is None):
            return
        self._connection = connection
        self._changed.set()
        _log.info("wake.redis", healthy=self.healthy)
        if connection is None:
            # What was sent last may have gone nowhere.
            self._untold = True
        elif self._untold:
            self._untold = False
            self._spawn(self._publish(connection, _encode((self._worker, [_EVERYBODY]))))
        self._wake_everybody()

    def _wake_everybody(self) -> None:
        everybody = [waiter for present in self.waiters.values() for waiter in present]
        # Ten thousand browsers looking in one instant would hold up everybody else.
        for turn, start in enumerate(range(0, len(everybody), _WOKEN_AT_ONCE)):
            part = everybody[start : start + _WOKEN_AT_ONCE]
            asyncio.get_running_loop().call_later(turn * _BETWEEN_WAKES_S, _wake, part)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401  -- any coroutine, its result unread
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _wake(waiters: list[Waiter]) -> None:
    for waiter in waiters:
        waiter.tell("")
