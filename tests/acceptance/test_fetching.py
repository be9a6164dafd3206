"""Clients' real programs fetch statements from the real server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest

from tests.delivering import Shelves
from tests.fetching import HOST, Done, Machine, digest, wait_for_sftp
from tests.serving import Server, serving

pytestmark = pytest.mark.processes
CROWD = 200
SMALL = 10_000
GIB = 1 << 30
END_SECONDS = 20.0
"""The server looks every five seconds whether those who are in may stay; this machine is busy."""


@dataclass
class Shop:
    """A running server, and clients with machines of their own."""

    server: Server
    folder: Path
    url: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def on_shelves(self, act: Callable[[Shelves], Awaitable[str | None]]) -> str | None:
        """Do something in the server's database."""

        async def opened() -> str | None:
            async with Shelves.opened(self.url, self.server.data) as shelves:
                return await act(shelves)

        return asyncio.run(opened())

    def client(self, *keys: bytes, machine: Machine | None = None) -> Client:
        """Somebody with an account, a machine, and keys: given ones or a new one."""
        number = next(self.numbers)
        name = f"client{number}"
        self.server.add_account(name)
        machine = machine or Machine(self.folder / name, self.server.sftp)
        given = keys or (machine.make_key(),)

        async def act(shelves: Shelves) -> str:
            return await shelves.let_in(await shelves.account_id(name), *given)

        machine.username = str(self.on_shelves(act))
        return Client(self, name, machine)


@dataclass
class Client:
    """One account and its machine."""

    shop: Shop
    name: str
    machine: Machine

    def has(self, kind: str, *files: Path) -> None:
        """Put statements into the account."""

        async def act(shelves: Shelves) -> None:
            await shelves.shelve(await shelves.account_id(self.name), kind, *files)

        self.shop.on_shelves(act)

    def paper(self, name: str, size: int = 40_000, kind: str = "daily") -> Path:
        """One statement of noise, in the account; a copy of it to compare with."""
        path = self.machine.folder / "papers" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
            file.write(os.urandom(size & 0xFFFFF))
        self.has(kind, path)
        return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A server with room for many programs from one address."""
    data = tmp_path_factory.mktemp("shop")
    url = f"sqlite:///{data / 'vestibule.db'}"
    with serving(
        data,
        database_url=url,
        telling=False,
        sftp_alone=False,
        sftp_connections_per_account=CROWD + 10,
        sftp_handshakes=CROWD + 10,
        sftp_handshakes_per_second=1000,
    ) as server:
        wait_for_sftp(server.sftp)
        yield Shop(server, tmp_path_factory.mktemp("machines"), url)


def by_sftp(machine: Machine) -> Done:
    """OpenSSH's sftp."""
    return machine.sftp("get /daily/2026-11-22.pdf got.pdf")


def by_scp(machine: Machine) -> Done:
    """OpenSSH's scp."""
    return machine.scp("/daily/2026-11-22.pdf", into="got.pdf")


def by_lftp(machine: Machine) -> Done:
    """Lftp."""
    return machine.lftp("get /daily/2026-11-22.pdf -o got.pdf")


def by_paramiko(machine: Machine) -> Done:
    """A script in Python."""
    with paramiko.SSHClient() as ssh:
        ssh.get_host_keys().add(f"[{HOST}]:{machine.port}", "ssh-ed25519", host_key(machine))
        ssh.connect(
            HOST,
            machine.port,
            machine.username,
            key_filename=str(machine.key),
            look_for_keys=False,
            allow_agent=False,
        )
        ssh.open_sftp().get("/daily/2026-11-22.pdf", str(machine.folder / "got.pdf"))
    return Done(0, "")


def host_key(machine: Machine) -> paramiko.PKey:
    """The server's public key."""
    line = paramiko.hostkeys.HostKeyEntry.from_line(machine.host_line)
    assert line is not None
    assert line.key is not None
    return line.key


@pytest.mark.parametrize("program", [by_sftp, by_scp, by_lftp, by_paramiko])
def test_program_fetches_a_statement(shop: Shop, program: Callable[[Machine], Done]) -> None:
    """What arrives is what was published, by each of the programs."""
    client = shop.client()
    paper = client.paper("2026-11-22.pdf")
    program(client.machine).well()
    assert (client.machine.folder / "got.pdf").read_bytes() == paper.read_bytes()


def test_putty_fetches_with_the_key_of_the_article(shop: Shop) -> None:
    """The two puttygen commands, their public.key registered, psftp with privatekey.ppk."""
    machine = Machine(shop.folder / "putty", shop.server.sftp)
    client = shop.client(machine.make_putty_key(), machine=machine)
    paper = client.paper("2026-11-22.pdf", 300_000)
    machine.psftp("get /daily/2026-11-22.pdf got.pdf").well()
    assert (machine.folder / "got.pdf").read_bytes() == paper.read_bytes()


