"""An SFTP server in the test's own event loop, with rooms that the test furnishes."""

import asyncio
import secrets
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vestibule.base.context import ObjectReader
from vestibule.base.delivering import Delivering
from vestibule.delivery.rules import Door, Outcome, fingerprint_of
from vestibule.statements.sftp import server
from vestibule.statements.sftp.hall import Hall
from vestibule.statements.sftp.rooms import Visitor
from vestibule.statements.sftp.tree import Folder, Leaf, grown

USERNAME = "hkq4zr7wnm"
AT = 1_795_305_600  # 22 November 2026


class Content:
    """A stored object in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.closed = False

    @property
    def size(self) -> int:
        """Its length."""
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes | Awaitable[bytes]:
        """Bytes of it."""
        return self.data[offset : offset + size]

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@dataclass
class StandIn:
    """The rooms behind the server."""

    home: dict[str, Door] = field(default_factory=dict)
    files: dict[str, dict[tuple[str, str], bytes]] = field(default_factory=dict)
    visitors: list[Visitor] = field(default_factory=list)
    left_as: list[tuple[str, int, int, Outcome | None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    opened: list[Content] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        username: str,
        *keys: bytes,
        files: Mapping[tuple[str, str], bytes] | None = None,
        networks: tuple[str, ...] = ("127.0.0.0/8",),
        enabled: bool = True,
    ) -> None:
        """An account that may fetch these files with these public keys (blobs)."""
        account_id = f"account-{username}"
        self.home[username] = Door(
            account_id=account_id,
            username=username,
            enabled=enabled,
            networks=networks,
            keys={fingerprint_of(blob): f"key-{n}" for n, blob in enumerate(keys)},
            certificate=None,
        )
        self.files[account_id] = dict(files or {})

    # As `Rooms` says it; the docstrings stand there.

    async def door(self, username: str) -> Door | None:
        """See `Rooms`."""
        self.asked.append(username)
        return self.home.get(username)

    async def doors(self, account_ids: Iterable[str]) -> Mapping[str, Door]:
        """See `Rooms`."""
        wanted = set(account_ids)
        return {d.account_id: d for d in self.home.values() if d.account_id in wanted}

    async def arrived(self, visitor: Visitor) -> str | None:
        """See `Rooms`."""
        self.visitors.append(visitor)
        return f"visit-{len(self.visitors)}"

    async def left(
        self, visit_id: str, *, files: int, bytes_sent: int, outcome: Outcome | None
    ) -> None:
        """See `Rooms`."""
        self.left_as.append((visit_id, files, bytes_sent, outcome))

    async def tree(self, account_id: str) -> Folder:
        """See `Rooms`."""
        return grown(
            (kind, Leaf(name.encode(), len(data), AT, f"{account_id}/{kind}/{name}"))
            for (kind, name), data in self.files[account_id].items()
        )

    def open(self, name: str) -> ObjectReader | Awaitable[ObjectReader]:
        """See `Rooms`."""
        account_id, kind, leaf = name.split("/", 2)
        if (kind, leaf) not in self.files[account_id]:
            raise FileNotFoundError(name)
        content = Content(self.files[account_id][kind, leaf])
        self.opened.append(content)
        return content

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of each visitor."""
        return [visitor.outcome for visitor in self.visitors]


@dataclass
class Standing:
    """A running server."""

    rooms: StandIn
    port: int
    host_key: str
    """As known_hosts has it, without names."""
    folder: Path
    hall: Any = None

    def connect(self, key: asyncssh.SSHKey, username: str = USERNAME, **options: Any) -> Any:
        """A client of the SSH library."""
        return asyncssh.connect(
            "127.0.0.1",
            self.port,
            username=username,
            known_hosts=None,
            config=None,
            agent_path=None,
            **{"client_keys": [key], "kex_algs": ["mlkem768x25519-sha256"], **options},
        )

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    def openssh(self, key: Path, *more: str) -> list[str]:
        """Options of OpenSSH's programs that make them talk to this server alone."""
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        options = {
            "UserKnownHostsFile": str(known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(key),
            "BatchMode": "yes",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["-F", "none", *words, *more]


@asynccontextmanager
async def standing(rooms: StandIn, folder: Path, **settings: Any) -> AsyncIterator[Standing]:
    """Serve these rooms on a port of our own until the end of the block."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    line = asyncssh.import_private_key(pem).export_public_key().decode().strip()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    stop = asyncio.Event()
    table = Delivering(**{"sftp_handshakes_per_second": 10_000, **settings})
    running = Standing(rooms, listener.getsockname()[1], line, folder)

    def seen(*given: Any) -> Hall:
        running.hall = made = Hall(*given)
        return made

    with patch.object(server, "Hall", seen):
        task = asyncio.create_task(server.serve_rooms(rooms, table, [pem], listener, stop=stop))
        try:
            yield running
        finally:
            stop.set()
            await task
            listener.close()


def new_key(
    folder: Path, kind: str = "ssh-ed25519", name: str = ""
) -> tuple[asyncssh.SSHKey, Path]:
    """A client's key, and the file of its private half."""
    key = (
        asyncssh.generate_private_key(kind, key_size=2048)
        if kind == "ssh-rsa"
        else asyncssh.generate_private_key(kind)
    )
    path = folder / (name or f"key-{secrets.token_hex(4)}")
    key.write_private_key(str(path))
    path.chmod(0o600)
    return key, path


async def run(*command: str | Path, stdin: bytes = b"", timeout: float = 60) -> tuple[int, str]:
    """Run a program; its exit code and everything that it said."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        # A program that is told nothing may have ended before it could be told so.
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(stdin or None), timeout)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    return process.returncode or 0, said.decode(errors="replace")


def blob(line: str) -> bytes:
    """The bytes of a public line."""
    return b64decode(line.split()[1])
