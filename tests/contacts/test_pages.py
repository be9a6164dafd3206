"""Settings: addresses and numbers are added, verified, preferred and removed."""

import re

import pytest

from tests.desk import Desk
from vestibule.accounts.rules import Account
from vestibule.base.clock import HOUR, MINUTE
from vestibule.base.context import MessageOutcome
from vestibule.base.i18n import t
from vestibule.contacts import service
from vestibule.contacts.rules import Contact, Kind
from vestibule.sessions.rules import Proof

LIST = "/settings/contacts"
NUMBER = {"kind": "number", "address": "347 123 4589", "country": "IT"}


async def owner(desk: Desk) -> Account:
    """Somebody signed in by their phone."""
    account = await desk.scene.account()
    await desk.sign_in(account, proof=Proof.NUMBER)
    return account


async def contacts(desk: Desk, account: Account) -> list[Contact]:
    """What is on the list."""
    return await service.list_contacts(desk.scene.ctx, account.id)


def code_in(text: str) -> str:
    """The six digits of a message."""
    found = re.search(r"\b\d{6}\b", text)
    assert found is not None
    return found[0]


async def test_number_is_added_and_verified(desk: Desk) -> None:
    """The form leads to the code, the code back to the list, which says so."""
    account = await owner(desk)
    assert t("contacts.no_number") in (await desk.http.get(LIST)).text
    answer = await desk.send(f"{LIST}/add?kind=number", f"{LIST}/add", **NUMBER)
    page = answer.headers["location"]
    assert page.startswith(f"{LIST}/verify?id=")
    shown = (await desk.http.get(page)).text
    assert "+39 347 123 4589" in shown
    assert 'data-shows="again"' in shown
    (contact,) = await contacts(desk, account)
    code = code_in(desk.scene.text.sent[-1][1])
    done = await desk.send(page, f"{LIST}/verify", id=contact.id, code=f"{code[:3]} {code[3:]}")
    listed = (await desk.http.get(done.headers["location"])).text
    assert t("contacts.done_verified") in listed
    assert t("contacts.trusted_from") in listed
    assert (await desk.http.get(page)).headers["location"] == LIST


async def test_wrong_code_is_said_in_the_form(desk: Desk) -> None:
    """With the tries that are left; the form stays."""
    account = await owner(desk)
    mail = {"kind": "mail", "address": "Maria@Example.org"}
    answer = await desk.send(f"{LIST}/add?kind=mail", f"{LIST}/add", **mail)
    page = answer.headers["location"]
    code = code_in(desk.scene.mail.sent[-1].text)
    assert desk.scene.mail.sent[-1].to == "Maria@example.org"
    (contact,) = await contacts(desk, account)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    refused = await desk.send(page, f"{LIST}/verify", id=contact.id, code=wrong)
    assert refused.status_code == 403
    assert t("error.sms_code_wrong.title") in refused.text
    assert 'name="code"' in refused.text


async def test_asking_again_waits_and_a_call_is_offered(desk: Desk) -> None:
    """The wait is counted down, and refused when it is not kept; then a voice calls."""
    account = await owner(desk)
    answer = await desk.send(f"{LIST}/add?kind=number", f"{LIST}/add", **NUMBER)
    page = answer.headers["location"]
    (contact,) = await contacts(desk, account)
    shown = (await desk.http.get(page)).text
    assert t("contacts.call_me") in shown
    assert '<meta http-equiv="refresh" content="46">' in shown
    soon = await desk.send(page, f"{LIST}/send", id=contact.id, by="voice")
    assert soon.status_code == 429
    assert soon.headers.get("location") is None
    assert "45 seconds" in soon.text
    desk.scene.clock.step(MINUTE)
    assert "hidden" not in re.findall(
        r'<div class="row" data-part="again"[^>]*>', (await desk.http.get(page)).text
    )
    called = await desk.send(page, f"{LIST}/send", id=contact.id, by="voice")
    assert called.headers["location"] == page
    assert desk.scene.text.sent[-1][2] == "voice"


