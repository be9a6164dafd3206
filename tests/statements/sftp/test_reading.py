"""What one who was let in may do: list and read, over the wire, and nothing else."""

import asyncio
import os
import re
from pathlib import Path

import asyncssh
import pytest

from tests.patience import until
from tests.statements.sftp.conftest import FILES
from tests.statements.sftp.standing import USERNAME, Content, StandIn, Standing, run, standing
from tests.statements.sftp.test_tree import corpus

ACCOUNT = f"account-{USERNAME}"


async def test_folders_and_files_are_listed_with_size_time_and_mode(
    server: Standing, key: asyncssh.SSHKey
) -> None:
    """Three folders, files in them, readable by their owner and nobody's otherwise."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        assert set(await sftp.listdir("/")) == {".", "..", "daily", "monthly", "trade"}
        shown = {entry.filename: entry.attrs for entry in await sftp.readdir("/daily")}
        attrs = shown["2026-11-22.csv"]
        assert (attrs.size, attrs.permissions, attrs.uid) == (25, 0o100440, None)
        assert shown["."].permissions == 0o40550
        assert (await sftp.stat("monthly")).type == asyncssh.FILEXFER_TYPE_DIRECTORY
        assert await sftp.realpath("daily/../monthly/.") == "/monthly"


async def test_every_file_is_read_whole(server: Standing, key: asyncssh.SSHKey) -> None:
    """What was published is what arrives, whatever its name; the visit counts files and bytes."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        for (kind, name), content in FILES.items():
            async with sftp.open(f"/{kind}/{name}", "rb") as file:
                assert await file.read() == content
    await until(lambda: server.rooms.left_as)
    assert server.rooms.left_as == [("visit-1", 3, sum(map(len, FILES.values())), None)]


async def test_download_is_resumed_where_it_broke_off(
    server: Standing, pair: tuple[asyncssh.SSHKey, Path], tmp_path: Path
) -> None:
    """OpenSSH's reget takes up what is missing, and no more."""
    content = os.urandom(3_000_000)
    server.rooms.files[ACCOUNT]["trade", "big.bin"] = content
    (tmp_path / "big.bin").write_bytes(content[:1_234_567])
    words = server.openssh(pair[1], "-P", str(server.port))
    batch = f"reget /trade/big.bin {tmp_path / 'big.bin'}\n".encode()
    code, said = await run("sftp", *words, "-b", "-", f"{USERNAME}@127.0.0.1", stdin=batch)
    assert code == 0, said
    assert (tmp_path / "big.bin").read_bytes() == content
    await until(lambda: server.rooms.left_as)
    assert server.rooms.left_as[0][2] < 2_000_000


