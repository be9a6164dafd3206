"""Settings: second factors are made, printed, renamed and removed; every step has its message."""

import html
import re
from base64 import b32decode

import pytest

from tests.desk import Desk
from tests.factors.authenticator import PRESENT, SecurityKey
from tests.factors.test_service import owner
from tests.login.scene import HERE
from vestibule.base.clock import MINUTE
from vestibule.base.i18n import t
from vestibule.factors import service
from vestibule.factors.rules import totp

LIST = "/settings/factors"


def found(pattern: str, text: str) -> str:
    """The one group of a pattern in a page."""
    match = re.search(pattern, text)
    assert match is not None, text
    return html.unescape(match[1])


async def test_an_app_is_linked_in_three_steps(desk: Desk) -> None:
    """A name, the secret as picture and text, a first code; a wrong one is said at the field."""
    await owner(desk)
    assert t("factors.none") in (await desk.http.get(LIST)).text
    answer = await desk.send(f"{LIST}/totp", f"{LIST}/totp", label="Ada's <app>")
    page = answer.headers["location"]
    shown = (await desk.http.get(page)).text
    assert "<svg" in shown
    key = b32decode(re.sub(r"<[^>]+>", "", found(r'id="secret">(.*?)</p>', shown)))
    factor_id = found(r'name="id" value="([^"]+)"', shown)
    wrong = await desk.send(page, f"{LIST}/totp/confirm", id=factor_id, code="12345x")
    assert wrong.status_code == 403
    assert html.escape(t("factors.totp.wrong")) in wrong.text
    assert t("factors.waiting") in (await desk.http.get(LIST)).text
    code = totp.code_at(key, totp.step_at(desk.scene.clock.now()))
    done = await desk.send(
        page, f"{LIST}/totp/confirm", id=factor_id, code=f" {code[:3]} {code[3:]}"
    )
    assert done.headers["location"] == f"{LIST}?done=totp"
    listed = (await desk.http.get(done.headers["location"])).text
    assert t("factors.done_totp") in listed
    assert "Ada&#39;s &lt;app&gt;" in listed
    assert (await desk.http.get(page)).status_code == 409


async def test_a_passkey_is_made_by_the_page_that_asked(desk: Desk) -> None:
    """The options stand in the form; what cannot be accepted is said in it, with fresh options."""
    await owner(desk)
    page = f"{LIST}/passkey"
    shown = (await desk.http.get(page)).text
    options = found(r'data-options="([^"]+)"', shown)
    token = found(r'name="token" value="([^"]+)"', shown)
    key = SecurityKey()
    sent = {"label": "Blue", "token": token, "credential": key.create(options, flags=PRESENT)}
    refused = await desk.send(page, page, **sent)
    assert refused.status_code == 403
    assert t("error.passkey_refused.title") in refused.text
    assert found(r'data-options="([^"]+)"', refused.text) != options
    done = await desk.send(page, page, **sent | {"credential": key.create(options)})
    assert done.headers["location"] == f"{LIST}?done=passkey"
    again = (await desk.http.get(page)).text
    twice = await desk.send(
        page,
        page,
        label="Blue",
        token=found(r'name="token" value="([^"]+)"', again),
        credential=key.create(found(r'data-options="([^"]+)"', again)),
    )
    assert t("error.factor_exists.title") in twice.text


async def test_recovery_codes_are_shown_once(desk: Desk) -> None:
    """Ten on a sheet to print; the page before says how many are left, and never which."""
    await owner(desk)
    page = f"{LIST}/codes"
    shown = await desk.send(page, page)
    made = re.findall(r"<li><code>([\w-]{19})</code>", shown.text)
    assert len(made) == 10
    assert shown.headers["cache-control"] == "no-store"
    for address in (LIST, page):
        text = (await desk.http.get(address)).text
        assert t("factors.left.other", count=10) in text
        assert not any(code in text for code in made)
    assert f'href="{page}"' in (await desk.http.get(LIST)).text


async def test_a_card_is_printed_and_activated_by_two_cells(desk: Desk) -> None:
    """The page asks for two numbers; the wrong values are said at the field."""
    await owner(desk)
    answer = await desk.send(f"{LIST}/card", f"{LIST}/card")
    page = answer.headers["location"]
    shown = (await desk.http.get(page)).text
    cells = dict(re.findall(r'"index">(\d+)</span> <code>(\w{3})<', shown))
    assert len(cells) == 80
    label = t("factors.card.field", first=r"(\d+)", second=r"(\d+)")
    numbers = re.search(label, shown)
    assert numbers is not None
    factor_id = found(r'name="id" value="([^"]+)"', shown)
    wrong = await desk.send(page, f"{LIST}/card/activate", id=factor_id, answer="000000")
    assert t("factors.card.wrong") in wrong.text
    values = cells[numbers[1]] + cells[numbers[2]]
    done = await desk.send(page, f"{LIST}/card/activate", id=factor_id, answer=values.lower())
    assert done.headers["location"] == f"{LIST}?done=card"
    assert t("factors.until") in (await desk.http.get(done.headers["location"])).text
    assert t("factors.card.held") in (await desk.http.get(f"{LIST}/card")).text


async def test_names_are_changed_and_factors_removed(desk: Desk) -> None:
    """The question says what follows; a bad name is said at its field."""
    session = await owner(desk)
    made = await service.make_card(desk.scene.ctx, session=session, label="Card", source="x")
    page = f"{LIST}/name?id={made.id}"
    bad = await desk.send(page, f"{LIST}/name", id=made.id, label="x" * 41)
    assert (bad.status_code, 'aria-invalid="true"' in bad.text) == (400, True)
    good = await desk.send(page, f"{LIST}/name", id=made.id, label="Wallet")
    assert "Wallet" in (await desk.http.get(good.headers["location"])).text
    page = f"{LIST}/remove?id={made.id}"
    assert t("factors.removal.device.code_card") in (await desk.http.get(page)).text
    done = await desk.send(page, f"{LIST}/remove", id=made.id)
    assert t("factors.done_removed") in (await desk.http.get(done.headers["location"])).text
    assert await service.list_factors(desk.scene.ctx, session.account_id) == []


async def test_an_old_proof_opens_the_list_and_nothing_more(desk: Desk) -> None:
    """Every page that makes or shows something asks for a fresh second factor first."""
    session = await owner(desk)
    made = await service.make_card(desk.scene.ctx, session=session, label="Card", source="x")
    await service.make_codes(desk.scene.ctx, session=session, label="Codes", visitor=HERE)
    desk.scene.clock.step(11 * MINUTE)
    assert (await desk.http.get(LIST)).status_code == 200
    pages = ("totp", "passkey", "codes", "card", f"card?id={made.id}", f"name?id={made.id}")
    for page in pages:
        answer = await desk.http.get(f"{LIST}/{page}")
        assert answer.status_code == 403, page
        assert t("error.step_up_needed.title") in answer.text, page


@pytest.mark.parametrize(
    "path",
    ["", "/totp", "/passkey", "/codes", "/card", "/name", "/remove"],
)
async def test_strangers_see_nothing(desk: Desk, path: str) -> None:
    """No page shows anything without a session."""
    answer = await desk.http.get(f"{LIST}{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
