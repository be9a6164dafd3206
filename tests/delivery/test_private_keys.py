"""Private keys are found in whatever form they come, and leave no trace."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from sqlalchemy import select

from tests.delivery.keeper import FROM, added, fresh_line, owner, refused
from tests.delivery.keymaking import private_forms
from tests.desk import Desk
from tests.login.scene import Scene
from vestibule.base import log
from vestibule.base.errors import Refused
from vestibule.delivery import service
from vestibule.delivery.rules import holds_private_key, parse_public_key
from vestibule.schema.tables import metadata

PUBLIC = (
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPg1aIG6XrHZkLSN1deEcQdYDXGa9R1Im4S+21X1WO3/ laptop\n"
)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every form of private keys that tools write."""
    return dict(private_forms(tmp_path_factory.mktemp("private")))


def unlined(data: bytes) -> bytes:
    """On one line."""
    return data.replace(b"\r", b"").replace(b"\n", b"")


def two_bytes(coding: str) -> Callable[[bytes], bytes]:
    """As editors of Windows save it."""
    return lambda data: data.decode("latin-1").encode(coding)


DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "before a public key": lambda data: data + b"\n" + PUBLIC,
    "in base64": base64.b64encode,
    "in base64 of a mail": base64.encodebytes,
    "in base64 for addresses": base64.urlsafe_b64encode,
    "in base64 of base64": lambda data: base64.b64encode(base64.b64encode(data)),
    "in base64 behind words": lambda data: b"mykey" + base64.b64encode(data),
    "in hexadecimal": lambda data: data.hex().encode(),
}
TEXT_DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "behind a public key": lambda data: PUBLIC + data,
    "as the comment of a public key": lambda data: PUBLIC.strip() + b" " + unlined(data),
    "behind words": lambda data: b"Hello, this is my key:\n\n" + data + b"\n\nThanks",
    "utf-16 with a mark": two_bytes("utf-16"),
    "utf-16-le": two_bytes("utf-16-le"),
    "utf-16-be": two_bytes("utf-16-be"),
    "utf-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "line ends lost": unlined,
    "line ends of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "line ends turned to blanks": lambda data: data.replace(b"\n", b" "),
    "line ends written out": lambda data: data.replace(b"\n", b"\\n"),
    "quoted in a mail": lambda data: b"> " + data.replace(b"\n", b"\n> "),
    "for an address": lambda data: quote(data, safe="").encode(),
    "dashes lost": lambda data: data.replace(b"-----", b""),
    "wide blanks": lambda data: data.replace(b" ", b"\xc2\xa0"),
}


def _told(name: str, how: str) -> bool:
    """Whether a form is to be found so: not beneath three encodings, nor OpenPGP without a head."""
    if name == "comment in hexadecimal":
        return how == "as it is"
    return (name, how) != ("pgp", "in base64 behind words")


@pytest.mark.parametrize("how", DISGUISES)
def test_private_keys_are_found_in_every_form(forms: dict[str, bytes], how: str) -> None:
    """Alone, in a mixture, and with an encoding around it."""
    assert len(forms) > 60
    known = {name: data for name, data in forms.items() if _told(name, how)}
    missed = [name for name, data in known.items() if not holds_private_key(DISGUISES[how](data))]
    assert missed == []


@pytest.mark.parametrize("how", TEXT_DISGUISES)
def test_private_keys_are_found_however_their_text_was_handled(
    forms: dict[str, bytes], how: str
) -> None:
    """What editors, mails and forms do to text does not hide it."""
    missed = [
        name
        for name, data in forms.items()
        if data.isascii() and not holds_private_key(TEXT_DISGUISES[how](data))
    ]
    assert missed == []


