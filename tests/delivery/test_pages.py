"""Settings: file delivery is switched on, its addresses are kept, its programs are set up."""

import re

import pytest

from tests.delivery.keeper import FROM, INSIDE, NETWORK, fresh_line, opened
from tests.desk import Desk
from vestibule.accounts import service as accounts
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, HOUR
from vestibule.base.i18n import counted, t
from vestibule.delivery import rules, service
from vestibule.delivery.rules import Home, Outcome
from vestibule.sessions.rules import Proof, Session

HUB = "/settings/delivery"
HERE = "127.0.0.1"


async def owner(desk: Desk) -> tuple[Account, Session]:
    """Somebody signed in by their phone just now."""
    account = await desk.scene.account()
    session = await desk.sign_in(account, proof=Proof.NUMBER)
    return account, session


async def home_of(desk: Desk, account: Account) -> Home:
    """The account's home, which is there."""
    home = await service.home_of(desk.scene.ctx, account.id)
    assert home is not None
    return home


async def page(desk: Desk, path: str = HUB) -> str:
    """A page that is shown."""
    answer = await desk.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- the hub ----------------------------------------------------------------------------------


async def test_switch_leads_to_what_is_missing(desk: Desk) -> None:
    """Off: one button. On: the next step, and all that a program needs, without a host's secret."""
    account, _ = await owner(desk)
    before = await page(desk)
    assert t("delivery.hub.off") in before
    assert t("delivery.hub.needs") not in before
    answer = await desk.send(HUB, f"{HUB}/switch", to="on")
    after = await page(desk, answer.headers["location"])
    home = await home_of(desk, account)
    (host_key,) = await service.shown_host_keys(desk.scene.ctx)
    for said in (t("delivery.hub.done_on"), home.username, host_key.fingerprint, host_key.md5):
        assert said in after
    assert f'href="{HUB}/keys/add"' in after
    assert "PRIVATE" not in after


async def test_steps_go_once_a_program_was_here(desk: Desk) -> None:
    """Who has connected before is not told how to begin."""
    account, session = await owner(desk)
    home, key = await opened(desk.scene, session)
    assert t("delivery.hub.steps") in await page(desk)
    door = await service.door(desk.scene.ctx, home.username)
    await service.record_visit(
        desk.scene.ctx,
        outcome=Outcome.ACCEPTED,
        address=INSIDE,
        username=home.username,
        program="SSH-2.0-WinSCP_release_6.5",
        door=door,
        fingerprints=(key.fingerprint,),
    )
    shown = await page(desk)
    assert t("delivery.hub.steps") not in shown
    assert "WinSCP release 6.5" in shown
    assert account.id == home.account_id


async def test_switching_off_keeps_what_was_made(desk: Desk) -> None:
    """Keys and addresses are there when it is switched on again."""
    account, session = await owner(desk)
    await opened(desk.scene, session)
    answer = await desk.send(HUB, f"{HUB}/switch", to="off")
    shown = await page(desk, answer.headers["location"])
    assert t("delivery.hub.done_off") in shown
    assert not (await home_of(desk, account)).enabled
    assert counted("delivery.hub.keys", "en", 1) in shown


