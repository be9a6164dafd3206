"""Staff's page of passes: clients find no such page, two members find all they need."""

import html
import re

from tests.desk import Desk
from tests.factors.test_passes import REASON, clerk
from vestibule.accounts import service as accounts
from vestibule.base.i18n import t
from vestibule.staff.rules import Role

PAGE = "/staff/passes"


async def sit_down(desk: Desk, name: str, role: Role) -> None:
    """A member of staff signs in in this browser."""
    member = (await clerk(desk.scene, name, role)).member
    account = await accounts.get_account(desk.scene.ctx, member.account_id)
    await desk.sign_in(account)


async def back(desk: Desk, name: str) -> None:
    """Somebody who was here before signs in again."""
    account = await accounts.find_account(desk.scene.ctx, username=name)
    assert account is not None
    await desk.sign_in(account)


async def test_clients_find_no_such_page(desk: Desk) -> None:
    """Not even that it exists; a form sent blindly changes nothing."""
    await desk.sign_in(await desk.scene.account())
    nowhere = await desk.http.get("/staff/nothing")
    answer = await desk.http.get(PAGE)
    assert answer.status_code == nowhere.status_code == 404
    assert t("error.not_found.title") in answer.text
    for path in (PAGE, f"{PAGE}/confirm", f"{PAGE}/refuse"):
        assert (await desk.http.post(path, data={"id": "x"})).status_code == 404


async def test_a_pass_is_asked_for_confirmed_and_shown_once(desk: Desk) -> None:
    """Who asked sees no button to confirm; the officer sees the pass, and never again."""
    await desk.scene.account(display_name="Morgan <b>")
    await sit_down(desk, "sam", Role.SUPPORT)
    assert t("factors.pass.none_open") in (await desk.http.get(PAGE)).text
    asked = await desk.send(PAGE, PAGE, username="morgan", reason=REASON)
    shown = (await desk.http.get(asked.headers["location"])).text
    assert t("factors.pass.done_asked") in shown
    assert f"{PAGE}/confirm" not in shown
    assert t("factors.pass.withdraw") in shown
    await sit_down(desk, "olive", Role.OFFICER)
    shown = (await desk.http.get(PAGE)).text
    assert "Morgan &lt;b&gt;" in shown
    assert REASON in shown
    match = re.search(r'name="id" value="([^"]+)"', shown)
    assert match is not None
    issued = await desk.send(PAGE, f"{PAGE}/confirm", id=match[1])
    parts = re.findall(r"<span>(\w{4})</span>", issued.text)
    assert len(parts) == 3
    assert html.escape(t("factors.pass.how_never")) in issued.text
    later = (await desk.http.get(PAGE)).text
    assert "-".join(parts) not in later
    assert t("factors.pass.state.confirmed") in later
    again = await desk.send(PAGE, f"{PAGE}/confirm", id=match[1])
    assert again.status_code == 409


async def test_what_is_wrong_with_a_request_is_said_above_it(desk: Desk) -> None:
    """What was typed stands there again."""
    await sit_down(desk, "sam", Role.SUPPORT)
    answer = await desk.send(PAGE, PAGE, username="nobody", reason=REASON)
    assert answer.status_code == 404
    assert t("error.client_unknown.title") in answer.text
    assert REASON in answer.text
    answer = await desk.send(PAGE, PAGE, username="nobody", reason="short")
    assert answer.status_code == 400


async def test_who_asked_may_withdraw_and_an_officer_refuse(desk: Desk) -> None:
    """The page says which of the two it was."""
    await desk.scene.account()
    await sit_down(desk, "sam", Role.SUPPORT)
    for who, done in (("sam", "withdrawn"), ("olive", "refused")):
        await back(desk, "sam")
        await desk.send(PAGE, PAGE, username="morgan", reason=REASON)
        if who == "olive":
            await sit_down(desk, "olive", Role.OFFICER)
        shown = (await desk.http.get(PAGE)).text
        match = re.search(r'name="id" value="([^"]+)"', shown)
        assert match is not None
        answer = await desk.send(PAGE, f"{PAGE}/refuse", id=match[1])
        assert answer.headers["location"] == f"{PAGE}?done={done}"
        assert t(f"factors.pass.done_{done}") in (await desk.http.get(f"{PAGE}?done={done}")).text
