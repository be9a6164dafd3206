"""Settings: networks with a trial and a guard, hours, language; and the hub that lists them."""

import httpx
import pytest

from tests.desk import Desk, open_session
from tests.login.scene import HERE
from vestibule.accounts import rules, service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, HOUR
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.base.i18n import counted, t
from vestibule.sessions import service
from vestibule.sessions.rules import Proof

NETWORKS = "/settings/networks"


async def owner(desk: Desk) -> Account:
    """Somebody signed in by their phone; httpx's transport is at 127.0.0.1."""
    account = await desk.scene.account()
    await desk.sign_in(account, proof=Proof.NUMBER)
    return account


async def stored(desk: Desk, account: Account) -> Account:
    """The account as it is now."""
    return await accounts.get_account(desk.scene.ctx, account.id)


async def save(desk: Desk, networks: str, act: str = "save") -> httpx.Response:
    """Send the form of networks."""
    return await desk.send(NETWORKS, NETWORKS, networks=networks, act=act)


async def test_networks_are_saved_and_hold_at_once(desk: Desk) -> None:
    """Also for a session that is open elsewhere: its next page is refused."""
    account = await owner(desk)
    _, cookie = await open_session(desk.scene, account, proof=Proof.NUMBER)
    answer = await save(desk, "127.0.0.0/8\n203.0.113.5")
    assert answer.headers["location"] == f"{NETWORKS}?done=saved"
    assert t("sessions.networks.saved") in (await desk.http.get(answer.headers["location"])).text
    assert (await stored(desk, account)).networks == ("127.0.0.0/8", "203.0.113.5/32")
    assert await service.session_of(desk.scene.ctx, cookie, address="203.0.113.5")
    with pytest.raises(Refused, match="network_not_allowed"):
        await service.session_of(desk.scene.ctx, cookie, address="203.0.113.6")
    assert (await save(desk, "")).status_code == 303
    assert (await stored(desk, account)).networks == ()
    assert await service.session_of(desk.scene.ctx, cookie, address="203.0.113.6")


async def test_nobody_locks_themselves_out(desk: Desk) -> None:
    """A list without the address of now is refused, and what was typed stands there again."""
    account = await owner(desk)
    answer = await save(desk, "203.0.113.0/24")
    assert answer.status_code == 409
    assert t("error.networks_lock_you_out.title") in answer.text
    assert "203.0.113.0/24</textarea>" in answer.text
    assert (await stored(desk, account)).networks == ()


async def test_list_is_tried_on_the_last_sign_ins(desk: Desk) -> None:
    """What would have been refused is shown with its place; nothing is saved."""
    account = await owner(desk)
    answer = await save(desk, "127.0.0.1", act="try")
    assert answer.status_code == 200
    assert t("sessions.networks.here_allowed", address="127.0.0.1") in answer.text
    assert t("sessions.networks.some_refused", tried=1, refused=1) in answer.text
    assert HERE.address in answer.text
    answer = await save(desk, "192.0.2.0/24", act="try")
    assert t("sessions.networks.here_refused", address="127.0.0.1") in answer.text
    assert counted("sessions.networks.all_allowed", "en", 1) in answer.text
    assert (await stored(desk, account)).networks == ()


async def test_address_of_now_is_added_to_the_text(desk: Desk) -> None:
    """Once, beside what was typed already; nothing is saved."""
    account = await owner(desk)
    answer = await save(desk, "203.0.113.0/24", act="add")
    assert "203.0.113.0/24\n127.0.0.1</textarea>" in answer.text
    answer = await save(desk, "127.0.0.1", act="add")
    assert ">127.0.0.1</textarea>" in answer.text
    assert (await stored(desk, account)).networks == ()


async def test_line_that_is_no_network_is_named(desk: Desk) -> None:
    """Under the field."""
    await owner(desk)
    answer = await save(desk, "127.0.0.1\nthe office")
    assert answer.status_code == 400
    assert t("error.network_invalid.title", network="the") in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_networks_rest_after_a_recovery_and_take_a_fresh_proof(desk: Desk) -> None:
    """Else a thief would shut the owner out, or let themselves in."""
    account = await owner(desk)
    ctx = desk.scene.ctx
    desk.scene.clock.step(HOUR - 1)
    answer = await save(desk, "127.0.0.1")
    assert answer.status_code == 403
    assert t("error.step_up_needed.title") in answer.text
    until = desk.scene.clock.now() + DAY
    await ctx.db.write(lambda tx: accounts.guard(tx, account_id=account.id, until=until))
    await desk.sign_in(account, proof=Proof.NUMBER)
    answer = await save(desk, "127.0.0.1")
    assert answer.status_code == 403
    assert t("error.cooling_down.title") in answer.text
    assert (await stored(desk, account)).networks == ()
    assert t("web.hub.resting") in (await desk.http.get("/settings/sign-in")).text