@pytest.mark.parametrize("to", ["on", "off"])
async def test_switch_is_confirmed_and_comes_back(desk: Desk, to: str) -> None:
    """An old proof leads to the confirmation, and from there to the button."""
    account, session = await owner(desk)
    await service.switch(desk.scene.ctx, session, on=to == "off", **FROM)
    desk.scene.clock.step(HOUR // 2)
    answer = await desk.send(HUB, f"{HUB}/switch", to=to)
    assert answer.headers["location"].startswith("/login/step-up?then=%2Fsettings%2Fdelivery%3F")
    assert (await home_of(desk, account)).enabled is (to == "off")
    said = t("delivery.hub.once_more" if to == "on" else "delivery.hub.once_more_off")
    assert said in await page(desk, f"{HUB}?confirmed={to}")


async def test_step_up_says_this_pages_name(desk: Desk) -> None:
    """The phone shows what the confirmation is for."""
    await owner(desk)
    shown = await page(desk)
    assert f'<a href="{HUB}" aria-current="page">{t("web.menu.delivery")}</a>' in shown


async def test_switch_to_something_else_is_refused(desk: Desk) -> None:
    """A form of somebody's own making changes nothing."""
    await owner(desk)
    answer = await desk.send(HUB, f"{HUB}/switch", to="sideways")
    assert answer.status_code == 400


# --- addresses --------------------------------------------------------------------------------


async def test_own_address_is_allowed_and_taken_back(desk: Desk) -> None:
    """One press allows it, one removes it, one more brings it back."""
    account, _ = await owner(desk)
    listing = f"{HUB}/networks"
    before = await page(desk, listing)
    assert t("delivery.networks.none") in before
    answer = await desk.send(listing, f"{listing}/add", network=f"{HERE}/32")
    shown = await page(desk, answer.headers["location"])
    assert t("delivery.networks.done_added", network=f"{HERE}/32") in shown
    assert t("delivery.networks.here") in shown
    assert (await home_of(desk, account)).networks == (f"{HERE}/32",)
    gone = await desk.send(listing, f"{listing}/remove", network=f"{HERE}/32")
    after = await page(desk, gone.headers["location"])
    assert t("delivery.networks.undo") in after
    assert (await home_of(desk, account)).networks == ()


@pytest.mark.parametrize(
    "typed, code", [("nowhere", "network_invalid"), ("0.0.0.0/0", "network_too_wide")]
)
async def test_bad_address_is_said_at_the_field(desk: Desk, typed: str, code: str) -> None:
    """What was typed stands there again, and nothing changed."""
    _, session = await owner(desk)
    await opened(desk.scene, session)
    listing = f"{HUB}/networks"
    answer = await desk.send(listing, f"{listing}/add", network=typed)
    assert answer.status_code == 400
    assert t(f"error.{code}.title", network=typed) in answer.text
    assert f'value="{typed}"' in answer.text
    home = await service.home_of(desk.scene.ctx, session.account_id)
    assert home is not None
    assert home.networks == (NETWORK,)


async def test_address_waits_for_its_confirmation(desk: Desk) -> None:
    """It stands in the field when its owner comes back."""
    await owner(desk)
    desk.scene.clock.step(HOUR // 2)
    listing = f"{HUB}/networks"
    answer = await desk.send(listing, f"{listing}/add", network="203.0.113.7")
    assert answer.headers["location"].startswith("/login/step-up?")
    shown = await page(desk, f"{listing}?confirmed=1&network=203.0.113.7")
    assert t("delivery.networks.once_more") in shown
    assert 'value="203.0.113.7/32"' in shown


async def test_address_bar_says_nothing_that_is_not_so(desk: Desk) -> None:
    """A link from elsewhere cannot have the page tell a tale."""
    await owner(desk)
    shown = await page(desk, f"{HUB}/networks?added=8.8.8.0/24&removed=<b>all</b>")
    assert "8.8.8" not in shown
    assert "<b>all" not in shown


# --- programs ---------------------------------------------------------------------------------


async def test_programs_have_their_files(desk: Desk) -> None:
    """Each is offered on the page, and downloaded as the page names it."""
    _, session = await owner(desk)
    home, _ = await opened(desk.scene, session)
    shown = await page(desk, f"{HUB}/programs?key=~/keys/mine")
    links = re.findall(rf'href="({HUB}/programs/[^"]+)"', shown)
    assert len(links) >= 5
    for link in links:
        answer = await desk.http.get(link)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
    first = await desk.http.get(links[0])
    assert home.username in first.text
    assert "~/keys/mine" in first.text


async def test_programs_wait_until_it_is_on(desk: Desk) -> None:
    """There is no username before; help with connecting is there all the same."""
    await owner(desk)
    shown = await page(desk, f"{HUB}/programs")
    assert t("delivery.programs.off") in shown
    assert t("delivery.programs.timeout_title") in shown
    assert (await desk.http.get(f"{HUB}/programs/anything.conf")).status_code == 404


async def test_path_that_is_none_is_said(desk: Desk) -> None:
    """It would break the files; they stay without it."""
    _, session = await owner(desk)
    await opened(desk.scene, session)
    answer = await desk.http.get(f"{HUB}/programs", params={"key": 'a"; rm -rf "b'})
    assert answer.status_code == 400
    assert t("error.bad_field.title") in answer.text


# --- a trial ----------------------------------------------------------------------------------


async def tried(desk: Desk, **fields: str) -> str:
    """The page after a trial."""
    answer = await desk.send(f"{HUB}/trial", f"{HUB}/trial", **fields)
    return answer.text


async def test_trial_says_what_would_happen(desk: Desk) -> None:
    """The first thing that is wrong, its reason and its next step; nothing is stored."""
    account, session = await owner(desk)
    home, key = await opened(desk.scene, session)
    good = {"username": home.username, "address": INSIDE, "key": key.id, "pasted": ""}
    assert t("delivery.trial.yes") in await tried(desk, **good)
    away = await tried(desk, **(good | {"address": "198.51.100.9"}))
    assert t("delivery.log.what.address_not_allowed", address="198.51.100.9") in away
    assert 'value="198.51.100.9/32"' in away
    named = await tried(desk, **(good | {"username": account.username}))
    assert t("delivery.log.next.username_unknown", right=home.username) in named
    bare = await tried(desk, **(good | {"key": "none"}))
    assert t("delivery.log.next.no_key_offered") in bare
    other = fresh_line()
    strange = await tried(desk, **(good | {"pasted": other.decode()}))
    assert rules.parse_public_key(other).fingerprint in strange
    assert key.fingerprint in strange
    assert await service.list_visits(desk.scene.ctx, account.id) == []


async def test_trial_of_another_accounts_username_tells_nothing(desk: Desk) -> None:
    """It is as wrong as one that nobody has, whichever key and address are named."""
    theirs, _ = await opened(desk.scene, (await owner(desk))[1])
    await desk.sign_in(await desk.scene.account("carol"), proof=Proof.NUMBER)
    await desk.send(HUB, f"{HUB}/switch", to="on")
    fields = {"address": INSIDE, "key": "none", "pasted": fresh_line().decode()}
    answers = set()
    for username in (theirs.username, "zzzzzzzzzz"):
        shown = await tried(desk, username=username, **fields)
        assert t("delivery.log.what.username_unknown", username=username) in shown
        shown = re.sub(r'name="form" value="[^"]+"', "", shown)
        answers.add(shown.replace(username, ""))
    assert len(answers) == 1


async def test_trial_says_what_is_no_address(desk: Desk) -> None:
    """At its field."""
    _, session = await owner(desk)
    home, key = await opened(desk.scene, session)
    shown = await tried(desk, username=home.username, address="here", key=key.id, pasted="")
    assert t("delivery.trial.address_invalid") in shown


async def test_nothing_to_try_leads_to_the_hub(desk: Desk) -> None:
    """Before it was ever switched on there is no username."""
    await owner(desk)
    assert (await desk.http.get(f"{HUB}/trial")).headers["location"] == HUB


# --- an account that cools down -----------------------------------------------------------------


async def test_recovered_account_adds_nothing_for_a_while(desk: Desk) -> None:
    """The pages say until when, and take away all the same."""
    account, session = await owner(desk)
    await opened(desk.scene, session)
    until = desk.scene.clock.now() + DAY
    await desk.scene.ctx.db.write(lambda tx: accounts.guard(tx, account_id=account.id, until=until))
    for path in (HUB, f"{HUB}/keys", f"{HUB}/networks", f"{HUB}/certificate"):
        assert t("delivery.hub.resting") in await page(desk, path)
    refused = await desk.send(f"{HUB}/keys/add", f"{HUB}/keys/add", key=fresh_line().decode())
    assert t("error.cooling_down.title") in refused.text
    gone = await desk.send(f"{HUB}/networks", f"{HUB}/networks/remove", network=NETWORK)
    assert "removed=" in gone.headers["location"]


@pytest.mark.parametrize(
    "network, warned",
    [("192.168.1.20/32", True), ("fd00::/64", True), ("203.0.113.7/32", False)],
)
async def test_address_that_no_server_sees_is_said(
    desk: Desk, network: str, *, warned: bool
) -> None:
    """People read it off their own machine, and then wonder why they are refused."""
    await owner(desk)
    listing = f"{HUB}/networks"
    await desk.send(listing, f"{listing}/add", network=network)
    assert (t("delivery.networks.private") in await page(desk, listing)) is warned