@pytest.mark.parametrize(
    "kind, bits",
    [
        ("ed25519", None),
        ("ecdsa", 256),
        ("ecdsa", 384),
        ("ecdsa", 521),
        ("rsa", 2048),
        ("rsa", 4096),
    ],
)
def test_key_of_each_kind_opens(shop: Shop, kind: str, bits: int | None) -> None:
    """Every kind of key that can be registered signs in."""
    machine = Machine(shop.folder / f"{kind}-{bits}", shop.server.sftp)
    client = shop.client(machine.make_key(kind, bits), machine=machine)
    assert "daily" in client.machine.sftp("ls /").well()


def test_key_of_another_client_does_not_open(shop: Shop) -> None:
    """A key opens the homes that it is registered for, and the answer to others is the least."""
    owner, other = shop.client(), shop.client()
    owner.paper("2026-11-22.pdf")
    other.machine.username = owner.machine.username
    refused = other.machine.sftp("ls /")
    assert refused.code != 0
    assert "Permission denied (publickey)" in refused.said
    assert "daily" not in refused.said


def test_nothing_is_written_removed_or_renamed(shop: Shop) -> None:
    """Whatever a program asks to change is refused, and everything is as it was."""
    client = shop.client()
    paper = client.paper("2026-11-22.pdf")
    for command in (
        f"put {paper} /daily/new.pdf",
        f"put {paper} /daily/2026-11-22.pdf",
        "rm /daily/2026-11-22.pdf",
        "rename /daily/2026-11-22.pdf /daily/other.pdf",
        "ln /daily/2026-11-22.pdf /daily/other.pdf",
        "ln -s /daily/2026-11-22.pdf /daily/other.pdf",
        "mkdir /other",
        "rmdir /trade",
        "chmod 777 /daily/2026-11-22.pdf",
    ):
        assert client.machine.sftp(command).code != 0, command
    listed = client.machine.sftp("ls -1 /", "ls -1 /daily").well().split("\n")
    shown = [line for line in listed if line and not line.startswith("sftp>")]
    assert shown == ["/daily", "/monthly", "/trade", "/daily/2026-11-22.pdf"]
    by_sftp(client.machine).well()
    assert (client.machine.folder / "got.pdf").read_bytes() == paper.read_bytes()


