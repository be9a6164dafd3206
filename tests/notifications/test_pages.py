"""The list of notifications in the portal, and the mark in the header of every page."""

import pytest

from tests.desk import Desk
from vestibule.accounts.rules import Account
from vestibule.notifications import service

UNREAD = 'class="unread"'


@pytest.fixture
async def owner(desk: Desk) -> Account:
    """Somebody with a phone, signed in; the sign-in itself is a notice."""
    account = await desk.scene.account()
    await desk.sign_in(account, phone=await desk.scene.phone(account))
    return account


async def test_list_shows_what_happened(desk: Desk, owner: Account) -> None:
    """Both notices with their words, the alarm marked, and a way to say that it was not you."""
    page = (await desk.http.get("/notifications")).text
    assert "A phone was linked to your account" in page
    assert "A sign-in from a new browser or device" in page
    assert "Firefox on Windows, which was not used for it before" in page
    assert page.count("https://portal.example/not-me/") == 2
    assert page.count(">Important<") == 1
    assert "192.0.2.7" in page


async def test_every_page_bears_the_mark_until_all_is_read(desk: Desk, owner: Account) -> None:
    """One button takes it back, and says so."""
    for path in ("/", "/settings/phones", "/notifications"):
        assert UNREAD in (await desk.http.get(path)).text
    (first, *_) = (
        await service.list_notices(desk.scene.ctx, owner.id, language="en", most=9)
    ).notices
    sent = await desk.send("/notifications", "/notifications/read", upto=str(first.notice.id))
    assert sent.headers["location"] == "/notifications?done=read"
    page = (await desk.http.get("/notifications?done=read")).text
    assert "All notifications are marked as read." in page
    assert UNREAD not in page
    assert ">New<" not in page
    assert "Mark all as read" not in page


async def test_mark_costs_no_statement(desk: Desk, owner: Account) -> None:
    """It comes with the session, which every page reads anyway."""
    seen: list[str] = []
    desk.scene.ctx.db.observe(lambda kind, sql: seen.append(sql) if kind == "statement" else None)
    page = (await desk.http.get("/settings/password")).text
    desk.scene.ctx.db.observe(None)
    assert UNREAD in page
    assert len(seen) == 1, seen


async def test_empty_list_says_what_will_come(desk: Desk) -> None:
    """And where to say how to be reached."""
    account = await desk.scene.account()
    await desk.sign_in(account)
    await service.sweep_notices(desk.scene.ctx)
    desk.scene.clock.step(366 * 86_400_000)
    await service.sweep_notices(desk.scene.ctx)
    await desk.sign_in(account)
    await service.mark_read(desk.scene.ctx, account.id, upto=2**40)
    page = (await desk.http.get("/notifications?before=1")).text
    assert "There is nothing yet." in page
    assert "/settings/contacts" in page


async def test_long_lists_have_older_pages(desk: Desk, owner: Account) -> None:
    """Thirty on a page; the link leads to the rest."""
    for number in range(30):
        await service.send_notice(
            desk.scene.ctx, account_ids=[owner.id], title=f"News {number}", text="Read this."
        )
    page = (await desk.http.get("/notifications")).text
    assert "News 29" in page
    assert "A phone was linked" not in page
    older = page.split('href="/notifications?before=')[1].split('"')[0]
    assert "A phone was linked" in (await desk.http.get(f"/notifications?before={older}")).text


@pytest.mark.parametrize("upto", ["", "x", "-3", "9" * 40])
async def test_nonsense_marks_nothing(desk: Desk, owner: Account, upto: str) -> None:
    """A field that is no number is refused."""
    sent = await desk.send("/notifications", "/notifications/read", upto=upto)
    assert sent.status_code == 400
    assert UNREAD in (await desk.http.get("/notifications")).text


async def test_signed_out_sees_nothing(desk: Desk) -> None:
    """The way leads to the sign-in."""
    answer = await desk.http.get("/notifications")
    assert answer.headers["location"] == "/login"
    assert (await desk.http.post("/notifications/read", data={"upto": "1"})).status_code == 401


async def test_markup_in_an_operators_words_is_text(desk: Desk, owner: Account) -> None:
    """What somebody wrote is never part of the page."""
    await service.send_notice(
        desk.scene.ctx, account_ids=[owner.id], title="<b>x</b>", text="{0.__class__} <i>"
    )
    page = (await desk.http.get("/notifications")).text
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "{0.__class__} &lt;i&gt;" in page
