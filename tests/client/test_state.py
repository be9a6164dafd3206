"""What the reference phone keeps: private, durable, and silent about the PIN."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vestibule.client import pin, state
from vestibule.client.errors import NotPossible, StateWrong
from vestibule.client.phone import Phone
from vestibule.client.state import Enrolled, LockedRoot, State, StateFile
from vestibule.protocol import keys, ocra
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.errors import PinRefused
from vestibule.protocol.messages import Argon2idFloor, Pbkdf2Floor, Policy

POLICY = Policy(
    pin_min=4,
    pin_max=6,
    suite="OCRA-1:HOTP-SHA256-8:C-QN06",
    argon2id=Argon2idFloor(m=8, t=1),
    pbkdf2=Pbkdf2Floor(rounds=1),
)
DEVICE = "A" * 22


def enrolled(name: str = "mira") -> Enrolled:
    """An account as it stands in the file."""
    key = generate_private_key(SECP256R1())
    public = keys.public_bytes(key)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Enrolled(
        id=keys.kid_of(public),
        key=pem,
        account=name,
        organisation="Bank",
        application="Portal",
        issuer="https://portal.example",
        address="https://phone.example",
        server=keys.jwk_of(public),
    )


def stored(path: Path, *names: str, pin_: str = "2580") -> State:
    """A state file with these accounts."""
    accounts = tuple(enrolled(name) for name in names)
    root = pin.new_root(POLICY, pin_)
    return StateFile(path, device=DEVICE).change(
        lambda _: State(device=DEVICE, root=root, accounts=accounts)
    )


def test_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    """Nobody else may read it, whatever the umask, and an old draft's rights do not stay."""
    path = tmp_path / "folder" / "phone.json"
    path.parent.mkdir()
    draft = path.with_name(".phone.json.new")
    draft.write_text("left over")
    draft.chmod(0o644)
    before = os.umask(0)
    try:
        stored(path, "mira")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A state file with loose rights is not used: its keys may be known."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    path.chmod(0o640)
    with pytest.raises(StateWrong, match="chmod 600"):
        Phone(path)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"version":2}', "\x00", '{"version":1,"version":1}']
)
def test_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    """A file that cannot be read is never overwritten by a new phone."""
    path = tmp_path / "phone.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(StateWrong):
        Phone(path)
    assert path.read_text() == content


