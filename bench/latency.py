"""How long a person waits after the tap, with the reference phone and the reference browser."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path

import aiohttp

from bench.house import House
from bench.population import PASSWORD, populate, username
from vestibule.client.phone import Phone
from vestibule.client.pin import Unlocked
from vestibule.client.portal import Portal

_PIN = "4826"


async def approvals(house: House, folder: Path, count: int) -> list[float]:
    """Seconds from sending an approval to holding the session cookie, one after the other."""
    number = house.accounts + secrets.randbelow(10**9)
    await populate(house.url, folder, range(number, number + 1))
    async with (
        Phone(folder / f"phone-{number}.json") as phone,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        portal = Portal(http, house.server.portal)
        page = await portal.begin(username(number), PASSWORD)
        offer = await phone.fetch_offer(page.activation_link)
        await phone.activate(offer, pin=_PIN, label="Bench")
        unlocked = await phone.unlock(_PIN)
        return [await _once(portal, phone, username(number), unlocked) for _ in range(count)]


async def _once(portal: Portal, phone: Phone, name: str, unlocked: Unlocked) -> float:
    portal.cookies.pop("__Host-session", None)
    page = await portal.begin(name, PASSWORD)
    waiting = asyncio.ensure_future(portal.wait())
    (request,) = await phone.requests()
    # The stream is connected by the time at which a person has read what the phone shows.
    await asyncio.sleep(0.02)
    began = time.perf_counter()
    number = page.challenge if request.claims.number else ""
    answering = asyncio.ensure_future(phone.approve(request, pin=unlocked, number=number))
    await portal.get(await waiting, follow=False)
    took = time.perf_counter() - began
    assert portal.signed_in, page
    await answering
    return took