async def test_traversal_corpus_finds_nothing_over_the_wire(
    server: Standing, key: asyncssh.SSHKey
) -> None:
    """Two thousand paths out of the tree: no file is opened, and the session goes on."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        handler = sftp._handler
        answers = await asyncio.gather(
            *[
                handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())
                for path in corpus()
                if len(path) < 30_000
            ],
            return_exceptions=True,
        )
        assert {type(answer) for answer in answers} <= {
            asyncssh.SFTPNoSuchFile,
            asyncssh.SFTPFailure,  # a folder
        }
        assert server.rooms.opened == []
        assert await sftp.exists("/daily/2026-11-22.csv")


async def test_nothing_can_be_written(server: Standing, key: asyncssh.SSHKey) -> None:
    """Each operation that would change anything is answered: a read-only file system."""
    name = "/daily/2026-11-22.csv"
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        handler = sftp._handler
        attrs = asyncssh.SFTPAttrs(permissions=0o777)
        flags = [asyncssh.FXF_WRITE, asyncssh.FXF_READ | asyncssh.FXF_WRITE, 0]
        flags += [asyncssh.FXF_CREAT, asyncssh.FXF_READ | asyncssh.FXF_TRUNC]
        flags += [asyncssh.FXF_APPEND, asyncssh.FXF_READ | asyncssh.FXF_EXCL]
        path = name.encode()
        tries = [handler.open(path, flag, attrs) for flag in flags]
        tries += [
            handler.setstat(path, attrs),
            handler.remove(path),
            handler.mkdir(b"/daily/x", attrs),
            handler.rmdir(b"/daily"),
            handler.rename(path, b"/daily/y", 0),
            handler.symlink(path, b"/daily/z"),
        ]
        for extension in (b"posix-rename@openssh.com", b"hardlink@openssh.com", b"copy-data"):
            tries.append(handler._make_request(extension, asyncssh.packet.String(path)))
        for attempt in tries:
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="Read-only file system"):
                await attempt
        handle = await handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await handler.write(handle, 0, b"x")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.readlink(name)
    assert server.rooms.files[ACCOUNT] == FILES


async def test_handles_are_bounded_and_ones_own(server: Standing, key: asyncssh.SSHKey) -> None:
    """Sixty-four files may be open; a handle of another session opens nothing."""
    path = b"/daily/2026-11-22.csv"
    async with (
        server.connect(key) as client,
        client.start_sftp_client() as sftp,
        client.start_sftp_client() as beside,
        server.connect(key) as other,
        other.start_sftp_client() as far,
    ):
        handler = sftp._handler
        opened = [
            await handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs()) for _ in range(64)
        ]
        with pytest.raises(asyncssh.SFTPFailure, match="Too many open files"):
            await handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())
        for foreign in (beside._handler, far._handler):
            for handle in (opened[0], b"", b"\xff" * 8, b"x" * 10_000):
                for attempt in (
                    foreign.read(handle, 0, 10),
                    foreign.fstat(handle, 0),
                    foreign.close(handle),
                    foreign.readdir(handle),
                ):
                    with pytest.raises(asyncssh.SFTPFailure):
                        await attempt
        await handler.close(opened[0])
        with pytest.raises(asyncssh.SFTPFailure):
            await handler.read(opened[0], 0, 10)
        await handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())
    assert len(server.rooms.opened) == 65
    await until(lambda: all(content.closed for content in server.rooms.opened))


@pytest.mark.parametrize(
    "offset, size",
    [(25, 1), (2**63, 10), (2**64 - 1, 2**32 - 1), (0, 0), (2**32, 2**31)],
)
async def test_read_behind_the_end_says_so(
    server: Standing, key: asyncssh.SSHKey, offset: int, size: int
) -> None:
    """An absurd place or length is the end of the file."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        handler = sftp._handler
        handle = await handler.open(
            b"/daily/2026-11-22.csv", asyncssh.FXF_READ, asyncssh.SFTPAttrs()
        )
        with pytest.raises(asyncssh.SFTPEOFError):
            await handler.read(handle, offset, size)
        data, _ = await handler.read(handle, 20, 2**32 - 1)
        assert data == FILES["daily", "2026-11-22.csv"][20:]


async def test_purged_file_is_gone_at_once(server: Standing, key: asyncssh.SSHKey) -> None:
    """A file that was listed and has been purged since is not found, and the listing is new."""
    async with server.connect(key) as client, client.start_sftp_client() as sftp:
        assert "2026-11-22.csv" in await sftp.listdir("/daily")
        del server.rooms.files[ACCOUNT]["daily", "2026-11-22.csv"]
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.open("/daily/2026-11-22.csv", "rb")
        assert "2026-11-22.csv" not in await sftp.listdir("/daily")


class Slow(Content):
    """A store over the network."""

    under_way = most = 0

    async def _wait(self, offset: int, size: int) -> bytes:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        return self.data[offset : offset + size]

    def read(self, offset: int, size: int) -> "asyncio.Future[bytes] | bytes":
        """Later."""
        return asyncio.ensure_future(self._wait(offset, size))