async def test_hours_are_saved_and_sessions_end_by_them(desk: Desk) -> None:
    """In the account's time zone."""
    account = await owner(desk)
    await desk.send(
        "/settings/language", "/settings/language", language="de", timezone="Europe/Berlin"
    )
    fields = {"renew_at": "06:30", "quiet_from": "22:00", "quiet_until": "07:00"}
    answer = await desk.send("/settings/hours", "/settings/hours", **fields)
    assert answer.headers["location"] == "/settings/hours?done=saved"
    now = await stored(desk, account)
    assert (now.renew_at, now.quiet_from, now.quiet_until) == (390, 1320, 420)
    assert (now.language, now.timezone) == ("de", "Europe/Berlin")
    shown = (await desk.http.get("/settings/hours")).text
    assert 'value="06:30"' in shown
    assert '<html lang="de"' in shown
    answer = await desk.send("/settings/hours", "/settings/hours", quiet_from="22:00")
    assert answer.status_code == 400
    answer = await desk.send("/settings/hours", "/settings/hours", renew_at="")
    assert (await stored(desk, account)).renew_at is None


async def test_renewing_by_phone_lasts_until_the_hour_of_another_day(desk: Desk) -> None:
    """Who proves again before the hour is not asked at the hour; a weaker proof changes nothing."""
    account = await owner(desk)
    ctx = desk.scene.ctx
    await desk.send("/settings/hours", "/settings/hours", renew_at="08:30")
    session, cookie = await open_session(desk.scene, account, proof=Proof.NUMBER)

    async def proven(proof: Proof) -> int:
        before = await service.get_session(ctx, cookie)
        assert before.renew_at == 510

        async def body(tx: Tx) -> None:
            await service.prove_again(
                tx,
                ctx,
                session=before,
                proof=proof,
                enrollment_id=None,
                factor_id=None,
                visitor=HERE,
                now=desk.scene.clock.now(),
            )

        await ctx.db.write(body)
        return (await service.get_session(ctx, cookie)).expires_at

    now = desk.scene.clock.step(HOUR - 1)
    assert await proven(Proof.SMS) == session.expires_at
    ends = rules.session_ends(now + DAY, renew_at=510, timezone=None, now=now)
    assert await proven(Proof.NUMBER) == ends > session.expires_at


async def test_language_and_zone_are_those_offered(desk: Desk) -> None:
    """Others are refused; empty ones are the browser's and the house's again."""
    account = await owner(desk)
    page = "/settings/language"
    for fields in ({"language": "xx"}, {"timezone": "Mars/Olympus"}, {"timezone": "../etc/passwd"}):
        answer = await desk.send(page, page, **fields)
        assert answer.status_code == 400, fields
    await desk.send(page, page, language="ja", timezone="Asia/Tokyo")
    assert (await stored(desk, account)).language == "ja"
    await desk.send(page, page, language="", timezone="")
    now = await stored(desk, account)
    assert (now.language, now.timezone) == (None, None)


async def test_hub_shows_the_state_of_everything(desk: Desk) -> None:
    """Each line leads to its page."""
    account = await owner(desk)
    await desk.scene.phone(account)
    await accounts.set_networks(
        desk.scene.ctx,
        account_id=account.id,
        networks=("127.0.0.0/8",),
        address="127.0.0.1",
        source="",
    )
    await desk.send("/settings/hours", "/settings/hours", renew_at="06:30")
    shown = (await desk.http.get("/settings/sign-in")).text
    for key, count in (("phones", 1), ("sessions", 1), ("networks", 1)):
        assert counted(f"web.hub.{key}", "en", count) in shown
    assert t("web.hub.no_factor") in shown
    assert t("web.hub.no_contact") in shown
    assert t("web.hub.renewal", time="06:30") in shown
    for page in ("phones", "factors", "contacts", "password", "sessions", "networks", "hours"):
        assert f'href="/settings/{page}' in shown
