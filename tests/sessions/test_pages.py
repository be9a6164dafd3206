"""Sessions, known browsers, the password, and the journal in words; and signing out."""

import re
from pathlib import Path

import pytest

from tests.desk import Desk, open_session
from tests.login.scene import PASSWORD
from vestibule.accounts.rules import Account
from vestibule.base import audit
from vestibule.base.database import Tx
from vestibule.base.i18n import t
from vestibule.base.ids import new_secret
from vestibule.sessions import service
from vestibule.sessions.pages import why, words
from vestibule.sessions.rules import EndReason, Happening
from vestibule.web import cookies

PACKAGE = Path(service.__file__).parents[1]
# Told to operators, not to the account's owner: nothing that they could act upon.
OPERATORS_ONLY = {
    "enrollment.push_gone",
    "login.collected",
    "login.number_forced",
    "login.phone_chosen",
    "login.replaced",
    "login.sent_again",
    "ticket.opened",
}


async def owner(desk: Desk) -> Account:
    """Somebody signed in with a phone."""
    account = await desk.scene.account("maria", display_name="Maria Rossi")
    phone = await desk.scene.phone(account)
    await desk.sign_in(account, phone=phone)
    return account


async def test_sessions_are_listed_and_ended(desk: Desk) -> None:
    """The other browser's session can be ended here, this one's by signing out."""
    account = await owner(desk)
    other, cookie = await open_session(desk.scene, account)
    page = (await desk.http.get("/settings/sessions")).text
    assert page.count(f'value="{other.id}"') == 1
    assert t("sessions.this") in page
    answer = await desk.send("/settings/sessions", "/settings/sessions/end", id=other.id)
    assert t("sessions.done_ended") in (await desk.http.get(answer.headers["location"])).text
    assert await service.session_of(desk.scene.ctx, cookie) is None


async def test_all_other_sessions_are_ended_at_once(desk: Desk) -> None:
    """Only this browser stays signed in."""
    account = await owner(desk)
    for _ in range(3):
        await open_session(desk.scene, account)
    await desk.send("/settings/sessions", "/settings/sessions/end-others")
    assert len(await service.list_sessions(desk.scene.ctx, account.id)) == 1


async def test_known_browser_is_forgotten(desk: Desk) -> None:
    """It disappears from the list, and the page says what follows."""
    account = await owner(desk)
    secret = new_secret()
    await open_session(desk.scene, account, browser=secret)
    known = service.browser_id(desk.scene.ctx, secret)
    assert known in (await desk.http.get("/settings/sessions")).text
    answer = await desk.send("/settings/sessions", "/settings/browsers/forget", id=known)
    page = (await desk.http.get(answer.headers["location"])).text
    assert known not in page
    assert t("sessions.browsers.none") in page


