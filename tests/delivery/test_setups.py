"""Configurations for clients' programs: read by the programs themselves, where they are here."""

import asyncio
import configparser
import os
import plistlib
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import asyncssh
import pytest

from vestibule.base import i18n
from vestibule.base.errors import Refused
from vestibule.delivery.rules.setups import (
    PROGRAMS,
    Setup,
    SetupFacts,
    fingerprint,
    key_path,
    setups,
)

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
LINE = " ".join(HOST_KEY.export_public_key().decode().split()[:2])
ORGANISATIONS = [
    "Bank of Nowhere",
    "Müller & Söhne",
    "\"><x y='1'>]]>--> %41 $(id) `id` \\",
    "a\nHost *\r\n\tProxyCommand id\x00\u202e\u2028b",
    "東京銀行",
    "con",
    " ",
    "../../etc/passwd",
    "]\\[Sessions\\x]",
]


def made(**given: object) -> dict[str, Setup]:
    """The files by name, for one client."""
    facts: dict[str, object] = {
        "organisation": "Bank of Nowhere",
        "host": "sftp.example",
        "port": 8602,
        "username": "kq7abcdefg",
        "host_keys": (LINE,),
    }
    return {one.filename: one for one in setups(SetupFacts(**{**facts, **given}))}  # type: ignore[arg-type]


def ending(files: dict[str, Setup], end: str) -> Setup:
    """The one file with this ending."""
    (found,) = [one for name, one in files.items() if name.endswith(end)]
    return found


def written(folder: Path, files: dict[str, Setup]) -> None:
    """All files in a folder, as a client saves them."""
    for name, one in files.items():
        (folder / name).write_text(one.text, "utf-8", newline="")


