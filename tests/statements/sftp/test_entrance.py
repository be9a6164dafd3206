"""Who is let in, what strangers are told, and what the owner's log says of it."""

import asyncio
import time
from pathlib import Path

import asyncssh
import pytest

from tests.patience import PATIENCE_S, until
from tests.statements.sftp.standing import USERNAME, StandIn, Standing, new_key, run, standing
from vestibule.base.errors import Unavailable
from vestibule.delivery.rules import Outcome, fingerprint_of

TO = f"{USERNAME}@127.0.0.1"


async def logged(rooms: StandIn, count: int = 1) -> list[Outcome]:
    """What was written down, once so many visits are."""
    await until(lambda: len(rooms.visitors) >= count)
    return rooms.outcomes


@pytest.mark.parametrize(
    "kind",
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"],
)
@pytest.mark.parametrize("program", ["openssh", "library"])
async def test_key_of_each_kind_lets_in(tmp_path: Path, kind: str, program: str) -> None:
    """Ed25519, ECDSA on three curves and RSA with SHA-2, by two implementations."""
    key, path = new_key(tmp_path, kind)
    rooms = StandIn()
    rooms.add(USERNAME, key.public_data)
    async with standing(rooms, tmp_path) as server:
        if program == "library":
            async with server.connect(key):
                pass
        else:
            words = server.openssh(path, "-P", str(server.port), "-b", "-")
            code, said = await run("sftp", *words, TO, stdin=b"pwd\n")
            assert code == 0, said
        assert await logged(rooms) == [Outcome.ACCEPTED]
    assert rooms.visitors[0].fingerprints == (fingerprint_of(key.public_data),)


@pytest.mark.parametrize(
    "settings, method",
    [
        ({}, "mlkem768x25519-sha256"),
        ({"sftp_programs": "older"}, "curve25519-sha256"),
        ({"sftp_programs": "older"}, "curve25519-sha256@libssh.org"),
    ],
)
async def test_agreement_of_each_kind_leads_in(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path, settings: dict[str, str], method: str
) -> None:
    """What is offered works; curve25519 alone only where the operator wants older programs."""
    async with (
        standing(rooms, tmp_path, **settings) as server,
        server.connect(key, kex_algs=[method]) as client,
    ):
        assert client.get_extra_info("username") == USERNAME


@pytest.mark.parametrize("method", ["sntrup761x25519-sha512@openssh.com", "curve25519-sha256"])
async def test_openssh_agrees_on_keys_by_sntrup_and_not_by_curve_alone(
    server: Standing, pair: tuple[asyncssh.SSHKey, Path], method: str
) -> None:
    """OpenSSH's own sntrup761 understands ours; a method that is not offered is told as too old."""
    words = server.openssh(pair[1], "-P", str(server.port), "-b", "-")
    command = ["sftp", "-o", f"KexAlgorithms={method}", *words, TO]
    code, said = await run(*command, stdin=b"pwd\n")
    if method.startswith("sntrup"):
        assert code == 0, said
    else:
        assert "no matching key exchange method found" in said
        assert await logged(server.rooms) == [Outcome.ALGORITHM_TOO_OLD]
        visitor = server.rooms.visitors[0]
        assert (visitor.username, visitor.address) == ("", "127.0.0.1")
        assert "curve25519-sha256" in str(visitor.detail["offered_algorithm"])
        assert "OpenSSH" in visitor.program


@pytest.mark.parametrize(
    "cipher", ["chacha20-poly1305@openssh.com", "aes256-ctr", "aes128-gcm@openssh.com"]
)
async def test_ciphers_of_older_programs_carry_files(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path, cipher: str
) -> None:
    """For older programs there are ciphers that today's need not."""
    async with (
        standing(rooms, tmp_path, sftp_programs="older") as server,
        server.connect(key, encryption_algs=[cipher]) as client,
        client.start_sftp_client() as sftp,
        sftp.open("/monthly/2026-10 – Überblick.pdf", "rb") as file,
    ):
        assert await file.read() == bytes(range(256)) * 4096
    async with standing(rooms, tmp_path) as server:
        if cipher != "aes128-gcm@openssh.com":
            with pytest.raises(asyncssh.KeyExchangeFailed):
                await server.connect(key, encryption_algs=[cipher])


async def test_signature_on_sha1_is_refused_and_told_as_too_old(tmp_path: Path) -> None:
    """RSA keys sign with SHA-2 here; the owner of one that does not reads why."""
    key, path = new_key(tmp_path, "ssh-rsa")
    rooms = StandIn()
    rooms.add(USERNAME, key.public_data)
    async with standing(rooms, tmp_path) as server:
        words = server.openssh(path, "-P", str(server.port), "-b", "-")
        sha1 = ["-o", "PubkeyAcceptedAlgorithms=ssh-rsa"]
        code, said = await run("sftp", *sha1, *words, TO, stdin=b"pwd\n")
        assert code != 0
        assert "Permission denied (publickey)" in said or "no mutual signature" in said
        with pytest.raises(asyncssh.PermissionDenied):
            await server.connect(key, signature_algs=["ssh-rsa"])
        await logged(rooms, 2)
    assert Outcome.ACCEPTED not in rooms.outcomes
    assert Outcome.ALGORITHM_TOO_OLD in rooms.outcomes