async def test_signing_out_ends_the_session_everywhere(desk: Desk) -> None:
    """The cookie is dropped, and what was copied of it opens nothing."""
    await owner(desk)
    cookie = desk.http.cookies[cookies.SESSION]
    answer = await desk.send("/", "/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert f"{cookies.SESSION}=; Max-Age=0" in answer.headers["set-cookie"]
    assert await service.session_of(desk.scene.ctx, cookie) is None
    again = await desk.http.post("/logout", data={})
    assert again.status_code == 303


async def test_browser_whose_session_was_ended_is_told_once(desk: Desk) -> None:
    """It reads that it is no longer signed in, and after that sees the form."""
    account = await owner(desk)
    session = await service.get_session(desk.scene.ctx, desk.http.cookies[cookies.SESSION])
    await service.end_session(
        desk.scene.ctx,
        id=session.id,
        account_id=account.id,
        reason=EndReason.ENDED,
        source="192.0.2.1",
    )
    answer = await desk.http.get("/settings/phones")
    assert answer.status_code == 401
    assert t("error.not_signed_in.title") in answer.text
    assert 'href="/login"' in answer.text
    assert cookies.SESSION not in desk.http.cookies
    assert (await desk.http.get("/settings/phones")).status_code == 303


async def test_signing_out_needs_the_pages_own_form(desk: Desk) -> None:
    """Another site cannot sign anybody out."""
    await owner(desk)
    cookie = desk.http.cookies[cookies.SESSION]
    answer = await desk.http.post("/logout", data={"form": "x"})
    assert answer.status_code == 403
    assert await service.session_of(desk.scene.ctx, cookie)


async def test_password_is_changed_and_other_sessions_end(desk: Desk) -> None:
    """With the current password; this browser stays signed in."""
    account = await owner(desk)
    await open_session(desk.scene, account)
    answer = await desk.send(
        "/settings/password",
        "/settings/password",
        username="maria",
        current=PASSWORD,
        new="five words that nobody guesses",
    )
    page = (await desk.http.get(answer.headers["location"])).text
    assert t("sessions.password.done") in page
    assert len(await service.list_sessions(desk.scene.ctx, account.id)) == 1


@pytest.mark.parametrize(
    "current, new, status",
    [("wrong one", "five words are good", 401), (PASSWORD, "short", 400)],
)
async def test_password_form_says_what_is_wrong(
    desk: Desk, current: str, new: str, status: int
) -> None:
    """Neither password stands in the answer, and the field says what to do."""
    await owner(desk)
    answer = await desk.send(
        "/settings/password", "/settings/password", username="maria", current=current, new=new
    )
    assert answer.status_code == status
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{current}"' not in answer.text
    assert f'value="{new}"' not in answer.text


async def test_activity_tells_what_happened(desk: Desk) -> None:
    """Linked phones and sign-ins stand there in words, the latest first."""
    await owner(desk)
    page = (await desk.http.get("/settings/activity")).text
    told = re.findall(r'<div class="what"><strong>(.*?)</strong>', page)
    assert told[0].startswith("Signed in from")
    assert told[-1] == t("sessions.event.account.created")
    assert "Pixel 9 was linked" in told


async def test_activity_has_pages(desk: Desk) -> None:
    """Older events are one link away; a nonsense address shows the latest."""
    account = await owner(desk)
    for _ in range(45):
        await open_session(desk.scene, account)
    page = (await desk.http.get("/settings/activity")).text
    older = re.search(r"/settings/activity\?before=(\d+)", page)
    assert older is not None
    assert "Pixel 9 was linked" in (await desk.http.get(older[0])).text
    for nonsense in ("x", "-1", "9" * 19, "9" * 40, "%00"):
        answer = await desk.http.get(f"/settings/activity?before={nonsense}")
        assert answer.status_code == 200


async def test_activity_is_not_crowded_out_by_what_has_no_words(desk: Desk) -> None:
    """A hundred published statements are no news of the account: the sign-in stands on top."""
    account = await owner(desk)
    now = desk.scene.clock.now()

    async def publish(tx: Tx) -> None:
        for _ in range(100):
            await audit.record(
                tx, event="statement.published", account_id=account.id, actor="system", at=now
            )

    await desk.scene.ctx.db.write(publish)
    page = (await desk.http.get("/settings/activity")).text
    assert "Signed in from" in page
    assert "Pixel 9 was linked" in page


def test_every_event_has_words_or_is_for_operators() -> None:
    """No event of an account is passed over in silence by accident."""
    literal = re.compile(r'"((?:account|session|enrollment|ticket|login)\.[a-z_]+)"')
    sources = list(PACKAGE.glob("*/service/*.py"))
    sources += list(PACKAGE.glob("*/service.py"))
    named = {name for path in sources for name in literal.findall(path.read_text())}
    silent = {
        name
        for name in named
        if not words(Happening(id=1, at=1, event=name, source="", result="ok", detail={}), "en")
    }
    assert silent == OPERATORS_ONLY & named


def test_refused_event_says_what_for() -> None:
    """The reason is the refusal's own title."""
    wrong = Happening(
        id=1, at=1, event="login.number_refused", source="", result="number_wrong", detail={}
    )
    assert why(wrong, "en") == t("error.number_wrong.title")
