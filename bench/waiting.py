"""What thousands of waiting browsers cost, and how fast one of them is woken among the others."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench import machine
from bench.device import Device
from bench.house import House
from bench.link import Link
from bench.population import is_cheap, is_seamless, username
from bench.sign_in import Person, Stranger, went

_AT_ONCE = 16


@dataclass(frozen=True)
class Crowd:
    """So many browsers waited: memory of the server before and with them, and the wake-ups."""

    browsers: int
    before_mib: float
    with_mib: float
    load: float
    woken: list[float]
    """Seconds from sending an approval to the stream's word, while the others wait."""

    @property
    def each_kib(self) -> float:
        """Memory of one that waits."""
        return (self.with_mib - self.before_mib) * 1024 / self.browsers


async def crowd(house: House, browsers: int, wake_ups: int) -> Crowd:
    """Have so many accounts wait; then wake others at half the server's load."""
    known = {number for number, _ in house.people}
    numbers = (n for n in range(house.accounts) if is_cheap(n) and is_seamless(n))
    people = deque(Person(username(n), Device()) for n in numbers if n not in known)
    browsers = min(browsers, len(people))
    before = machine.memory_mib(house.pid)
    links = await _fill(house, [people.popleft() for _ in range(browsers)])
    with_ = machine.memory_mib(house.pid)
    try:
        woken, load = await _wake(house, wake_ups)
    finally:
        for link, _ in links:
            link.close()
    return Crowd(browsers, before, with_, load, woken)


async def _fill(house: House, people: list[Person]) -> list[tuple[Link, AsyncIterator[bytes]]]:
    left, held = iter(people), []

    async def come() -> None:
        stranger = await Stranger.arrive(house.place)
        for person in left:
            await stranger.begin(person)
            held.append(await stranger.stay(person))
        stranger.leave()

    await asyncio.gather(*(come() for _ in range(_AT_ONCE)))
    return held


async def _wake(house: House, count: int) -> tuple[list[float], float]:
    """Push sign-ins at a pace that keeps the server's core half busy; their wake-ups, the load."""
    people = house.some(cheap=True, seamless=True)
    trial = await house.storm(people, min(count, 200), push=True)
    pause = 2 * trial.application / trial.count
    strangers: asyncio.Queue[Stranger] = asyncio.Queue()
    for _ in range(4 * _AT_ONCE):
        strangers.put_nowait(await Stranger.arrive(house.place))
    woken: list[float] = []

    async def come(stranger: Stranger, person: Person) -> None:
        woken.append(await _woken(stranger, person))
        strangers.put_nowait(stranger)
        people.append(person)

    before, began = sum(machine.spent(house.pid).values()), time.perf_counter()
    coming = set()
    for turn in range(count):
        await asyncio.sleep(max(0.0, began + turn * pause - time.perf_counter()))
        task = asyncio.create_task(come(await strangers.get(), people.popleft()))
        coming.add(task)
        task.add_done_callback(coming.discard)
    await asyncio.gather(*coming)
    wall = time.perf_counter() - began
    load = (sum(machine.spent(house.pid).values()) - before) / wall
    while not strangers.empty():
        strangers.get_nowait().leave()
    return woken, load


async def _woken(stranger: Stranger, person: Person) -> float:
    person.nudged.clear()
    page = await stranger.begin(person)
    events = await stranger.wait(person)
    await asyncio.wait_for(person.nudged.wait(), 60)
    asked = await stranger.look(person)
    body = stranger.approval(person, asked, page)
    began = time.perf_counter()
    answering = asyncio.ensure_future(stranger.answer(body))
    to = await went(events)
    took = time.perf_counter() - began
    await answering
    await stranger.collect(person, to)
    return took