async def test_strangers_are_told_the_same_and_owners_the_reason(tmp_path: Path) -> None:
    """Unknown name, foreign address, switched off, unknown key: one answer, four reasons."""
    key, path = new_key(tmp_path)
    other, other_path = new_key(tmp_path)
    rooms = StandIn()
    rooms.add("agoodname2", key.public_data)
    rooms.add("elsewhere2", key.public_data, networks=("192.0.2.0/24",))
    rooms.add("nowhere222", key.public_data, networks=())
    rooms.add("turnedoff2", key.public_data, enabled=False)
    wanted = [
        ("nobody2222", path, Outcome.USERNAME_UNKNOWN),
        ("elsewhere2", path, Outcome.ADDRESS_NOT_ALLOWED),
        ("nowhere222", path, Outcome.ADDRESS_NOT_ALLOWED),
        ("turnedoff2", path, Outcome.OFF),
        ("agoodname2", other_path, Outcome.KEY_NOT_REGISTERED),
        ("root", path, Outcome.USERNAME_UNKNOWN),
    ]
    answers = set()
    async with standing(rooms, tmp_path) as server:
        for number, (name, file, outcome) in enumerate(wanted, 1):
            words = server.openssh(file, "-P", str(server.port), "-b", "-")
            code, said = await run("sftp", *words, f"{name}@127.0.0.1", stdin=b"pwd\n")
            assert code != 0
            answers.add(said.replace(name, "NAME"))
            assert (await logged(rooms, number))[-1] is outcome
    assert len(answers) == 1
    assert "Permission denied (publickey)." in answers.pop()
    # One statement for each connection, whoever came.
    assert rooms.asked == [name for name, *_ in wanted]
    assert rooms.visitors[4].fingerprints == (fingerprint_of(other.public_data),)


async def test_no_other_way_in_is_offered(server: Standing) -> None:
    """No password, no questions, no host: only keys are named, and none was offered."""
    methods = await asyncssh.get_server_auth_methods(
        "127.0.0.1", server.port, username=USERNAME, kex_algs=["mlkem768x25519-sha256"]
    )
    assert methods == ["publickey"]
    assert await logged(server.rooms) == [Outcome.NO_KEY_OFFERED]