def test_counter_is_on_disk_before_the_response_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and its folder are synchronised before anything is computed with the counter."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    steps: list[str] = []
    fsync, respond = os.fsync, ocra.response

    def synchronised(handle: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")  # noqa: PTH112
        fsync(handle)

    def computed(key: bytes, challenge: str, counter: int) -> str:
        steps.append("response")
        assert json.loads(path.read_text())["accounts"][0]["counter"] == counter + 1
        return respond(key, challenge, counter)

    monkeypatch.setattr(os, "fsync", synchronised)
    monkeypatch.setattr(ocra, "response", computed)
    assert Phone(path).respond("123456", pin="2580").counter == 1
    assert steps == ["file", "folder", "response"]


def test_counter_that_cannot_be_stored_gives_no_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk means no response, and the old file stays whole."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            Phone(path).respond("123456", pin="2580")
    assert path.read_bytes() == before
    assert Phone(path).respond("123456", pin="2580").counter == 1


def _spend(path: Path, times: int) -> list[int]:
    phone = Phone(path)
    return [phone.respond("123456", pin="2580").counter for _ in range(times)]


def test_two_programs_never_spend_one_counter_twice(tmp_path: Path) -> None:
    """Programs that share a state file take turns: every counter is used once."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        spent = pool.starmap(_spend, [(path, 15)] * 2)
    assert sorted(spent[0] + spent[1]) == list(range(1, 31))
    assert Phone(path).state.account().counter == 31


def _shape(value: object) -> object:
    """The structure of a JSON value, and how long its texts are."""
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    return len(value) if isinstance(value, str) else value


def test_files_under_different_pins_have_one_shape(tmp_path: Path) -> None:
    """Nothing in the file, not even a length, differs by the PIN or is made of it."""
    shapes = []
    for number, chosen in enumerate(("2580", "917364", "\u00e4\u00f6\u00fc\u00df", "a7#k")):
        path = tmp_path / f"{number}.json"
        stored(path, pin_=chosen)
        text = path.read_text()
        assert chosen not in text
        shapes.append(_shape(json.loads(text)))
    assert all(shape == shapes[0] for shape in shapes)


def test_every_pin_opens_the_stored_root(tmp_path: Path) -> None:
    """From the file alone every PIN of four digits gives a root and a response of its own."""
    root = stored(tmp_path / "phone.json", "mira").root
    assert root is not None
    opened = {pin.open_root(root, f"{number:04d}").root for number in range(2000, 3000)}
    assert len(opened) == 1000
    assert {len(one) for one in opened} == {32}


def test_wrong_pin_gives_a_response_like_any_other(tmp_path: Path) -> None:
    """The phone says nothing about a wrong PIN; the counter is spent all the same."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    phone = Phone(path)
    wrong, right = (phone.respond("123456", pin=typed) for typed in ("2581", "2580"))
    assert len(wrong.response) == len(right.response) == 8
    assert (wrong.counter, right.counter) == (1, 2)


def test_new_root_is_stretched_as_the_server_asks() -> None:
    """The floor of the enrol-request is what is used and what is stored."""
    root = pin.new_root(POLICY, "2580")
    assert root.stretch == keys.Stretch(name="argon2id", m=8, t=1)


def test_new_pin_has_to_keep_the_rules() -> None:
    """A new PIN is checked by the server's policy."""
    with pytest.raises(PinRefused) as caught:
        pin.new_root(POLICY, "1234")
    assert caught.value.code == "pin_sequence"


@pytest.mark.parametrize(
    "challenge",
    ["12345", "1234567", "012345", "12345a", "", "\u0660\u0661\u0662\u0663\u0664\u0665"],
)
def test_challenge_that_none_can_be_spends_no_counter(tmp_path: Path, challenge: str) -> None:
    """What is not six digits from 100000 on is refused before the counter moves."""
    path = tmp_path / "phone.json"
    stored(path, "mira")
    with pytest.raises(NotPossible):
        Phone(path).respond(challenge, pin="2580")
    assert Phone(path).state.account().counter == 1


def test_challenge_is_read_leniently(tmp_path: Path) -> None:
    """Spaces and other scripts' digits are folded, as on the portal's side."""
    path = tmp_path / "phone.json"
    root = stored(path, "mira").root
    assert root is not None
    made = Phone(path).respond(" 12\u00a034-\u0665\u0666", pin="2580")
    key = keys.response_key(pin.open_root(root, "2580").root, Phone(path).state.account().id)
    assert made.response == ocra.response(key, "123456", 1)


def test_account_is_found_by_name_or_id(tmp_path: Path) -> None:
    """With several accounts one has to be named; with one it need not."""
    kept = stored(tmp_path / "two.json", "mira", "tomas")
    assert kept.account("tomas").account == "tomas"
    assert kept.account(kept.accounts[0].id).account == "mira"
    for unclear in (None, "nobody"):
        with pytest.raises(NotPossible, match="mira, tomas"):
            kept.account(unclear)
    assert stored(tmp_path / "one.json", "mira").account().account == "mira"


def test_account_is_found_by_an_id_that_a_command_line_takes() -> None:
    """Ids are drawn at random: one that begins with a hyphen is named without it."""
    mira, tomas = enrolled("mira"), enrolled("tomas")
    odd = msgspec.structs.replace(mira, id="--" + mira.id[2:])
    kept = State(device=DEVICE, accounts=(odd, tomas))
    assert state.handle(odd.id)[0] != "-"
    assert kept.account(state.handle(odd.id)) is kept.account(odd.id) is odd


def test_root_goes_with_the_last_account(tmp_path: Path) -> None:
    """A phone without accounts may be given another PIN."""
    kept = stored(tmp_path / "phone.json", "mira", "tomas")
    first, second = (one.id for one in kept.accounts)
    assert kept.without(first).root == kept.root
    assert kept.without(first).without(second).root is None


def test_root_is_opened_from_what_is_stored() -> None:
    """The stored members are what section 3 names, in its own order of derivation."""
    locked = pin.new_root(POLICY, "2580")
    assert isinstance(locked, LockedRoot)
    kek = keys.pin_kek(
        b64u_decode(locked.device_key),
        keys.stretch("2580", b64u_decode(locked.salt), locked.stretch),
    )
    root = pin.open_root(locked, "2580").root
    assert b64u(keys.open_root(kek, b64u_decode(locked.iv), root)) == locked.sealed


def test_secrets_do_not_show_in_representations() -> None:
    """A log line about an unlocked phone holds no key."""
    unlocked = pin.Unlocked(b"secret root of thirty-two bytes!")
    assert "secret" not in repr(unlocked)
    assert state.PRIVATE == 0o600
