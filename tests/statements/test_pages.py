"""The portal's pages of statements: the list, downloads, and the choice of notices."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pysequoia import decrypt

from tests.desk import Desk, open_desk
from tests.statements.press import CSV, OWNER, certified, publish
from vestibule.accounts.rules import Account
from vestibule.base.audit import audit_event
from vestibule.base.clock import DAY, MINUTE, SteppedClock
from vestibule.base.database import Database
from vestibule.delivery import service as delivery
from vestibule.delivery.rules import Choice, Mailed, Notices
from vestibule.sessions.rules import Proof
from vestibule.statements import service
from vestibule.statements.rules import Statement

NEW = ">New</span>"
CHOICES = "/settings/delivery/notices"
BIG = bytes(range(256)) * 4096


@pytest.fixture
async def desk(database: Database, clock: SteppedClock, tmp_path: Path) -> AsyncIterator[Desk]:
    """A browser at the portal, on a database of this test's own."""
    async with open_desk(database, clock, tmp_path / "house") as opened:
        yield opened


@pytest.fixture
async def owner(desk: Desk) -> Account:
    """Somebody who is signed in and proved it just now."""
    account = await desk.scene.account()
    await desk.sign_in(account, proof=Proof.NUMBER)
    return account


async def fetch(desk: Desk, statement: Statement, **headers: str) -> httpx.Response:
    """GET a statement; underscores in names of headers stand for dashes."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.http.get(f"/statements/{statement.id}", headers=sent)


async def events(desk: Desk, name: str) -> list[dict[str, Any]]:
    """The audit events of that name."""
    rows = await desk.scene.rows(audit_event)
    return [dict(row) for row in rows if row["event"] == name]


# --- the list ----------------------------------------------------------------------------------


async def test_empty_list_says_what_will_come_and_how(desk: Desk, owner: Account) -> None:
    """And leads to SFTP and to the notices."""
    page = (await desk.http.get("/statements")).text
    assert "There is nothing yet." in page
    assert 'href="/settings/delivery"' in page
    assert f'href="{CHOICES}"' in page


async def test_list_shows_months_names_sizes_and_when(desk: Desk, owner: Account) -> None:
    """The latest month first, the month's own report on top; each with its download."""
    daily = await publish(desk.scene, owner)
    await publish(desk.scene, owner, "statement-2026-10.pdf", kind="monthly", data=BIG)
    monthly = await publish(desk.scene, owner, "statement-2026-11.pdf", kind="monthly")
    page = (await desk.http.get("/statements")).text
    order = ["November 2026", "statement-2026-11.pdf", daily.name, "October 2026"]
    assert sorted(order, key=page.rindex) == order
    assert "1 MB" in page
    assert f"{len(CSV)} bytes" in page
    assert "Daily report for 22 Nov 2026" in page
    assert "Kept until" in page
    assert f'href="/statements/{monthly.id}"' in page
    assert page.count(NEW) == 3


async def test_list_is_narrowed_by_kind_month_and_name(desk: Desk, owner: Account) -> None:
    """Alone and together, whatever the capitals; nonsense narrows nothing."""
    for name, kind in (
        ("Alpha-2026-11-20.csv", "daily"),
        ("Beta-2026-10-20.csv", "daily"),
        ("Beta-2026-11-21.csv", "trade"),
    ):
        await publish(desk.scene, owner, name, kind=kind)

    async def shown(query: str) -> list[str]:
        page = (await desk.http.get(f"/statements?{query}")).text
        names = ("Alpha-2026-11-20", "Beta-2026-10-20", "Beta-2026-11-21")
        return [name for name in names if f"{name}.csv</strong>" in page]

    assert len(await shown("")) == 3
    assert await shown("kind=trade") == ["Beta-2026-11-21"]
    assert await shown("month=2026-10") == ["Beta-2026-10-20"]
    assert await shown("find=beTA&month=2026-11") == ["Beta-2026-11-21"]
    assert len(await shown("kind=weekly&month=x&page=-1&find=")) == 3
    nothing = (await desk.http.get("/statements?find=zz&month=2020-01")).text
    assert "Nothing fits" in nothing
    assert "January 2020" in nothing


