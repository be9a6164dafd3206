"""Settings: the log says of each visit what happened and what to do, to its owner alone."""

from html import unescape

import pytest

from tests.delivery.keeper import FROM, INSIDE, OUTSIDE, fresh_line, opened
from tests.desk import Desk
from vestibule.base.i18n import catalogue, counted, t
from vestibule.delivery import rules, service
from vestibule.delivery.rules import Home, Key, Outcome
from vestibule.sessions.rules import Proof, Session

LOG = "/settings/delivery/log"
REFUSALS = [one for one in Outcome if one is not Outcome.ACCEPTED]


async def owner(desk: Desk, username: str = "alice") -> tuple[Session, Home, Key]:
    """Somebody with a home, signed in."""
    account = await desk.scene.account(username)
    session = await desk.sign_in(account, proof=Proof.NUMBER)
    home, key = await opened(desk.scene, session)
    return session, home, key


async def visit(desk: Desk, home: Home, outcome: Outcome, **facts: object) -> str:
    """A program at the door of this home."""
    usual = {
        "address": INSIDE,
        "username": home.username,
        "program": "SSH-2.0-WinSCP_release_6.5",
        "door": await service.door(desk.scene.ctx, home.username),
    }
    id_ = await service.record_visit(desk.scene.ctx, outcome=outcome, **(usual | facts))  # type: ignore[arg-type]
    assert id_ is not None
    return id_


async def log(desk: Desk, **asked: str) -> str:
    """The page, as it is read."""
    answer = await desk.http.get(LOG, params=asked)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


@pytest.mark.parametrize("outcome", REFUSALS)
async def test_refusal_says_what_and_what_now(desk: Desk, outcome: Outcome) -> None:
    """Each reason has a sentence of its own and a next step."""
    _, home, _ = await owner(desk)
    await visit(desk, home, outcome, address=OUTSIDE, fingerprints=("SHA256:strange",))
    shown = await log(desk)
    facts = {
        "program": "WinSCP release 6.5",
        "username": home.username,
        "address": OUTSIDE,
        "right": home.username,
    }
    assert t(f"delivery.log.what.{outcome}", **facts) in shown
    # It is on, so this one has been put right.
    kind = "settled" if outcome is Outcome.OFF else "next"
    assert t(f"delivery.log.{kind}.{outcome}", **facts) in shown
    assert all(f"delivery.log.{part}.{outcome}" in catalogue("en") for part in ("what", "next"))


async def test_accepted_visit_says_key_and_files(desk: Desk) -> None:
    """Who, by which key, how much; and why it ended, where nobody said goodbye."""
    _, home, key = await owner(desk)
    id_ = await visit(desk, home, Outcome.ACCEPTED, fingerprints=(key.fingerprint,))
    assert t("delivery.log.open") in await log(desk)
    await service.end_visit(
        desk.scene.ctx, id_, files=3, bytes=4_300_000, outcome=Outcome.TIMED_OUT
    )
    shown = await log(desk)
    said = t("delivery.log.what.accepted", program="WinSCP release 6.5", key=key.label)
    assert said in shown
    assert counted("delivery.log.files", "en", 3, size="4.3 MB") in shown.replace("\u202f", " ")
    assert t("delivery.log.ended.timed_out") in shown


async def test_visit_by_a_removed_key_says_so(desk: Desk) -> None:
    """It has no name any more."""
    session, home, key = await owner(desk)
    await visit(desk, home, Outcome.ACCEPTED, fingerprints=(key.fingerprint,))
    await service.remove_key(desk.scene.ctx, session, key_id=key.id, **FROM)
    said = t("delivery.log.what.accepted_removed", program="WinSCP release 6.5")
    assert said in await log(desk)


