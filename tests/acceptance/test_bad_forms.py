"""What a broken or hostile browser sends: a clear 4xx, and nothing changed."""

import json
import random
import re
from urllib.parse import quote, urlencode

import pytest

from tests.acceptance.people import Person, Town
from tests.acceptance.population import PASSWORD
from tests.acceptance.wire import FORM, JSON, Answer, Browser
from vestibule import home
from vestibule.activation import device_api as activation_api, pages as activation_pages
from vestibule.client.portal import Page
from vestibule.devices import device_api as devices_api, pages as devices_pages
from vestibule.login import device_api as login_api, pages as login_pages
from vestibule.notifications import device_api as notifications_api
from vestibule.sessions import pages as sessions_pages

pytestmark = pytest.mark.processes

COUNTED = ("audit_event", "limit_state")
PORTAL = [
    route.path
    for pages in (home, login_pages, activation_pages, devices_pages, sessions_pages)
    for route in pages.routes
]
PHONE = [
    route.path
    for api in (login_api, activation_api, devices_api, notifications_api)
    for route in api.routes
]


def code_of(answer: Answer) -> str:
    """The stable code that a page of a problem carries."""
    found = re.search(r'data-code="(\w+)"', answer.text)
    return found[1] if found else ""


async def post(
    browser: Browser, path: str, body: bytes, kind: str = FORM, **headers: str
) -> Answer:
    """A form as some program sends it."""
    sent = {"Content-Type": kind, **browser.headers, **headers}
    return await browser.origin.ask("POST", path, body, sent)


async def at_the_form(person: Person) -> tuple[Browser, Page, dict[str, str]]:
    """A browser at the sign-in form, and what it would send."""
    browser = person.browser()
    page = await browser.get("/login")
    fields = page.hidden("/login") | {"username": person.username, "password": PASSWORD}
    return browser, page, fields


async def test_sign_in_form_takes_only_itself(town: Town) -> None:
    """Wrong types, unknown and repeated fields, too many bytes, no token: nobody is signed in."""
    browser, _, fields = await at_the_form(await town.linked())
    before = await town.tables(without=COUNTED)
    good = urlencode(fields).encode()
    without = urlencode({k: v for k, v in fields.items() if k != "form"}).encode()
    cases: list[tuple[bytes, str, int, str]] = [
        (json.dumps(fields).encode(), JSON, 415, "content_type"),
        (good, "text/plain", 415, "content_type"),
        (good, "multipart/form-data; boundary=x", 415, "content_type"),
        (good + b"&admin=1", FORM, 400, "bad_field"),
        (good + b"&username=robin", FORM, 400, "bad_field"),
        (good + b"&x=%ff", FORM, 400, "bad_request"),
        (b"\xff\xfe", FORM, 400, "bad_request"),
        (b"&".join([b"a=1"] * 50), FORM, 400, "bad_request"),
        (good + b"&password2=" + b"x" * 70_000, FORM, 413, "body_too_large"),
        (without, FORM, 403, "form_expired"),
        (without + b"&form=" + b"A" * 22, FORM, 403, "form_expired"),
    ]
    for body, kind, status, code in cases:
        answer = await post(browser, "/login", body, kind)
        assert (answer.status, code_of(answer)) == (status, code), (body[:80], kind)
        assert not answer.cookies.get("__Host-session")
    assert await town.tables(without=COUNTED) == before
    assert (await post(browser, "/login", good)).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_forms_of_other_sites_are_refused(town: Town, headers: dict[str, str]) -> None:
    """A form sent from another site's page does nothing, even with everything else right."""
    person = town.person()
    browser, _, fields = await at_the_form(person)
    before = await town.tables(without=COUNTED)
    answer = await post(browser, "/login", urlencode(fields).encode(), **headers)
    assert (answer.status, code_of(answer)) == (403, "cross_site")
    page = await person.arrive(browser)
    signed_in = await town.tables(without=COUNTED)
    assert signed_in != before
    logout = urlencode(page.hidden("/logout")).encode()
    answer = await post(browser, "/logout", logout, **headers)
    assert (answer.status, code_of(answer)) == (403, "cross_site")
    assert (await browser.get("/")).status == 200