@pytest.mark.slow
def test_file_of_a_gibibyte_arrives_whole(shop: Shop) -> None:
    """1 GiB, with data at its ends and between: the digest is the same."""
    client = shop.client()
    paper = client.machine.folder / "big.csv"
    with paper.open("wb") as file:
        file.truncate(GIB)
        for at in (0, GIB // 3 + 1, GIB - (1 << 20)):
            file.seek(at)
            file.write(os.urandom(1 << 20))
    client.has("monthly", paper)
    client.machine.sftp("get /monthly/big.csv got.csv", seconds=300).well()
    assert digest(client.machine.folder / "got.csv") == digest(paper)


@pytest.mark.slow
def test_ten_thousand_small_files_arrive(shop: Shop) -> None:
    """One mirror of them all by lftp; each is there, and each is what it was."""
    client = shop.client()
    folder = client.machine.folder / "papers"
    folder.mkdir()
    for number in range(SMALL):
        (folder / f"{number:05}.csv").write_bytes(f"{number};".encode() * 50)
    client.has("trade", *sorted(folder.iterdir()))
    client.machine.lftp("mirror --parallel=4 /trade got", seconds=300).well()
    got = {path.name: path.read_bytes() for path in (client.machine.folder / "got").iterdir()}
    assert got == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("program", ["sftp", "lftp"])
def test_download_goes_on_where_it_broke(shop: Shop, program: str) -> None:
    """The program is killed in the middle, the server starts anew, and the rest is fetched."""
    client = shop.client()
    machine = client.machine
    paper = client.paper("big.bin", 64 << 20, "monthly")
    if program == "sftp":
        slowed = machine.sftp_words("-l", "160000")  # kbit/s: about three seconds in all
        commands, again = "get /monthly/big.bin got\n", machine.sftp_words()
        rest = "reget /monthly/big.bin got\n"
    else:
        slowed = machine.lftp_words("set net:limit-rate 20000000", "get /monthly/big.bin -o got")
        commands, again = "", machine.lftp_words("get -c /monthly/big.bin -o got")
        rest = ""
    got = machine.folder / "got"
    with machine.started(*slowed, said=commands):
        until(lambda: got.exists() and got.stat().st_size > 4 << 20, "some of the file")
    before = got.stat().st_size
    assert before < paper.stat().st_size
    shop.server.stop()
    shop.server.start()
    wait_for_sftp(shop.server.sftp)
    machine.run(*again, said=rest).well()
    assert digest(got) == digest(paper)


@pytest.mark.slow
def test_crowd_of_one_account_is_served(shop: Shop) -> None:
    """200 programs are in at the same time; each fetches one file, then another."""
    client = shop.client()
    machine, first, second = client.machine, client.paper("1.pdf"), client.paper("2.pdf")
    crowd = range(CROWD)
    with contextlib.ExitStack() as stack:
        programs = [
            stack.enter_context(
                machine.started(*machine.sftp_words(), said=f"get /daily/1.pdf first-{number}\n")
            )
            for number in crowd
        ]
        whole = first.stat().st_size
        paths = [machine.folder / f"first-{number}" for number in crowd]
        everybody = lambda: all(path.exists() and path.stat().st_size == whole for path in paths)  # noqa: E731
        until(everybody, "everybody's first file", 120)
        assert all(program.poll() is None for program in programs)
        for number, program in enumerate(programs):
            program.communicate(f"get /daily/2.pdf second-{number}\nbye\n", timeout=120)
        assert [program.returncode for program in programs] == [0] * CROWD
    for number in crowd:
        assert (machine.folder / f"first-{number}").read_bytes() == first.read_bytes()
        assert (machine.folder / f"second-{number}").read_bytes() == second.read_bytes()


async def _remove_keys(shelves: Shelves, account_id: str) -> None:
    await shelves.remove_keys(account_id)


async def _move_away(shelves: Shelves, account_id: str) -> None:
    await shelves.set_networks(account_id, "198.51.100.0/24")


@pytest.mark.parametrize("change", [_remove_keys, _move_away])
def test_session_ends_when_it_is_no_longer_allowed(
    shop: Shop, change: Callable[[Shelves, str], Awaitable[None]]
) -> None:
    """Its key is removed, or its address: who is in is put out, and does not come in again."""
    client = shop.client()
    client.paper("2026-11-22.pdf")

    async def act(shelves: Shelves) -> None:
        await change(shelves, await shelves.account_id(client.name))

    got = client.machine.folder / "got"
    words = client.machine.sftp_words()
    with client.machine.started(*words, said="get /daily/2026-11-22.pdf got\n") as program:
        until(got.exists, "the first file")
        shop.on_shelves(act)
        until(lambda: _put_out(program), "the end of the session", END_SECONDS)
        assert program.returncode != 0
    assert client.machine.sftp("ls /").code != 0


def _put_out(program: subprocess.Popen[str]) -> bool:
    """Whether a program that goes on asking has lost its connection."""
    assert program.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        program.stdin.write("ls /\n")
        program.stdin.flush()
    time.sleep(0.2)
    return program.poll() is not None


def test_address_that_is_not_allowed_is_kept_out(shop: Shop) -> None:
    """The same key: refused from one address, let in from the one that is allowed."""
    client = shop.client()

    async def act(shelves: Shelves) -> None:
        await shelves.set_networks(await shelves.account_id(client.name), "127.0.0.2/32")

    shop.on_shelves(act)
    assert "Permission denied (publickey)" in client.machine.sftp("ls /").said
    client.machine.source = "127.0.0.2"
    assert "daily" in client.machine.sftp("ls /").well()


def test_encrypted_statement_is_fetched_and_read_with_gnupg(shop: Shop) -> None:
    """With a certificate, what is published lies encrypted in the store and opens with GnuPG."""
    client = shop.client()
    machine = client.machine
    home = machine.folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback")
    made = (
        "--passphrase",
        "",
        "--quick-generate-key",
        "Ada Mercer <ada@example.org>",
        "future-default",
    )
    machine.run(*gpg, *made, "default", "never").well()
    machine.run(*gpg, "--output", "certificate.pgp", "--export", "ada@example.org").well()

    async def act(shelves: Shelves) -> None:
        exported = (machine.folder / "certificate.pgp").read_bytes()
        await shelves.certify(await shelves.account_id(client.name), exported)

    shop.on_shelves(act)
    secret = b"What nobody else may read. " * 2000
    out = machine.folder / "out" / client.name / "daily"
    out.mkdir(parents=True)
    (out / "2026-11-22.txt").write_bytes(secret)
    shop.server.command("statements", "publish", str(out.parent.parent))
    machine.sftp("get /daily/2026-11-22.txt.pgp got.pgp").well()
    machine.run(*gpg, "--output", "read.txt", "--decrypt", "got.pgp").well()
    assert (machine.folder / "read.txt").read_bytes() == secret
    assert machine.sftp("get /daily/2026-11-22.txt plain").code != 0
    for path in (shop.server.data / "statements").rglob("*"):
        assert path.is_dir() or secret[:40] not in path.read_bytes(), path
    machine.run("gpgconf", "--homedir", str(home), "--kill", "all")


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"never: {what}"
        time.sleep(0.01)
