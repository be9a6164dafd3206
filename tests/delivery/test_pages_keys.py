"""Settings: keys and certificates are pasted, shown back, confirmed, and never private."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import gcd, prod

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pysequoia import Cert, Tsk

from tests.delivery.keeper import fresh_line, opened
from tests.desk import Desk
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, HOUR
from vestibule.base.i18n import t
from vestibule.delivery import rules, service
from vestibule.sessions.rules import Proof, Session

HUB = "/settings/delivery"
KEYS = f"{HUB}/keys"
OPENPGP = f"{HUB}/certificate"


async def owner(desk: Desk) -> tuple[Account, Session]:
    """Somebody signed in by their phone just now."""
    account = await desk.scene.account()
    return account, await desk.sign_in(account, proof=Proof.NUMBER)


def grouped(fingerprint: str) -> str:
    """A fingerprint as the page writes it."""
    parts = [fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)]
    return "".join(f"<span>{part}</span>" for part in parts)


# --- keys -------------------------------------------------------------------------------------


def rfc4716() -> str:
    """As `puttygen -O public` writes it."""
    line = fresh_line().split()
    return (
        "---- BEGIN SSH2 PUBLIC KEY ----\r\n"
        f'Comment: "Office"\r\n{line[1].decode()}\r\n---- END SSH2 PUBLIC KEY ----\r\n'
    )


def pem() -> str:
    """As `openssl pkey -pubout` writes it."""
    public = generate_private_key(65537, 2048).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("made", [lambda: fresh_line().decode(), rfc4716, pem])
async def test_key_is_shown_back(desk: Desk, made: Callable[[], str]) -> None:
    """Whatever form it had: its fingerprint stands in the list, as new."""
    await owner(desk)
    typed = made()
    answer = await desk.send(f"{KEYS}/add", f"{KEYS}/add", key=typed, label="Office computer")
    shown = (await desk.http.get(answer.headers["location"])).text
    assert t("delivery.keys.done_added") in shown
    assert rules.parse_public_key(typed.encode()).fingerprint in shown
    assert "Office computer" in shown
    assert t("delivery.keys.unused") in shown


def private_keys() -> list[str]:
    """One key as OpenSSH, PKCS #8 and PKCS #1 write it."""
    key = generate_private_key(65537, 2048)
    forms = (PrivateFormat.OpenSSH, PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    return [key.private_bytes(Encoding.PEM, form, NoEncryption()).decode() for form in forms]


async def test_private_key_is_refused_and_not_shown_again(desk: Desk) -> None:
    """In any form, also behind a public one or as the name; the page says to make a new pair."""
    account, _ = await owner(desk)
    for private in private_keys():
        middle = private.splitlines()[3]
        for fields in (
            {"key": private},
            {"key": fresh_line().decode() + private},
            {"key": fresh_line().decode(), "label": private},
        ):
            answer = await desk.send(f"{KEYS}/add", f"{KEYS}/add", **fields)
            assert answer.status_code == 400
            assert t("error.private_key_sent.next") in answer.text
            assert middle not in answer.text
            assert "set-cookie" not in answer.headers
    assert await service.list_keys(desk.scene.ctx, account.id) == []


async def test_slip_leaves_what_was_pasted(desk: Desk) -> None:
    """It can be mended."""
    await owner(desk)
    answer = await desk.send(f"{KEYS}/add", f"{KEYS}/add", key="ssh-ed25519 AAAA", label="Home")
    assert answer.status_code == 400
    assert t("error.key_unreadable.title") in answer.text
    assert "ssh-ed25519 AAAA</textarea>" in answer.text
    assert 'value="Home"' in answer.text


async def test_pasted_key_outlasts_the_confirmation(desk: Desk) -> None:
    """An old proof leads away and back; key and name are there, with the fingerprint."""
    account, _ = await owner(desk)
    desk.scene.clock.step(HOUR // 2)
    line = fresh_line().decode()
    away = await desk.send(f"{KEYS}/add", f"{KEYS}/add", key=line, label="Office computer")
    assert away.headers["location"].startswith("/login/step-up?then=%2Fsettings%2Fdelivery%2Fkeys")
    assert await service.list_keys(desk.scene.ctx, account.id) == []
    await desk.sign_in(account, proof=Proof.NUMBER)
    # Bound to the session that it was pasted in, which a confirmation keeps.
    assert line.split()[1] not in (await desk.http.get(f"{KEYS}/add?kept=1")).text


async def test_pasted_key_is_there_after_the_confirmation(desk: Desk) -> None:
    """In the same session; and it is forgotten once it is added."""
    account, _ = await owner(desk)
    desk.scene.clock.step(HOUR // 2)
    line = fresh_line().decode()
    await desk.send(f"{KEYS}/add", f"{KEYS}/add", key=line, label="Office computer")
    shown = (await desk.http.get(f"{KEYS}/add?kept=1")).text
    assert rules.parse_public_key(line.encode()).fingerprint in shown
    assert line.strip() in shown
    assert 'value="Office computer"' in shown
    desk.scene.clock.step(-HOUR // 2)
    added = await desk.send(f"{KEYS}/add?kept=1", f"{KEYS}/add", key=line, label="Office")
    assert "Max-Age=0" in added.headers["set-cookie"]
    assert len(await service.list_keys(desk.scene.ctx, account.id)) == 1


async def test_what_is_too_long_for_a_cookie_stays_on_the_page(desk: Desk) -> None:
    """The confirmation then opens beside it."""
    await owner(desk)
    desk.scene.clock.step(HOUR // 2)
    # No key of this size is made here, which takes minutes: only its numbers are looked at.
    number = (1 << 16_383) + 0xB504F333F9DE6485
    while gcd(number, prod(range(3, 54, 2))) > 1:
        number += 2
    public = RSAPublicNumbers(65537, number).public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    label = "事務所" * 20
    answer = await desk.send(f"{KEYS}/add", f"{KEYS}/add", key=f"{line} {label}", label=label)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert line in answer.text
    assert f'value="{label}"' in answer.text
    assert t("delivery.keys.confirm_how") in answer.text


async def test_key_is_renamed_and_removed(desk: Desk) -> None:
    """The last one with a warning."""
    account, session = await owner(desk)
    _, key = await opened(desk.scene, session)
    page = f"{KEYS}/name?id={key.id}"
    renamed = await desk.send(page, f"{KEYS}/name", id=key.id, label="Laptop at home")
    listed = (await desk.http.get(renamed.headers["location"])).text
    assert t("delivery.keys.done_renamed") in listed
    assert "Laptop at home" in listed
    page = f"{KEYS}/remove?id={key.id}"
    assert t("delivery.keys.removal_last") in (await desk.http.get(page)).text
    gone = await desk.send(page, f"{KEYS}/remove", id=key.id)
    assert t("delivery.keys.done_removed") in (await desk.http.get(gone.headers["location"])).text
    assert await service.list_keys(desk.scene.ctx, account.id) == []


@pytest.mark.parametrize("act", ["name", "remove"])
async def test_change_of_a_key_is_confirmed(desk: Desk, act: str) -> None:
    """Back to the same key."""
    account, session = await owner(desk)
    _, key = await opened(desk.scene, session)
    desk.scene.clock.step(HOUR // 2)
    page = f"{KEYS}/{act}?id={key.id}"
    fields = {"id": key.id} | ({"label": "New"} if act == "name" else {})
    answer = await desk.send(page, f"{KEYS}/{act}", **fields)
    assert answer.headers["location"].startswith("/login/step-up?")
    assert key.id in answer.headers["location"]
    assert await service.list_keys(desk.scene.ctx, account.id) == [key]


@pytest.mark.parametrize("act", ["name", "remove"])
async def test_another_accounts_key_is_not_there(desk: Desk, act: str) -> None:
    """Neither shown nor changed."""
    _, session = await owner(desk)
    _, key = await opened(desk.scene, session)
    other = await desk.scene.account("bob")
    await desk.sign_in(other, proof=Proof.NUMBER)
    assert (await desk.http.get(f"{KEYS}/{act}?id={key.id}")).status_code == 404
    fields = {"id": key.id} | ({"label": "Mine"} if act == "name" else {})
    answer = await desk.send(HUB, f"{KEYS}/{act}", **fields)
    assert answer.status_code == 404


# --- certificates -----------------------------------------------------------------------------


def pair() -> Tsk:
    """A new pair of OpenPGP keys."""
    return Tsk.generate("Maria Rossi <maria@example.org>")


def certificate() -> Cert:
    """The public half of a new pair."""
    return pair().extract_certificate()


async def test_certificate_is_shown_back(desk: Desk) -> None:
    """In groups of four, with its owner and its end."""
    await owner(desk)
    cert = certificate()
    answer = await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=str(cert))
    shown = (await desk.http.get(answer.headers["location"])).text
    assert t("delivery.certificate.done_set") in shown
    assert grouped(cert.fingerprint.upper()) in shown
    assert "maria@example.org" in shown


async def test_private_openpgp_key_is_refused_and_not_shown_again(desk: Desk) -> None:
    """With the way out."""
    await owner(desk)
    secret = str(pair())
    answer = await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=secret)
    assert answer.status_code == 400
    assert t("error.certificate_private.next") in answer.text
    assert secret.splitlines()[6] not in answer.text


async def test_certificate_outlasts_the_confirmation(desk: Desk) -> None:
    """It stands in the field with its fingerprint, and can be used as it stands there."""
    account, _ = await owner(desk)
    cert = certificate()
    desk.scene.clock.step(HOUR // 2)
    away = await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=str(cert))
    assert away.headers["location"].startswith("/login/step-up?")
    shown = (await desk.http.get(f"{OPENPGP}/add?kept=1")).text
    assert grouped(cert.fingerprint.upper()) in shown
    text = shown.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>")[0]
    desk.scene.clock.step(-HOUR // 2)
    await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=text)
    home = await service.home_of(desk.scene.ctx, account.id)
    assert home is not None
    assert home.certificate is not None
    assert home.certificate.fingerprint == cert.fingerprint.upper()


async def test_certificate_that_ends_says_so(desk: Desk) -> None:
    """Thirty days before, and once it is over, on both pages."""
    account, _ = await owner(desk)
    keys = pair()
    ends = desk.scene.clock.now() + 100 * DAY
    until = datetime.fromtimestamp(ends / 1000, UTC)
    ending = keys.extract_certificate().set_expiration(until, keys.certifier())
    await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=str(ending))
    for left, state in ((31 * DAY, "on"), (29 * DAY, "soon"), (-DAY, "over")):
        desk.scene.clock.step(ends - left - desk.scene.clock.now())
        await desk.sign_in(account, proof=Proof.NUMBER)
        assert t(f"delivery.hub.certificate_{state}") in (await desk.http.get(HUB)).text
        warned = (await desk.http.get(OPENPGP)).text
        assert (t("delivery.certificate.soon") in warned) is (state == "soon")
        assert (t("delivery.certificate.over") in warned) is (state == "over")


async def test_certificate_is_removed(desk: Desk) -> None:
    """After its page said what that means; the pages then offer to add one."""
    await owner(desk)
    await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=str(certificate()))
    page = f"{OPENPGP}/remove"
    assert t("delivery.certificate.removal_mail") in (await desk.http.get(page)).text
    gone = await desk.send(page, page)
    shown = (await desk.http.get(gone.headers["location"])).text
    assert t("delivery.certificate.done_removed") in shown
    assert t("delivery.certificate.none") in shown


async def test_removal_of_the_certificate_is_confirmed(desk: Desk) -> None:
    """With it, statements would lie in clear."""
    await owner(desk)
    await desk.send(f"{OPENPGP}/add", f"{OPENPGP}/add", certificate=str(certificate()))
    desk.scene.clock.step(HOUR // 2)
    page = f"{OPENPGP}/remove"
    answer = await desk.send(page, page)
    assert answer.headers["location"].startswith("/login/step-up?")
    assert t("delivery.networks.once_more") in (await desk.http.get(f"{page}?confirmed=1")).text