async def test_long_list_has_pages_that_keep_what_was_asked(desk: Desk, owner: Account) -> None:
    """A hundred on each."""
    listing = [f"n{number:03}-2026-11-20.csv" for number in range(103)]
    for name in listing:
        await publish(desk.scene, owner, name)
    first = (await desk.http.get("/statements?find=n")).text
    assert first.count("/statements/") - first.count("/statements/seen") == 100
    assert 'href="/statements?find=n&amp;page=2"' in first
    second = (await desk.http.get("/statements?find=n&page=2")).text
    assert second.count("</strong>") - second.count("<strong>mor") >= 3
    assert 'href="/statements?find=n"' in second
    assert (await desk.http.get("/statements?page=999999999")).status_code == 200


async def test_markup_in_a_name_or_a_search_is_text(desk: Desk, owner: Account) -> None:
    """What somebody wrote is never part of the page."""
    await publish(desk.scene, owner, "a&b';2026-11-20.csv")
    page = (await desk.http.get('/statements?find="><script>')).text
    assert "<script>" not in page.replace('<script type="module"', "")
    assert "a&amp;b&#39;;2026-11-20.csv" in (await desk.http.get("/statements")).text


async def test_new_ends_with_the_download_or_with_the_button(desk: Desk, owner: Account) -> None:
    """One by one, or all that the page showed; what came meanwhile stays new."""
    first = await publish(desk.scene, owner)
    await publish(desk.scene, owner, "activity-2026-11-21.csv")
    await fetch(desk, first)
    page = (await desk.http.get("/statements")).text
    assert page.count(NEW) == 1
    upto = page.split('name="upto" value="')[1].split('"')[0]
    desk.scene.clock.step(1000)
    await publish(desk.scene, owner, "activity-2026-11-20.csv")
    sent = await desk.send("/statements", "/statements/seen", upto=upto)
    assert sent.headers["location"] == "/statements?done=seen"
    page = (await desk.http.get("/statements?done=seen")).text
    assert "All statements are marked as seen." in page
    assert page.count(NEW) == 1


@pytest.mark.parametrize("upto", ["", "x", "-1", "9" * 30])
async def test_nonsense_marks_nothing_as_seen(desk: Desk, owner: Account, upto: str) -> None:
    """A field that is no number is refused."""
    await publish(desk.scene, owner)
    assert (await desk.send("/statements", "/statements/seen", upto=upto)).status_code == 400
    assert NEW in (await desk.http.get("/statements")).text


async def test_first_page_shows_the_newest(desk: Desk, owner: Account) -> None:
    """Three of them; nothing where there is none."""
    assert "All statements" not in (await desk.http.get("/")).text
    for number in range(1, 6):
        desk.scene.clock.step(1000)
        await publish(desk.scene, owner, f"activity-2026-11-0{number}.csv")
    page = (await desk.http.get("/")).text
    assert "All statements" in page
    assert [f"activity-2026-11-0{number}.csv</strong>" in page for number in range(1, 6)] == [
        *(False, False, True, True, True)
    ]


async def test_signed_out_sees_nothing(desk: Desk) -> None:
    """The way leads to the sign-in; a form is refused."""
    for path in ("/statements", "/statements/x", "/statements.zip", CHOICES):
        assert (await desk.http.get(path)).headers["location"] == "/login"
    assert (await desk.http.post("/statements/seen", data={"upto": "1"})).status_code == 401
    assert (await desk.http.post(CHOICES, data={"daily": "off"})).status_code == 401


# --- downloads ---------------------------------------------------------------------------------


