"""The keys folder, and what is sealed under the master key."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from vestibule.base.sealing import Keys, KeysRefused, Sealer, Unsealable

SEALER = Sealer(bytes(range(32)))
NAMES = ("master.key", "signing.pem", "encryption.pem", "vapid.pem")


@given(plaintext=st.binary(max_size=200), bound=st.binary(max_size=20))
def test_what_was_sealed_opens(plaintext: bytes, bound: bytes) -> None:
    """Seal and open are inverse; the same text never seals to the same bytes."""
    sealed = SEALER.seal("test", plaintext, bound)
    assert SEALER.open("test", sealed, bound) == plaintext
    assert SEALER.seal("test", plaintext, bound) != sealed
    assert len(sealed) == len(plaintext) + 1 + 16 + 12 + 16


@given(place=st.integers(0, 60), bit=st.integers(0, 7))
def test_an_altered_byte_does_not_open(place: int, bit: int) -> None:
    """Every bit of version, salt, nonce, text and tag is under the tag."""
    sealed = bytearray(SEALER.seal("test", b"sixteen bytes ok"))
    sealed[place] ^= 1 << bit
    with pytest.raises(Unsealable):
        SEALER.open("test", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(28), b"\x02" + bytes(60)])
def test_what_is_no_seal_does_not_open(sealed: bytes) -> None:
    """Short, empty and foreign input is refused like altered input."""
    with pytest.raises(Unsealable):
        SEALER.open("test", sealed)


def test_a_seal_opens_only_for_its_purpose_place_and_key() -> None:
    """Moved to another column, another row or another house, it stays shut."""
    sealed = SEALER.seal("response-key", b"secret", b"row 1")
    for sealer, purpose, bound in (
        (SEALER, "session", b"row 1"),
        (SEALER, "response-key", b"row 2"),
        (Sealer(bytes(32)), "response-key", b"row 1"),
    ):
        with pytest.raises(Unsealable):
            sealer.open(purpose, sealed, bound)


def test_digests_keep_their_parts_apart() -> None:
    """Joined parts, moved borders and other purposes give other digests."""
    digests = {
        SEALER.digest("a", "bc", "d"),
        SEALER.digest("a", "b", "cd"),
        SEALER.digest("a", "bcd"),
        SEALER.digest("a", "bcd", ""),
        SEALER.digest("ab", "cd"),
        Sealer(bytes(32)).digest("a", "bcd"),
    }
    assert len(digests) == 6
    assert SEALER.digest("a", "bc") == SEALER.digest("a", b"bc")
    assert all(len(digest) == 32 for digest in digests)


def test_a_token_ends_on_its_millisecond() -> None:
    """Good until its end, not at it; never for another purpose or place, nor cut short."""
    token = SEALER.token("login", b"data", expires_at=1000, bound=b"browser")
    assert SEALER.untoken("login", token, now=999, bound=b"browser") == b"data"
    assert SEALER.untoken("login", token, now=1000, bound=b"browser") is None
    assert SEALER.untoken("logout", token, now=0, bound=b"browser") is None
    assert SEALER.untoken("login", token, now=0, bound=b"other") is None
    assert SEALER.untoken("login", token[:-1], now=0, bound=b"browser") is None


@given(st.text(max_size=80))
def test_any_text_is_at_worst_no_token(text: str) -> None:
    """What browsers send as a cookie never raises."""
    assert SEALER.untoken("login", text, now=0) is None


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    """A second start loads the same keys; nobody else may read them."""
    first = Keys.create(tmp_path)
    second = Keys.create(tmp_path)
    sealed = first.sealer.seal("test", b"x")
    assert second.sealer.open("test", sealed) == b"x"
    assert first.signing.private_numbers() == Keys.load(tmp_path).signing.private_numbers()
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert all(stat.S_IMODE((folder / name).stat().st_mode) == 0o600 for name in NAMES)
    pairs = {first.signing, first.encryption, first.vapid}
    assert len({key.private_numbers().private_value for key in pairs}) == 3


def _created(data: Path) -> bytes:
    return Keys.create(data).sealer.digest("which", "keys")


def test_workers_that_start_together_get_the_same_keys(tmp_path: Path) -> None:
    """However the race ends, one set of keys is made and all have it."""
    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(_created, [tmp_path] * 12))) == 1


@pytest.mark.parametrize("name", [".", *NAMES])
def test_keys_that_others_may_read_are_refused(tmp_path: Path, name: str) -> None:
    """Permissions too open stop the start, and the message says which command helps."""
    Keys.create(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(KeysRefused, match="chmod"):
        Keys.load(tmp_path)


def test_missing_and_broken_keys_are_refused(tmp_path: Path) -> None:
    """No folder, no PEM, and a master key of another length are told apart."""
    with pytest.raises(KeysRefused, match="vestibule init"):
        Keys.load(tmp_path)
    Keys.create(tmp_path)
    (tmp_path / "keys" / "vapid.pem").write_text("nonsense")
    with pytest.raises(KeysRefused, match=r"vapid\.pem holds no private key"):
        Keys.load(tmp_path)
    (tmp_path / "keys" / "master.key").write_bytes(b"short")
    with pytest.raises(KeysRefused, match="32 bytes"):
        Keys.load(tmp_path)
