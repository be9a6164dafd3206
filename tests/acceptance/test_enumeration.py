"""What a stranger learns of who has an account: nothing by words, work or time.

Names of five kinds are asked for with a wrong password, in random order, each once and from an
address of its own. What is compared is not a mean, which one slow second of the machine moves,
but ranks: how often an answer about one kind takes longer than one about another. That share is a
half where nothing can be told apart, and says how well a single answer tells them apart, however
fast the machine is.
"""

import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Table, bindparam, insert, select, update

from tests.acceptance.conftest import KINDS, open_town
from tests.acceptance.people import Town, fresh_source
from tests.acceptance.population import username
from tests.acceptance.test_budgets import counted, reset
from tests.acceptance.wire import Browser
from vestibule.accounts.store import account
from vestibule.base.database import Database, Tx
from vestibule.base.ids import new_id
from vestibule.client.portal import Page
from vestibule.devices.store import enrollment
from vestibule.factors.store import factor

pytestmark = [pytest.mark.processes, pytest.mark.slow]

EACH = 100
# With 100 answers of each kind the share wanders by 0.041 around a half where there is nothing to
# see: five times that is left to chance. A look-up more, or a hash less, gives 0.8 and above.
SHARE = 0.2
# The numbers of accounts that nobody else here uses, from the end of the population.
KNOWN = {
    "password only": range(3000, 3000 + EACH),
    "phone": range(3100, 3100 + EACH),
    "factors": range(3200, 3200 + EACH),
    "disabled": range(3300, 3300 + EACH),
}
UNKNOWN = range(7000, 7000 + EACH)
_DISABLE = update(account).where(account.c.username == bindparam("name")).values(disabled_at=1)
_ID = select(account.c.id).where(account.c.username == bindparam("name"))


@pytest.fixture(scope="module", params=KINDS)
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """One worker on each database, which does nothing else meanwhile."""
    with open_town(request, request.param) as opened:
        yield opened


async def furnish(database: Database) -> None:
    """Phones, factors and closed accounts, written past the services."""

    async def body(tx: Tx) -> None:
        for number in KNOWN["disabled"]:
            await tx.run(_DISABLE, name=username(number))
        for number in KNOWN["phone"]:
            await tx.run(insert(enrollment), **blank(enrollment, await id_of(tx, number)))
        for number in KNOWN["factors"]:
            account_id = await id_of(tx, number)
            for kind in ("totp", "recovery_codes"):
                made = blank(factor, account_id, kind=kind, confirmed_at=1)
                await tx.run(insert(factor), **made)

    await database.write(body)


async def id_of(tx: Tx, number: int) -> str:
    """The account's id."""
    row = await tx.one(_ID, name=username(number))
    assert row is not None
    return str(row["id"])


_BLANK: dict[type, str | int | bytes] = {str: "x", int: 1, bytes: b"x"}


def blank(table: Table, account_id: str, **given: Any) -> dict[str, Any]:
    """A row that only has to be found."""
    values: dict[str, Any] = {
        column.name: None if column.nullable else _BLANK[column.type.python_type]
        for column in table.c
    }
    told = {"id": new_id(), "account_id": account_id, "device_id": new_id(), "state": "{}"} | given
    return values | {name: value for name, value in told.items() if name in table.c}


async def refuse(town: Town, name: str, browser: Browser, form: Page) -> tuple[float, Page]:
    """Type a wrong password; the answer, and how long it took (seconds)."""
    request = browser.form(form, "/login", username=name, password="not the password")
    before = time.perf_counter()
    answer = await town.portal.send(request)
    took = time.perf_counter() - before
    return took, Page(answer.status, "/login", answer.header("location"), answer.text)


async def arrive(town: Town) -> tuple[Browser, Page]:
    """A browser that nobody knows, with the form open."""
    browser = Browser(town.portal, source=fresh_source())
    return browser, await browser.get("/login")


def words(page: Page, name: str) -> tuple[int, str]:
    """What the page says, without what differs between any two pages."""
    text = page.text.replace(name, "NAME")
    for own in (r'name="form" value="[^"]+"', r'data-now="\d+"', r"<code>\w+</code>"):
        text = re.sub(own, "", text)
    return page.status, text


def share(one: list[float], other: list[float], *, apart: float = 0.0) -> float:
    """How often an answer of one kind took longer than one of the other: a half for none.

    Of two that are not more than ``apart`` seconds apart neither is the longer one.
    """
    longer = sum((a - b > apart) + (abs(a - b) <= apart) / 2 for a in one for b in other)
    return longer / (len(one) * len(other))


async def test_names_cannot_be_told_apart(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    """By the page, by the statements that it costs, or by the time that it takes."""
    async with town.opened() as database:
        await furnish(database)
    names = {kind: [username(n) for n in numbers] for kind, numbers in KNOWN.items()}
    names["unknown"] = [username(n) for n in UNKNOWN]
    said: dict[str, set[tuple[int, str]]] = defaultdict(set)
    costs: dict[str, list[str]] = {}
    for kind, listed in names.items():
        name = listed.pop()
        browser, form = await arrive(town)
        await reset(town)
        _, page = await refuse(town, name, browser, form)
        costs[kind] = (await counted(town))["seen"]
        said[kind].add(words(page, name))
    assert len({tuple(cost) for cost in costs.values()}) == 1, "\n\n".join(
        f"{kind}: {len(cost)} statements\n" + "\n".join(cost) for kind, cost in costs.items()
    )
    took: dict[str, list[float]] = defaultdict(list)
    asked = [(kind, name) for kind, listed in names.items() for name in listed]
    random.Random(7).shuffle(asked)
    for kind, name in asked:
        browser, form = await arrive(town)
        seconds, page = await refuse(town, name, browser, form)
        took[kind].append(seconds)
        said[kind].add(words(page, name))
    assert len(set.union(*said.values())) == 1
    assert next(iter(said["unknown"]))[0] == 401
    shares = {
        f"{one} / {other}": round(share(took[one], took[other]), 3)
        for one, other in combinations(took, 2)
    }
    medians = {kind: round(statistics.median(times) * 1000, 2) for kind, times in took.items()}
    record_property("shares", shares)
    record_property("medians_ms", medians)
    print(shares, medians)  # noqa: T201  -- the statistic is the report
    assert all(abs(value - 0.5) < SHARE for value in shares.values()), (shares, medians)


async def test_a_missing_hash_would_be_seen(town: Town) -> None:
    """The same measure on what really differs: a name that cannot exist is refused unhashed."""
    took: dict[bool, list[float]] = defaultdict(list)
    for number in range(3400, 3430):
        for name in (username(number), "x"):
            browser, form = await arrive(town)
            seconds, _ = await refuse(town, name, browser, form)
            took[name == "x"].append(seconds)
    assert share(took[False], took[True]) > 0.5 + SHARE