async def test_download_is_the_file_under_its_name(desk: Desk, owner: Account) -> None:
    """Saved and not shown, kept by nobody on the way; it stands in the activity."""
    statement = await publish(desk.scene, owner, "Übersicht 2026-11-20.csv")
    answer = await fetch(desk, statement)
    assert answer.content == CSV
    headers = answer.headers
    assert headers["content-length"] == str(len(CSV))
    assert headers["content-type"] == "text/csv"
    assert headers["content-disposition"] == (
        'attachment; filename="_bersicht 2026-11-20.csv"; '
        "filename*=UTF-8''%C3%9Cbersicht%202026-11-20.csv"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert "no-store" in headers["cache-control"]
    assert headers["content-security-policy"].startswith("sandbox")
    (event,) = await events(desk, "statement.fetched")
    assert (event["account_id"], event["subject"]) == (owner.id, statement.id)
    page = (await desk.http.get("/settings/activity")).text
    assert "Übersicht 2026-11-20.csv was downloaded in the portal" in page


async def test_head_says_what_get_would(desk: Desk, owner: Account) -> None:
    """Without the body, and without an entry in the activity."""
    statement = await publish(desk.scene, owner, data=BIG)
    answer = await desk.http.head(f"/statements/{statement.id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(BIG))
    assert answer.headers["accept-ranges"] == "bytes"
    assert await events(desk, "statement.fetched") == []


@pytest.mark.parametrize(
    "asked, start, end",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-", 1000, len(BIG)),
        ("bytes=-500", len(BIG) - 500, len(BIG)),
        ("bytes=300000-999999999999", 300_000, len(BIG)),
        (f"bytes=-{len(BIG) * 2}", 0, len(BIG)),
    ],
)
async def test_part_of_a_file(desk: Desk, owner: Account, asked: str, start: int, end: int) -> None:
    """What broke off goes on."""
    answer = await fetch(desk, await publish(desk.scene, owner, data=BIG), range=asked)
    assert answer.status_code == 206
    assert answer.content == BIG[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(BIG)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "items=0-1", "bytes=x-", "bytes=٣-"]
)
async def test_what_cannot_be_read_as_one_part_is_all(
    desk: Desk, owner: Account, asked: str
) -> None:
    """As the standard allows."""
    statement = await publish(desk.scene, owner, data=BIG)
    answer = await desk.http.get(f"/statements/{statement.id}", headers={b"range": asked.encode()})
    assert (answer.status_code, answer.content) == (200, BIG)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
async def test_part_beyond_the_end_is_refused(desk: Desk, owner: Account, asked: str) -> None:
    """With the length, so that a program may ask again; it is no download."""
    answer = await fetch(desk, await publish(desk.scene, owner, data=BIG), range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(BIG)}"
    assert await events(desk, "statement.fetched") == []


async def test_part_of_a_replaced_file_is_all_of_the_new_one(desk: Desk, owner: Account) -> None:
    """No file is ever put together of two; going on is no second download."""
    statement = await publish(desk.scene, owner, data=BIG)
    tag = (await fetch(desk, statement)).headers["etag"]
    going_on = await fetch(desk, statement, range="bytes=10-", if_range=tag)
    assert going_on.status_code == 206
    assert len(await events(desk, "statement.fetched")) == 1
    replaced = await publish(desk.scene, owner, data=BIG[::-1], replace=True)
    other = await fetch(desk, replaced, range="bytes=10-", if_range=tag)
    assert (other.status_code, other.content) == (200, BIG[::-1])


async def test_somebody_elses_statement_is_not_there(desk: Desk, owner: Account) -> None:
    """Word for word as one that never was, and one whose time is over."""
    other = await desk.scene.account("other")
    foreign = await publish(desk.scene, other)
    own = await publish(desk.scene, owner)
    desk.scene.clock.step(1)
    answers = [await fetch(desk, foreign), await desk.http.get("/statements/no-such-thing")]
    desk.scene.clock.step(101 * DAY)
    await desk.sign_in(owner, proof=Proof.NUMBER)
    answers.append(await fetch(desk, own))
    assert {answer.status_code for answer in answers} == {404}
    said = {answer.text.split("<main")[1].split('class="reference"')[0] for answer in answers}
    assert len(said) == 1
    assert "This statement is not here" in said.pop()
    assert await events(desk, "statement.fetched") == []


async def test_several_are_one_archive(desk: Desk, owner: Account) -> None:
    """What was found, each in the folder of its kind; one entry in the activity, nothing new."""
    for name in ("a-2026-11-20.csv", "b-2026-11-21.csv"):
        await publish(desk.scene, owner, name, data=BIG)
    await publish(desk.scene, owner, "ä-2026-10-21.csv", kind="trade")
    page = (await desk.http.get("/statements?month=2026-11")).text
    assert "Download these 2 as one ZIP" in page
    answer = await desk.http.get("/statements.zip?month=2026-11")
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="statements-2026-11.zip"'
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["daily/b-2026-11-21.csv", "daily/a-2026-11-20.csv"]
        assert archive.read("daily/a-2026-11-20.csv") == BIG
    assert len(await events(desk, "statement.archive_fetched")) == 1
    assert (await desk.http.get("/statements")).text.count(NEW) == 1
    assert (await desk.http.head("/statements.zip")).content == b""


async def test_archive_of_nothing_is_not_there(desk: Desk, owner: Account) -> None:
    """Nor one of a single file, for which there is its own address."""
    await publish(desk.scene, owner)
    assert (await desk.http.get("/statements.zip")).status_code == 404
    assert (await desk.http.get("/statements.zip?kind=trade")).status_code == 404