@pytest.mark.parametrize(
    "fields, code",
    [
        ({"kind": "number", "address": "12", "country": "IT"}, "contact_invalid"),
        ({"kind": "mail", "address": "maria"}, "contact_invalid"),
        (NUMBER, "contact_exists"),
    ],
)
async def test_slip_is_said_in_the_form(desk: Desk, fields: dict[str, str], code: str) -> None:
    """What was typed stands there again."""
    account = await owner(desk)
    await service.add_by_operator(
        desk.scene.ctx,
        account_id=account.id,
        kind=Kind.NUMBER,
        typed=NUMBER["address"],
        country="IT",
        verified=True,
    )
    page = f"{LIST}/add?kind={fields['kind']}"
    answer = await desk.send(page, f"{LIST}/add", **fields)
    assert answer.status_code in (400, 409)
    part = "cause" if code == "contact_invalid" else "title"
    assert t(f"error.{code}.{part}") in answer.text
    assert f'value="{fields["address"]}"' in answer.text
    assert desk.scene.text.sent == []


async def test_landline_is_called_at_once(desk: Desk) -> None:
    """It would never get the text."""
    await owner(desk)
    fields = {"kind": "number", "address": "030 901820", "country": "DE"}
    await desk.send(f"{LIST}/add?kind=number", f"{LIST}/add", **fields)
    assert desk.scene.text.sent[-1][2] == "voice"


async def test_message_that_cannot_be_sent_is_said(desk: Desk) -> None:
    """Why, and what else there is; the number stays on the list."""
    account = await owner(desk)
    desk.scene.text.outcome = MessageOutcome.REFUSED
    answer = await desk.send(f"{LIST}/add?kind=number", f"{LIST}/add", **NUMBER)
    assert answer.status_code == 409
    assert t("error.contact_refused.title") in answer.text
    assert len(await contacts(desk, account)) == 1


async def test_removal_is_asked_about_and_done(desk: Desk) -> None:
    """The question says that it is told for some days more, and that it is the last one."""
    account = await owner(desk)
    contact = await service.add_by_operator(
        desk.scene.ctx,
        account_id=account.id,
        kind=Kind.MAIL,
        typed="maria@example.org",
        country="",
        verified=True,
    )
    page = f"{LIST}/remove?id={contact.id}"
    shown = (await desk.http.get(page)).text
    assert t("contacts.removal_told", days=30) in shown
    assert t("contacts.removal_last_mail") in shown
    answer = await desk.send(page, f"{LIST}/remove", id=contact.id)
    listed = (await desk.http.get(answer.headers["location"])).text
    assert t("contacts.done_removed", days=30) in listed
    assert await contacts(desk, account) == []


async def test_another_number_is_used_first(desk: Desk) -> None:
    """Offered where there are several."""
    account = await owner(desk)
    for typed in ("+39 347 123 4589", "+44 7400 123456"):
        await service.add_by_operator(
            desk.scene.ctx,
            account_id=account.id,
            kind=Kind.NUMBER,
            typed=typed,
            country="",
            verified=True,
        )
    second = (await contacts(desk, account))[1]
    answer = await desk.send(LIST, f"{LIST}/prefer", id=second.id)
    assert answer.headers["location"] == f"{LIST}?done=preferred"
    assert (await contacts(desk, account))[0].id == second.id


async def test_old_proof_leads_to_step_up_before_anything_is_typed(desk: Desk) -> None:
    """An hour later the form itself asks for the phone, and leads back."""
    await owner(desk)
    desk.scene.clock.step(HOUR - 1)
    answer = await desk.http.get(f"{LIST}/add?kind=mail")
    assert answer.status_code == 403
    assert "/login/step-up?then=%2Fsettings%2Fcontacts%2Fadd" in answer.text


async def test_every_page_needs_a_session(desk: Desk) -> None:
    """Strangers see nothing and change nothing."""
    for path in ("", "/add", "/verify", "/remove"):
        answer = await desk.http.get(LIST + path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
    for path in ("/add", "/verify", "/send", "/prefer", "/remove"):
        answer = await desk.http.post(LIST + path, data={"id": "x"})
        assert answer.status_code == 401, path
