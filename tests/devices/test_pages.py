"""Settings: phones are listed, renamed and removed; seamless authentication is on or off."""

from html import unescape

import pytest

from tests.desk import Desk
from tests.login.scene import ScenePhone
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.i18n import t
from vestibule.devices import service
from vestibule.devices.store import enrollment
from vestibule.sessions.rules import Proof


async def owner(desk: Desk) -> tuple[Account, ScenePhone]:
    """Somebody signed in with their phone."""
    account = await desk.scene.account()
    phone = await desk.scene.phone(account, label="Old Pixel")
    await desk.sign_in(account, phone=phone)
    return account, phone


async def test_phones_are_listed_and_renamed(desk: Desk) -> None:
    """The new name is shown, with word that it was saved."""
    _, phone = await owner(desk)
    page = f"/settings/phones/name?id={phone.id}"
    answer = await desk.send(page, "/settings/phones/name", id=phone.id, label="Kitchen <b>")
    assert answer.headers["location"] == "/settings/phones?done=renamed"
    shown = (await desk.http.get(answer.headers["location"])).text
    assert "Kitchen &lt;b&gt;" in shown
    assert t("devices.phones.done_renamed") in shown


async def test_bad_name_is_said_in_the_form(desk: Desk) -> None:
    """What was typed stands there again, with the reason under the field."""
    _, phone = await owner(desk)
    page = f"/settings/phones/name?id={phone.id}"
    answer = await desk.send(page, "/settings/phones/name", id=phone.id, label="x" * 41)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "x" * 41 in answer.text


async def test_removal_is_asked_about_first_and_then_done(desk: Desk) -> None:
    """The question says what follows, that it is the last phone above all; looking removes none."""
    account, phone = await owner(desk)
    page = f"/settings/phones/remove?id={phone.id}"
    assert t("devices.removal.last") in (await desk.http.get(page)).text
    assert len(await service.list_phones(desk.scene.ctx, account.id)) == 1
    answer = await desk.send(page, "/settings/phones/remove", id=phone.id)
    assert answer.headers["location"] == "/settings/phones?done=removed_last"
    shown = (await desk.http.get(answer.headers["location"])).text
    assert t("devices.phones.none") in shown
    assert await service.list_phones(desk.scene.ctx, account.id) == []


async def test_seamless_authentication_is_saved(desk: Desk) -> None:
    """Off is off, and the page says that it was saved."""
    account, _ = await owner(desk)
    answer = await desk.send("/settings/sign-in", "/settings/sign-in", seamless="off")
    shown = (await desk.http.get(answer.headers["location"])).text
    assert t("devices.secure.saved") in shown
    assert not (await accounts.get_account(desk.scene.ctx, account.id)).seamless


async def test_password_session_is_led_to_a_proof(desk: Desk) -> None:
    """A phone that was there before it cannot be touched without one; the page leads there."""
    account, phone = await owner(desk)
    desk.scene.clock.step(1)
    await desk.sign_in(account, proof=Proof.PASSWORD)
    shown = (await desk.http.get("/settings/phones")).text
    assert "Old Pixel" in shown
    refused = await desk.http.get(f"/settings/phones/remove?id={phone.id}")
    assert refused.status_code == 403
    there = f"/login/step-up?then=%2Fsettings%2Fphones%2Fremove%3Fid%3D{phone.id}&level=3"
    assert there in unescape(refused.text)


@pytest.mark.parametrize(
    "change, code",
    [
        ({"form": ""}, "form_expired"),
        ({"form": "é"}, "form_expired"),
        ({"other": "1"}, "bad_field"),
    ],
)
async def test_foreign_form_changes_nothing(desk: Desk, change: dict[str, str], code: str) -> None:
    """Without the page's own token, or with a field that it does not have, nothing happens."""
    _, phone = await owner(desk)
    before = await desk.scene.rows(enrollment)
    page = f"/settings/phones/remove?id={phone.id}"
    answer = await desk.send(page, "/settings/phones/remove", id=phone.id, **change)
    assert answer.status_code in (400, 403)
    assert t(f"error.{code}.title") in answer.text
    assert await desk.scene.rows(enrollment) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_form_from_another_site_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    """Also with a right token, and also from a sister host."""
    _, phone = await owner(desk)
    desk.http.headers.update(headers)
    page = f"/settings/phones/remove?id={phone.id}"
    answer = await desk.send(page, "/settings/phones/remove", id=phone.id)
    assert answer.status_code == 403
    assert t("error.cross_site.title") in answer.text


async def test_every_settings_page_needs_a_session(desk: Desk) -> None:
    """No page shows anything to a stranger, and none changes anything."""
    paths = (
        "sign-in",
        "phones",
        "phones/name",
        "phones/remove",
        "sessions",
        "activity",
        "password",
    )
    for path in paths:
        answer = await desk.http.get(f"/settings/{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
    for path in ("sign-in", "phones/name", "phones/remove", "sessions/end", "password"):
        answer = await desk.http.post(f"/settings/{path}", data={"id": "x"})
        assert answer.status_code == 401, path