# --- encrypted ---------------------------------------------------------------------------------


async def test_encrypted_file_keeps_its_ending_and_its_page_explains(
    desk: Desk, owner: Account
) -> None:
    """Only the private key opens what is downloaded."""
    await certified(desk.scene, owner)
    statement = await publish(desk.scene, owner)
    page = (await desk.http.get("/statements")).text
    assert f"{statement.name}.pgp</strong>" in page
    assert "only your private key opens it" in page
    answer = await fetch(desk, statement)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert f'filename="{statement.name}.pgp"' in answer.headers["content-disposition"]
    assert decrypt(decryptor=OWNER.decryptor(), bytes=answer.content).bytes == CSV


async def test_plain_file_is_hidden_until_it_is_encrypted(desk: Desk, owner: Account) -> None:
    """The page says so, and its address leads nowhere."""
    statement = await publish(desk.scene, owner)
    await certified(desk.scene, owner)
    page = (await desk.http.get("/statements")).text
    assert "are being encrypted" in page
    assert statement.name not in page
    assert (await fetch(desk, statement)).status_code == 404
    await service.encrypt_plain(desk.scene.ctx)
    assert f"{statement.name}.pgp" in (await desk.http.get("/statements")).text


# --- the choice of notices ---------------------------------------------------------------------


async def chosen(desk: Desk, owner: Account) -> Notices:
    """What is stored."""
    home = await delivery.home_of(desk.scene.ctx, owner.id)
    return home.notices if home else Notices()


async def test_choice_is_kept_for_each_kind(desk: Desk, owner: Account) -> None:
    """And shown again."""
    sent = await desk.send(
        CHOICES, CHOICES, daily="list", monthly="notice", monthly_push="on", trade="off"
    )
    assert sent.headers["location"] == f"{CHOICES}?done=saved"
    assert await chosen(desk, owner) == Notices(
        daily=Choice(mail=Mailed.OFF),
        monthly=Choice(push=True),
        trade=Choice(mail=Mailed.OFF, push=False, listed=False),
    )
    page = (await desk.http.get(f"{CHOICES}?done=saved")).text
    assert "Your choice is saved." in page
    for kind, way in (("daily", "list"), ("monthly", "notice"), ("trade", "off")):
        field = page.split(f'name="{kind}"')[1].split("</select>")[0]
        assert f'value="{way}" selected' in field
    assert 'name="monthly_push" value="on" checked' in page


async def test_files_by_mail_are_offered_with_a_certificate_only(
    desk: Desk, owner: Account
) -> None:
    """Without one the page says why; a form made by hand changes nothing."""
    page = (await desk.http.get(CHOICES)).text
    assert "add an OpenPGP certificate first" in page
    assert 'value="attachment"' not in page
    fields = dict.fromkeys(("daily", "monthly", "trade"), "attachment")
    assert (await desk.send(CHOICES, CHOICES, **fields)).status_code == 400
    assert not (await chosen(desk, owner)).attaching
    await certified(desk.scene, owner)
    page = (await desk.http.get(CHOICES)).text
    assert "add an OpenPGP certificate first" not in page
    assert "Files beyond 10.5 MB" in page
    assert (await desk.send(CHOICES, CHOICES, **fields)).status_code == 303
    assert (await chosen(desk, owner)).attaching


async def test_files_by_mail_take_a_fresh_proof(desk: Desk, owner: Account) -> None:
    """They leave the house by another door then: a forgotten session may not open it."""
    await certified(desk.scene, owner)
    desk.scene.clock.step(20 * MINUTE)
    fields = dict.fromkeys(("daily", "monthly", "trade"), "attachment")
    sent = await desk.send(CHOICES, CHOICES, **fields)
    assert (sent.status_code, 'data-code="step_up_needed"' in sent.text) == (403, True)
    assert not (await chosen(desk, owner)).attaching


@pytest.mark.parametrize("way", ["", "pigeon", "Notice"])
async def test_way_that_is_none_changes_nothing(desk: Desk, owner: Account, way: str) -> None:
    """Refused, all three as they were."""
    sent = await desk.send(CHOICES, CHOICES, daily=way, monthly="off", trade="off")
    assert sent.status_code == 400
    assert await chosen(desk, owner) == Notices()