def headless(forms: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Keys in clear whose first line was not copied along."""
    for name, data in forms.items():
        lines = data.split(b"\n")
        if data.isascii() and len(lines) > 3 and "locked" not in name and "text" not in name:
            yield name, b"\n".join(lines[1:])


def test_private_keys_are_found_without_their_first_line(forms: dict[str, bytes]) -> None:
    """Whoever starts copying a line too late still sent the key."""
    cut = dict(headless(forms))
    assert len(cut) > 20
    assert [name for name, data in cut.items() if not holds_private_key(data)] == []


def test_public_keys_are_not_taken_for_private_ones() -> None:
    """A hundred keys, and comments that speak of private ones: no false alarm."""
    for _ in range(100):
        assert not holds_private_key(fresh_line())
    for comment in (
        b"privatekey.ppk",
        b"not my private key",
        b"begin of my private key",
        b"key d=1, p=2",
        b"id_rsa",
        b"putty",
    ):
        assert not holds_private_key(PUBLIC.strip() + b" " + comment), comment
        block = b'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "' + comment + b'"\n'
        assert not holds_private_key(block + PUBLIC.split()[1] + b"\n---- END SSH2 PUBLIC KEY ----")


def test_half_a_private_key_is_found(forms: dict[str, bytes]) -> None:
    """Cut in the middle it still tells what it is, unless the private part is in the other half."""
    numbers = ("text", "jwk")
    halves = {
        name: data[: len(data) // 2]
        for name, data in forms.items()
        if data.isascii() and not any(word in name for word in numbers)
    }
    halves.pop("comment in hexadecimal")
    assert [name for name, data in halves.items() if not holds_private_key(data)] == []


def test_a_private_key_is_looked_for_before_anything_else(forms: dict[str, bytes]) -> None:
    """A file that is unreadable, too long or of another kind as well is refused for this."""
    for name, data in forms.items():
        mixture = PUBLIC + PUBLIC + data if data.isascii() else data + PUBLIC
        for sent in (data, mixture, data + b"\n" * 20_000):
            with pytest.raises(Refused) as caught:
                parse_public_key(sent)
            assert caught.value.code.name == "private_key_sent", name
            assert caught.value.facts == {}


# --- no trace ----------------------------------------------------------------------------------


def traces(data: bytes) -> list[str]:
    """Pieces of the secret, as they would stand in a text: the key's body, line by line."""
    lines = [line.strip().decode("latin-1") for line in data.splitlines()]
    pieces = [line for line in lines if len(line) > 40 and " " not in line]
    assert pieces
    return pieces


async def stored(scene: Scene) -> str:
    """Everything in the database, as text."""
    found = []
    for table in metadata.sorted_tables:
        for row in await scene.ctx.db.all(select(table)):
            found += [
                value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row
            ]
    return "\n".join(found)


def whole(folder: Path) -> bytes:
    """The database's files, where it is one of files."""
    return b"".join(path.read_bytes() for path in folder.rglob("vestibule.db*"))


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged, down to the smallest."""
    stream = io.StringIO()
    before = structlog.get_config()
    log.configure("debug", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.configure(**before)


async def test_a_private_key_leaves_no_trace(
    desk: Desk, forms: dict[str, bytes], logged: io.StringIO, tmp_path: Path
) -> None:
    """Pasted as a key or as its name, with a fresh proof or without: not a byte of it stays.

    Looked for in every table, in the file of the database with its journal, in the log, in what
    the portal answers and in what it has the browser keep.
    """
    scene = desk.scene
    account, session = await owner(scene)
    key = await added(scene, session)
    await desk.sign_in(account)
    answers = ""
    sent = [data for data in forms.values() if data.isascii() and b"\n" in data.strip()]
    pieces = [piece for data in sent for piece in traces(data)]
    for number, data in enumerate(sent[:40]):
        text = data.decode()
        for fields in (
            {"key": text, "label": ""},
            {"key": PUBLIC.decode() + text, "label": "mine"},
            {"key": PUBLIC.decode(), "label": text},
        ):
            if number % 8 == 0:
                answer = await desk.send("/settings/delivery/keys/add", _ADD, **fields)
                assert answer.status_code == 400, answer.text
                answers += answer.text + str(answer.headers)
        fault = await refused(service.add_key(scene.ctx, session, data=data, **FROM))
        assert fault.code.name == "private_key_sent"
        fault = await refused(
            service.rename_key(scene.ctx, session, key_id=key.id, label=text, **FROM)
        )
        assert fault.code.name == "private_key_sent"
    cookies = str(desk.http.cookies)
    kept = await stored(scene)
    assert key.fingerprint in kept
    files = whole(tmp_path)
    for place in (answers, cookies, kept, files.decode("latin-1"), logged.getvalue()):
        assert [piece for piece in pieces if piece in place] == []
    assert [one.id for one in await service.list_keys(scene.ctx, account.id)] == [key.id]


_ADD = "/settings/delivery/keys/add"


async def test_a_long_word_in_a_comment_is_not_kept(scene: Scene) -> None:
    """What cannot be told to be a key's part is not kept either: a name has no such words."""
    _, session = await owner(scene)
    secret = base64.b64encode(bytes(range(1, 60))).decode()
    key = await added(scene, session, PUBLIC.strip() + f" {secret}\n".encode())
    assert key.label == "ssh-ed25519"
    assert secret[:41] not in await stored(scene)