@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_openssh_reads_the_stanza_and_nothing_else(organisation: str, tmp_path: Path) -> None:
    """`ssh -G` finds exactly what was meant, whatever the operator is called."""
    files = made(organisation=organisation, folder=str(tmp_path), key_file="~/my keys/100% k")
    written(tmp_path, files)
    config = ending(files, ".conf")
    alias = config.filename.removesuffix(".conf")
    said = subprocess.run(
        ["ssh", "-G", "-F", tmp_path / config.filename, alias],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    read = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    assert read["hostname"] == "sftp.example"
    assert read["port"] == "8602"
    assert read["user"] == "kq7abcdefg"
    assert read["identitiesonly"] == "yes"
    assert read["stricthostkeychecking"] in {"yes", "true"}
    assert read["hostkeyalias"] == alias
    assert read["identityfile"].strip('"') == "~/my keys/100%% k"
    assert str(tmp_path) in read["userknownhostsfile"]
    assert "proxycommand" not in read
    other = subprocess.run(
        ["ssh", "-G", "-F", tmp_path / config.filename, "elsewhere"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "kq7abcdefg" not in other


@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_every_file_is_named_safely_and_names_its_operator(organisation: str) -> None:
    """File names are plain everywhere; XML, property list and INI give the name back."""
    files = made(organisation=organisation, key_file="C:\\My keys\\é.ppk")
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*\.?[a-z_]+", name) for name in files)
    shown = "".join(c for c in organisation if c.isprintable()).strip() or "sftp.example"

    server = ET.fromstring(ending(files, ".xml").text).find("Servers/Server")  # noqa: S314
    assert server is not None
    site = {child.tag: child.text for child in server}
    assert site["Name"] is not None
    assert site["Name"].strip() == shown
    assert (site["Protocol"], site["Logontype"]) == ("1", "5")
    assert site["Keyfile"] == "C:\\My keys\\é.ppk"

    bookmark = plistlib.loads(ending(files, ".duck").text.encode())
    assert bookmark["Nickname"] == shown
    assert bookmark["Private Key File Dictionary"] == {"Path": "C:\\My keys\\é.ppk"}

    ini = configparser.RawConfigParser()
    ini.optionxform = str  # type: ignore[assignment,method-assign]
    ini.read_string(ending(files, ".ini").text)
    (section,) = ini.sections()
    told = unquote(section.removeprefix("Sessions\\")).removeprefix("\ufeff")
    assert told == shown.replace("/", "-").replace("\\", "-").replace('"', "'")
    assert ini[section]["FSProtocol"] == "2"
    assert unquote(ini[section]["PublicKeyFile"]).removeprefix("\ufeff") == "C:\\My keys\\é.ppk"


@pytest.mark.parametrize(
    "path", ['a"b', "a`id`", "$HOME/k", "a\nb", "\x00", "a" * 256, "\u202ek", "a\u2028b"]
)
def test_key_path_refuses_what_ends_a_quote_or_a_line(path: str) -> None:
    """A path from a form or an option becomes no second line and no command."""
    with pytest.raises(Refused, match="bad_field"):
        key_path(path)
    with pytest.raises(Refused, match="bad_field"):
        made(key_file=path)


@pytest.mark.parametrize(
    "told",
    [
        {"host": "a\n    ProxyCommand id"},
        {"host": "-oProxyCommand=id"},
        {"username": "mira\nHost *"},
        {"host_keys": (f"{LINE}\n* {LINE}",)},
        {"host_keys": (f"{LINE} comment",)},
    ],
)
def test_facts_of_a_false_portal_become_no_lines(told: dict[str, object]) -> None:
    """Whoever answers in the portal's place cannot write commands into a client's files."""
    with pytest.raises(Refused, match="bad_field"):
        made(**told)


def test_putty_key_is_converted_for_openssh_and_an_openssh_key_for_winscp() -> None:
    """Each program is given a key of the format that it reads, and the command that makes it."""
    putty = made(key_file="privatekey.ppk")
    assert 'IdentityFile "privatekey"\n' in ending(putty, ".conf").text
    assert "delivery.setup.openssh.convert" in ending(putty, ".conf").steps
    assert "delivery.setup.winscp.convert" not in ending(putty, ".ini").steps
    plain = made(key_file="id_ed25519")
    assert "delivery.setup.openssh.convert" not in ending(plain, ".conf").steps
    assert "delivery.setup.winscp.convert" in ending(plain, ".ini").steps
    assert "PublicKeyFile=id_ed25519.ppk" in ending(plain, ".ini").text


def test_steps_have_texts_with_all_their_facts() -> None:
    """Nothing is left open in what a client reads, in any program."""
    seen = set()
    for key_file in ("", "privatekey.ppk", "id_ed25519"):
        for one in made(key_file=key_file).values():
            seen.add(one.program)
            assert one.steps
            for step in one.steps:
                assert "…" not in i18n.t(step, **one.facts).replace("manager…", "").replace(
                    "Manager…", ""
                ).replace("Import…", "").replace("Browse…", "").replace("Synchronize…", "")
    assert seen == set(PROGRAMS)


def test_ipv6_server_stands_in_brackets_only_where_an_address_is_written() -> None:
    """Fields take the bare address, URLs the bracketed one (RFC 3986 section 3.2.2)."""
    files = made(host="2001:db8::1")
    assert "HostName 2001:db8::1\n" in ending(files, ".conf").text
    assert "sftp://kq7abcdefg@[2001:db8::1]:8602/" in ending(files, ".txt").text
    assert "<Host>2001:db8::1</Host>" in ending(files, ".xml").text


def test_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    """What a client compares is what the program displays."""
    (tmp_path / "k.pub").write_text(LINE + "\n")
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "k.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert said.split()[1] == fingerprint(LINE)


# --- with a server -----------------------------------------------------------------------------


class Door(asyncssh.SSHServer):
    """Lets anybody in who shows a key."""

    def begin_auth(self, username: str) -> bool:  # noqa: D102
        return True

    def public_key_auth_supported(self) -> bool:  # noqa: D102
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: D102
        return username == "kq7abcdefg"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """An SFTP server with two statements."""
    tree = tmp_path / "tree"
    for kind in ("daily", "monthly"):
        (tree / kind).mkdir(parents=True)
        (tree / kind / "2026-11 é.pdf").write_bytes(kind.encode() * 1000)

    def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=os.fsencode(tree))

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[HOST_KEY], sftp_factory=files
    )
    yield server.get_port()
    server.close()
    await server.wait_closed()


async def ran(command: str, folder: Path) -> tuple[int, str]:
    """A command as a client types it."""
    environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, said.decode(errors="replace")


def at_home(tmp_path: Path, port: int, line: str = LINE) -> tuple[Path, dict[str, Setup]]:
    """A client's machine with key and configurations in a folder of a difficult name."""
    home = tmp_path / "mira's files (new)"
    home.mkdir()
    key = home / "my key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    key.chmod(0o600)
    files = made(
        host="127.0.0.1", port=port, key_file=str(key), folder=str(home), host_keys=(line,)
    )
    written(home, files)
    return home, files


async def test_sftp_fetches_everything_by_the_mirror_command(port: int, tmp_path: Path) -> None:
    """OpenSSH's own client signs in with the stanza and fetches by the batch."""
    home, files = at_home(tmp_path, port)
    code, said = await ran(ending(files, ".batch").command, home)
    assert code == 0, said
    assert (home / "daily" / "2026-11 é.pdf").read_bytes() == b"daily" * 1000
    assert (home / "monthly" / "2026-11 é.pdf").exists()


async def test_lftp_mirrors_by_its_script_and_again_fetches_only_what_is_new(
    port: int, tmp_path: Path
) -> None:
    """The program goes by way of the same stanza, paths with spaces and quotes and all."""
    home, files = at_home(tmp_path, port)
    code, said = await ran(ending(files, ".lftp").command, home)
    assert code == 0, said
    fetched = home / "statements" / "daily" / "2026-11 é.pdf"
    assert fetched.read_bytes() == b"daily" * 1000
    before = fetched.stat().st_ino
    code, said = await ran(ending(files, ".lftp").command, home)
    assert code == 0, said
    assert fetched.stat().st_ino == before


async def test_impostor_with_another_host_key_is_refused(port: int, tmp_path: Path) -> None:
    """The pinned key holds: no question is asked and nothing is fetched."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    home, files = at_home(tmp_path, port, " ".join(other.split()[:2]))
    code, said = await ran(ending(files, ".batch").command, home)
    assert code != 0
    assert "HOST IDENTIFICATION HAS CHANGED" in said
    assert not (home / "daily").exists()
