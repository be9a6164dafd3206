"""One server with its people: started as `vestibule serve`, on a core of its own, and metered."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine
from bench.device import PUSH_ORIGIN, Device
from bench.population import is_cheap, is_seamless, populate_linked, username
from bench.push_service import PushService
from bench.sign_in import Person, Place, Stranger
from tests.serving import Server, serving
from vestibule import schema
from vestibule.base.sealing import Keys

STRANGERS = 16
"""How many sign in at the same time."""
_DEVICES = 1_000


@dataclass(frozen=True)
class Storm:
    """What many sign-ins, side by side, took: seconds, of which the CPU's are the server's."""

    count: int
    wall: float
    application: float
    passwords: float

    @property
    def rate(self) -> float:
        """Sign-ins a second."""
        return self.count / self.wall

    @property
    def application_ms(self) -> float:
        """CPU of one sign-in beside the threads that hash, in milliseconds."""
        return self.application / self.count * 1000

    @property
    def whole_ms(self) -> float:
        """CPU of one sign-in with its password, in milliseconds."""
        return (self.application + self.passwords) / self.count * 1000


@dataclass
class House:
    """A running server, and those of its people who have a phone at hand."""

    accounts: int
    url: str
    server: Server
    people: list[tuple[int, Person]]
    hashing: set[int] = field(default_factory=set)

    @property
    def place(self) -> Place:
        """Its origins."""
        return Place(self.server.portal, self.server.phone)

    @property
    def pid(self) -> int:
        """The process that is measured."""
        assert self.server.process is not None
        return self.server.process.pid

    def some(self, *, cheap: bool, seamless: bool) -> deque[Person]:
        """People of one kind."""
        return deque(
            person
            for number, person in self.people
            if (is_cheap(number), is_seamless(number)) == (cheap, seamless)
        )

    async def warm(self) -> None:
        """Let everybody sign in once: browsers are known from then on, and code is warm.

        The threads that hash are those that come into being with the first passwords; pushes
        bring threads of their own.
        """
        before = set(machine.spent(self.pid))
        for seamless, cheap in itertools.product((False, True), (False, True)):
            people = self.some(cheap=cheap, seamless=seamless)
            await self.storm(people, len(people), push=seamless)
            self.hashing = self.hashing or set(machine.spent(self.pid)) - before

    async def storm(self, people: deque[Person], count: int, *, push: bool) -> Storm:
        """Have `count` sign-ins made, sixteen at a time."""
        strangers = [await Stranger.arrive(self.place) for _ in range(STRANGERS)]
        left = itertools.repeat(None, count)

        async def come(stranger: Stranger) -> None:
            act: Callable[[Person], Awaitable[object]] = stranger.push if push else stranger.respond
            for _ in left:
                person = people.popleft()
                await act(person)
                people.append(person)

        before, began = machine.spent(self.pid), time.perf_counter()
        await asyncio.gather(*map(come, strangers))
        wall, after = time.perf_counter() - began, machine.spent(self.pid)
        for stranger in strangers:
            stranger.leave()
        used = {thread: after[thread] - before.get(thread, 0.0) for thread in after}
        hashing = sum(used[thread] for thread in self.hashing)
        return Storm(count, wall, sum(used.values()) - hashing, hashing)


@asynccontextmanager
async def open_house(
    folder: Path, url: str, accounts: int, pushes: PushService
) -> AsyncIterator[House]:
    """A migrated, populated database and its server, everybody's browser known."""
    Keys.create(folder)
    await schema.upgrade(url)
    # Spread over all accounts, as those who sign in at the same time are.
    step = max(1, accounts // _DEVICES) | 1
    devices = {number: Device() for number in range(0, accounts, step)}
    await populate_linked(url, folder, accounts=accounts, devices=devices)
    people = [(number, Person(username(number), device)) for number, device in devices.items()]
    pushes.expect({person.device.id: person for _, person in people})
    with ExitStack() as stack:
        with machine.on(machine.SERVER_CORE):
            running = serving(
                folder,
                database_url=url,
                test_hooks=False,
                push_origins=json.dumps({PUSH_ORIGIN: pushes.address}),
            )
            server = stack.enter_context(running)
        house = House(accounts, url, server, people)
        await house.warm()
        yield house