async def test_password_is_refused_and_stands_nowhere(
    server: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody types a password: it is not taken, and neither logged nor kept."""
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1",
            server.port,
            username=USERNAME,
            password="a lantern",
            client_keys=None,
            known_hosts=None,
            kex_algs=["mlkem768x25519-sha256"],
        )
    await logged(server.rooms)
    assert "lantern" not in capsys.readouterr().out + repr(server.rooms.visitors)


async def test_offering_too_many_keys_ends_the_connection(server: Standing, tmp_path: Path) -> None:
    """Twenty keys may be tried; a program with more is sent away, and its owner sees them."""
    keys = [new_key(tmp_path)[0] for _ in range(25)]
    with pytest.raises(asyncssh.PermissionDenied, match="Too many authentication failures"):
        await server.connect(keys[0], client_keys=keys)
    assert await logged(server.rooms) == [Outcome.KEY_NOT_REGISTERED]
    assert len(server.rooms.visitors[0].fingerprints) == 21


async def test_second_username_ends_the_connection(server: Standing, key: asyncssh.SSHKey) -> None:
    """One connection asks for one name: more cannot be tried for the price of one."""

    class Renaming(asyncssh.SSHClient):
        def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
            self.conn = conn
            self.asked = False

        def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
            if self.asked:
                self.conn._username = "another222"
            self.asked = True
            return asyncssh.generate_private_key("ssh-ed25519")

    with pytest.raises(asyncssh.DisconnectError, match="Change of username"):
        await server.connect(key, client_keys=None, client_factory=Renaming)
    assert server.rooms.asked == [USERNAME]


async def test_connection_of_an_account_is_one_too_many(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """Beyond its limit an account is refused, and again let in when one has gone."""
    async with standing(rooms, tmp_path, sftp_connections_per_account=2) as server:
        one, two = await server.connect(key), await server.connect(key)
        with pytest.raises(asyncssh.PermissionDenied, match="Too many connections"):
            await server.connect(key)
        assert (await logged(rooms, 3))[2] is Outcome.TOO_MANY
        one.abort()
        await until(lambda: len(server.hall._connections) == 1)
        async with server.connect(key):
            two.abort()


async def test_silent_connection_ends_after_its_time(rooms: StandIn, tmp_path: Path) -> None:
    """Who says nothing is gone after the login time; who named themselves is told why."""
    async with standing(rooms, tmp_path, sftp_login_seconds=1) as server:
        reader, writer = await server.raw()
        began = time.monotonic()
        assert (await reader.readline()).startswith(b"SSH-2.0-Vestibule")
        assert await reader.read() == b""
        assert time.monotonic() - began > 0.5
        writer.close()
    assert rooms.visitors == []


async def test_rate_of_an_address_is_held_before_anything_is_said(
    rooms: StandIn, tmp_path: Path
) -> None:
    """Of fifty connections at once ten are greeted; the others are closed without a byte."""
    async with standing(rooms, tmp_path, sftp_handshakes_per_second=1) as server:
        opened = [await server.raw() for _ in range(50)]

        async def greeting(reader: asyncio.StreamReader) -> bytes:
            try:
                return await asyncio.wait_for(reader.readline(), PATIENCE_S)
            except (ConnectionError, TimeoutError):
                return b""

        said = await asyncio.gather(*[greeting(reader) for reader, _ in opened])
        assert sum(bool(line) for line in said) == 10
        for _, writer in opened:
            writer.close()


async def test_half_open_connections_do_not_lock_clients_out(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """A hundred connections that say nothing: a client still comes in, for they make room."""
    async with standing(rooms, tmp_path, sftp_handshakes=20) as server:
        opened = [await server.raw() for _ in range(100)]
        async with server.connect(key) as client, client.start_sftp_client() as sftp:
            assert await sftp.exists("/daily")
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize("change", ["key", "network", "off", "gone"])
async def test_right_that_is_taken_away_ends_what_runs(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:  # fmt: skip
    """A removed key or network, a switch, a disabled account: the session ends by itself."""
    monkeypatch.setattr("vestibule.statements.sftp.hall.WATCH_S", 0.1)
    other, _ = new_key(tmp_path)
    rooms.add("another222", other.public_data)
    async with standing(rooms, tmp_path) as server:
        client = await server.connect(key)
        async with server.connect(other, username="another222") as beside:
            await asyncio.sleep(0.3)
            assert not client.is_closed()
            if change == "gone":
                del rooms.home[USERNAME]
            else:
                rooms.add(
                    USERNAME,
                    *([] if change == "key" else [key.public_data]),
                    networks=("192.0.2.0/24",) if change == "network" else ("127.0.0.0/8",),
                    enabled=change != "off",
                )
            await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
            await asyncio.sleep(0.1)
            assert not beside.is_closed()
    reasons = {
        "key": Outcome.KEY_NOT_REGISTERED,
        "network": Outcome.ADDRESS_NOT_ALLOWED,
        "off": Outcome.OFF,
        "gone": Outcome.USERNAME_UNKNOWN,
    }
    assert rooms.left_as[0] == ("visit-1", 0, 0, reasons[change])


async def test_idle_connection_ends(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a request for its time a connection ends, though it says that it is alive."""
    monkeypatch.setattr("vestibule.statements.sftp.hall.WATCH_S", 0.1)
    async with standing(rooms, tmp_path, sftp_idle_minutes=1) as server:
        monkeypatch.setattr("vestibule.statements.sftp.hall.MINUTE_S", 0.01)
        async with server.connect(key, keepalive_interval=0.05) as client:
            await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
    assert rooms.left_as[0][3] is Outcome.TIMED_OUT


async def test_visits_are_written_before_the_server_ends(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """A visit is not lost by a slow database and an end of the process at once."""
    written = rooms.arrived

    async def slowly(visitor: object) -> str | None:
        await asyncio.sleep(0.3)
        return await written(visitor)  # type: ignore[arg-type]  # as it came

    rooms.arrived = slowly  # type: ignore[method-assign]  # a slow one
    async with standing(rooms, tmp_path) as server:
        client = await server.connect(key)
    await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
    assert rooms.outcomes == [Outcome.ACCEPTED]
    assert [outcome for *_, outcome in rooms.left_as] == [Outcome.LOST]


async def test_database_that_is_away_lets_nobody_in_and_ends_nothing(
    rooms: StandIn, key: asyncssh.SSHKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions go on while the database is away; new ones are refused, and later let in."""
    monkeypatch.setattr("vestibule.statements.sftp.hall.WATCH_S", 0.05)

    async def away(*_args: object) -> None:
        raise Unavailable("database_unavailable")

    async with (
        standing(rooms, tmp_path) as server,
        server.connect(key) as client,
        client.start_sftp_client() as sftp,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(rooms, "door", away, raising=False)
            patch.setattr(rooms, "doors", away, raising=False)
            with pytest.raises((asyncssh.Error, OSError)):
                await server.connect(key)
            await asyncio.sleep(0.2)
        assert await sftp.exists("/daily/2026-11-22.csv")
        async with server.connect(key):
            pass