async def test_strange_key_stands_beside_the_registered_ones(desk: Desk) -> None:
    """All that were offered; and it is settled once one of them is added."""
    session, home, key = await owner(desk)
    line = fresh_line()
    offered = ("SHA256:first", rules.parse_public_key(line).fingerprint)
    await visit(desk, home, Outcome.KEY_NOT_REGISTERED, fingerprints=offered)
    shown = await log(desk)
    for fingerprint in (*offered, key.fingerprint):
        assert fingerprint in shown
    await service.add_key(desk.scene.ctx, session, data=line, **FROM)
    after = await log(desk)
    assert t("delivery.log.settled.key_not_registered") in after
    assert "SHA256:first" not in after


async def test_refused_address_is_allowed_by_one_press(desk: Desk) -> None:
    """The button carries it; afterwards the log says that it is settled."""
    _, home, _ = await owner(desk)
    await visit(desk, home, Outcome.ADDRESS_NOT_ALLOWED, address=OUTSIDE)
    assert t("delivery.log.go.address_not_allowed", address=OUTSIDE) in await log(desk)
    added = await desk.send(LOG, "/settings/delivery/networks/add", network=f"{OUTSIDE}/32")
    assert added.status_code == 303
    assert t("delivery.log.settled.address_not_allowed") in await log(desk)


async def test_words_from_the_wire_stay_words(desk: Desk) -> None:
    """A program's banner and a username are shown, never run."""
    _, home, _ = await owner(desk)
    name = "<script>alert(1)</script>"
    await visit(desk, home, Outcome.NO_KEY_OFFERED, program=name)
    answer = await desk.http.get(LOG)
    assert "<script>alert" not in answer.text
    assert name in unescape(answer.text)


async def test_log_is_narrowed_and_paged(desk: Desk) -> None:
    """Refused or accepted only; pages of older ones do not look by themselves."""
    _, home, key = await owner(desk)
    await visit(desk, home, Outcome.ACCEPTED, fingerprints=(key.fingerprint,))
    for number in range(32):
        desk.scene.clock.step(1000)
        await visit(desk, home, Outcome.LOST, address=f"192.0.2.{number}")
    accepted = await log(desk, show="accepted")
    assert t("delivery.log.what.lost") not in accepted
    first = await log(desk, show="refused")
    assert first.count(t("delivery.log.what.lost")) == 30
    assert "data-watch=" in first
    link = first.split('href="/settings/delivery/log?before=')[1].split('"')[0]
    before, _, show = link.partition("&")
    older = await log(desk, before=before, show=show.removeprefix("show="))
    assert older.count(t("delivery.log.what.lost")) == 2
    assert "data-watch=" not in older


async def test_log_is_its_owners_alone(desk: Desk) -> None:
    """Whoever is signed in sees their own."""
    _, home, _ = await owner(desk)
    await visit(desk, home, Outcome.LOST)
    await owner(desk, "bob")
    shown = await log(desk)
    assert t("delivery.log.none") in shown
    assert home.username not in shown


async def test_log_before_it_was_ever_on(desk: Desk) -> None:
    """Empty, and nothing is waited for."""
    await desk.sign_in(await desk.scene.account(), proof=Proof.NUMBER)
    shown = await log(desk)
    assert t("delivery.log.none") in shown
    assert "data-watch=" not in shown


async def test_repeated_refusal_is_one_line(desk: Desk) -> None:
    """With how often and when last."""
    _, home, _ = await owner(desk)
    for _ in range(3):
        desk.scene.clock.step(1000)
        await visit(desk, home, Outcome.NO_KEY_OFFERED)
    shown = await log(desk)
    assert counted("delivery.log.times", "en", 3) in shown
    said = t("delivery.log.what.no_key_offered", program="WinSCP release 6.5")
    assert shown.count(said) == 1


async def test_mark_changes_with_what_is_new(desk: Desk) -> None:
    """By it the page sees that there is something to draw."""
    _, home, key = await owner(desk)
    marks = {await log(desk)}
    id_ = await visit(desk, home, Outcome.ACCEPTED, fingerprints=(key.fingerprint,))
    marks.add(await log(desk))
    await service.end_visit(desk.scene.ctx, id_, files=1, bytes=10)
    marks.add(await log(desk))
    assert len({shown.split('data-mark="')[1].split('"')[0] for shown in marks}) == 3