async def test_token_of_another_visitor_is_refused(town: Town) -> None:
    """A form's token is bound to the browser that it was made for."""
    browser, _, fields = await at_the_form(town.person())
    _, _, others = await at_the_form(town.person())
    answer = await post(browser, "/login", urlencode(fields | {"form": others["form"]}).encode())
    assert (answer.status, code_of(answer)) == (403, "form_expired")


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost", "127.0.0.1", "", "a b"])
async def test_foreign_hosts_are_refused(town: Town, host: str) -> None:
    """A request for another name gets neither a page nor an answer that a cache could keep."""
    for origin in (town.portal, town.phone):
        answer = await origin.ask("GET", "/login", headers={"Host": host})
        assert answer.status in (400, 421), answer.text


@pytest.mark.parametrize(
    "typed",
    [
        "p\u0435rson-1",  # Cyrillic e
        "pers\u03bfn-1",  # Greek o
        "person\u20101",  # a hyphen of another kind
        "person\u2212001",  # a minus
        "per\u200bson-1",  # a space of no width
        "pe\u0301rson-1",  # an accent
        "person-1\u0000",
        "person-\u0661\u0000",
        "\u202eperson-1",  # right to left
        "' OR '1'='1",
        "person-1'; DROP TABLE account; --",
        "../../person-1",
        "x" * 300,
        "\U0001f600",
        "",
    ],
)
async def test_names_that_only_look_alike_open_nothing(town: Town, typed: str) -> None:
    """A name that resembles another is refused; it is never taken for the other."""
    person = town.person()
    before = await town.tables(without=COUNTED)
    browser = person.browser()
    page = await browser.begin(typed, PASSWORD)
    assert page.status in (400, 401), page.text
    assert "__Host-session" not in browser.cookies
    assert await town.tables(without=COUNTED) == before


async def test_steps_out_of_order_change_nothing(town: Town) -> None:
    """Collecting before an approval, responding after one, every step without an attempt."""
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    before = await town.tables(without=COUNTED)
    early = await browser.get("/login/next?approved")
    assert (early.status, early.location) == (303, "/login/next")
    stranger = person.browser()
    for path in ("/login/next", "/login/wait", "/login/choose", "/login/wait/events"):
        assert (await stranger.get(path)).status == 404
    for path in ("/login/choose", "/login/again", "/login/cancel", "/login/response"):
        answer = await post(stranger, path, urlencode(page.hidden("/login/again")).encode())
        assert (answer.status, code_of(answer)) == (404, "attempt_unknown")
    assert await town.tables(without=COUNTED) == before
    await person.approve(await person.request(), page.challenge)
    late = await browser.submit(
        page, "/login/response", response=person.phone.respond(page.challenge)
    )
    assert (late.status, late.location) == (303, "/login/next")
    assert "__Host-session" not in browser.cookies
    assert (await browser.get("/login/next")).location == "/"
    assert "__Host-session" in browser.cookies
    # Nothing is collected twice; who is signed in is led home.
    again = await browser.get("/login/next?approved")
    assert (again.status, again.location) == (303, "/")


async def test_changed_cookies_open_nothing(town: Town) -> None:
    """Every cookie with one character changed, cut short or swapped counts as none."""
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    await person.approve(await person.request(), page.challenge)
    held = browser.cookies["__Host-login"]
    for wrong in (held[:-2] + "AA", held[:40], held + "A", "", "A" * 400, "\u00e9", held[::-1]):
        browser.cookies["__Host-login"] = wrong
        if wrong.isascii():
            assert (await browser.get("/login/next?approved")).status == 404
    browser.cookies["__Host-login"] = held
    await browser.get("/login/next?approved")
    session = browser.cookies["__Host-session"]
    for wrong in (session[:-1], session[:-1] + "~", "A" * 43, held, session + session):
        browser.cookies["__Host-session"] = wrong
        assert (await browser.get("/")).status == 401
    browser.cookies["__Host-session"] = session
    assert (await browser.get("/")).status == 200