class Remote(StandIn):
    """Rooms whose store is far away."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[Slow] = []

    async def _later(self, name: str) -> Slow:
        await asyncio.sleep(0.01)
        content = StandIn.open(self, name)
        assert isinstance(content, Content)
        self.stored.append(Slow(content.data))
        return self.stored[-1]

    def open(self, name: str) -> "asyncio.Future[Slow]":
        """Later."""
        return asyncio.ensure_future(self._later(name))


async def test_store_over_a_network_is_read_in_parallel(
    key: asyncssh.SSHKey, tmp_path: Path
) -> None:
    """Requests that wait do not wait for each other, and every byte is in its place."""
    content = os.urandom(4_000_000)
    rooms = Remote()
    rooms.add(USERNAME, key.public_data, files={("trade", "big"): content})
    async with (
        standing(rooms, tmp_path) as server,
        server.connect(key) as client,
        client.start_sftp_client() as sftp,
    ):
        async with sftp.open("/trade/big", "rb", block_size=16_384) as file:
            assert await file.read() == content
        (file_there,) = rooms.stored
        assert 8 <= file_there.most <= 128
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.open("/trade/none", "rb")


async def test_rate_of_an_account_is_held(key: asyncssh.SSHKey, tmp_path: Path) -> None:
    """With 4 MiB a second, 3 MiB take over half a second, however many sessions ask."""
    rooms = StandIn()
    rooms.add(USERNAME, key.public_data, files={("trade", "big"): bytes(3 << 19)})
    async with standing(rooms, tmp_path, sftp_rate_mib=4) as server:
        async with server.connect(key) as one, server.connect(key) as two:

            async def fetch(client: asyncssh.SSHClientConnection) -> bytes:
                async with (
                    client.start_sftp_client() as sftp,
                    sftp.open("/trade/big", "rb") as file,
                ):
                    content: bytes = await file.read()
                    return content

            began = asyncio.get_running_loop().time()
            assert list(map(len, await asyncio.gather(fetch(one), fetch(two)))) == [3 << 19] * 2
            taken = asyncio.get_running_loop().time() - began
        assert taken > 0.4


@pytest.mark.parametrize("words", [("ssh",), ("ssh", "id"), ("scp", "-O")])
async def test_shell_and_old_scp_are_told_that_there_are_files_only(
    server: Standing, pair: tuple[asyncssh.SSHKey, Path], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Nothing is run; one line says what to use."""
    program, *rest = words
    to = f"{USERNAME}@127.0.0.1"
    options = server.openssh(pair[1], "-P" if program == "scp" else "-p", str(server.port))
    if program == "scp":
        command = [program, *rest, *options, f"{to}:/daily/2026-11-22.csv", str(tmp_path)]
    else:
        command = [program, *options, to, *rest]
    code, said = await run(*command)
    assert code == 1
    assert "hands out files by SFTP only" in said


async def test_forwarding_and_agents_are_refused(server: Standing, key: asyncssh.SSHKey) -> None:
    """No port is opened in either direction, no socket, no display."""
    async with server.connect(key) as client:
        with pytest.raises(asyncssh.ChannelOpenError, match="Files only"):
            await client.open_connection("127.0.0.1", 22)
        with pytest.raises(asyncssh.ChannelOpenError, match="Files only"):
            await client.open_unix_connection("/run/docker.sock")
        with pytest.raises(asyncssh.ChannelListenError):
            await client.forward_remote_port("", 0, "localhost", 22)
        with pytest.raises(asyncssh.ChannelListenError):
            await client.forward_remote_path("/tmp/x", "/tmp/y")
        async with client.start_sftp_client() as sftp:
            assert await sftp.exists("/daily")


async def test_program_of_putty_fetches_a_file(server: Standing, tmp_path: Path) -> None:
    """psftp, with a key that puttygen made, over sntrup761."""
    ppk, line = tmp_path / "key.ppk", tmp_path / "key.pub"
    made = await run("puttygen", "-t", "ed25519", "-o", ppk, "--new-passphrase", "/dev/null")
    assert made[0] == 0, made[1]
    await run("puttygen", ppk, "-O", "public-openssh", "-o", line)
    public = asyncssh.import_public_key(line.read_text())
    server.rooms.add("bputty2345", public.public_data, files=FILES)
    fingerprint = asyncssh.import_public_key(server.host_key).get_fingerprint()
    code, said = await run(
        "psftp", "-batch", "-v", "-i", ppk, "-hostkey", fingerprint, "-P", str(server.port),
        "-b", _batch(tmp_path), "bputty2345@127.0.0.1",
    )  # fmt: skip
    assert code == 0, said
    assert re.search(r"NTRU Prime|ML-KEM", said), said
    assert (tmp_path / "got").read_bytes() == FILES["daily", "2026-11-22.csv"]


def _batch(folder: Path) -> Path:
    batch = folder / "batch"
    batch.write_text(f"get /daily/2026-11-22.csv {folder / 'got'}\n")
    return batch