# --- everything, with junk ----------------------------------------------------------------------

JUNK = [
    "", "0", "-1", "9" * 400, "null", "true", "[]", "{}", "\x00", "\r\nSet-Cookie: a=b", "%00",
    "../" * 20 + "etc/passwd", "<script>alert(1)</script>", "{{7*7}}", "' OR 1=1 --", "\u202e",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "A" * 22, "A" * 43, "é" * 99,
]  # fmt: skip


async def test_no_route_breaks_on_junk(town: Town) -> None:
    """Every route, every method, with junk for query, cookies, headers and body: never a 5xx."""
    chance = random.Random(20261122)
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    await person.approve(await person.request(), page.challenge)
    await browser.get("/login/next?approved")
    waiting = person.browser()
    await person.arrive(waiting)
    for origin, paths in ((town.portal, PORTAL), (town.phone, [*PHONE, "/sw.js"])):
        for path in sorted(set(paths)):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                for _ in range(3):
                    cookies = dict(chance.choice([{}, browser.cookies, waiting.cookies]))
                    if method == "GET" and path.endswith(("/events", "/wait", "/stream")):
                        cookies = {}  # these would answer for as long as somebody waits
                    request = junk(chance, cookies, source=browser.source)
                    answer = await origin.ask(method, with_query(chance, path), *request)
                    assert answer.status < 500, (method, path, request, answer.text)
    assert '"level": "error"' not in town.server.log.read_text()


def with_query(chance: random.Random, path: str) -> str:
    """A path with junk behind it, in every second case."""
    if chance.random() < 0.5:
        return path
    names = ["id", "approved", "respond", "phone", "page", "before", "x"]
    return f"{path}?{chance.choice(names)}={quote(chance.choice(JUNK))}"


def junk(
    chance: random.Random, cookies: dict[str, str], *, source: str
) -> tuple[bytes, dict[str, str]]:
    """A body and headers."""
    names = ["form", "username", "password", "phone", "response", "id", "label", "on", "answer"]
    fields = {name: chance.choice(JUNK) for name in chance.sample(names, 4)}
    body, kind = chance.choice(
        [
            (urlencode(fields).encode(), FORM),
            (json.dumps(fields).encode(), JSON),
            (json.dumps({chance.choice(names): fields}).encode(), JSON),
            (chance.randbytes(200), FORM),
            (chance.randbytes(200), JSON),
            (b"", FORM),
        ]
    )
    headers = {"Content-Type": kind, "X-Forwarded-For": source}
    headers["Accept-Language"] = headers["User-Agent"] = quote(chance.choice(JUNK))
    if chance.random() < 0.5:
        headers["Authorization"] = f"Vestibule {quote(chance.choice(JUNK))}"
    if chance.random() < 0.3:
        cookies |= {chance.choice(["__Host-session", "__Host-login", "__Host-browser"]): "A" * 43}
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return body, headers


async def test_no_form_breaks_on_junk(town: Town) -> None:
    """Every form of every page that a signed-in person sees, each field with junk: never a 5xx."""
    chance = random.Random(20261123)
    person = await town.linked()
    browser = person.browser()
    page = await person.arrive(browser)
    await person.approve(await person.request(), page.challenge)
    await browser.get("/login/next?approved")
    pages = [
        await browser.get(path) for path in sorted(set(PORTAL)) if path.startswith("/settings")
    ]
    pages += [await browser.get("/"), await browser.get("/activation")]
    tried = set()
    for shown in pages:
        for action in set(re.findall(r'<form[^>]*action="([^"]+)"', shown.text)) - {"/logout"}:
            names = re.findall(r'<(?:input|select|button)[^>]* name="([^"]+)"', shown.text)
            for value in JUNK:
                fields = {name: value for name in names if name not in shown.hidden(action)}
                chosen = dict(chance.sample(sorted(fields.items()), min(2, len(fields))))
                answer = await browser.origin.send(browser.form(shown, action, **chosen))
                assert answer.status < 500, (action, chosen, answer.text)
            tried.add(action)
    assert len(tried) >= 4, tried
    assert '"level": "error"' not in town.server.log.read_text()
