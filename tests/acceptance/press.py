"""A running server with a publisher, and its calls as they cross the wire."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import services
from tests.serving import Server, serving


@dataclass
class Press:
    """A running server, and a publisher's token."""

    server: Server
    url: str
    token: str

    @property
    def address(self) -> str:
        """host:port of the portal."""
        return self.server.portal.removeprefix("http://")

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """One call on a connection of its own: status, JSON, headers."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(HTTPConnection(self.address, timeout=30)) as connection:
            connection.request(method, path, body, sent)
            answer: HTTPResponse = connection.getresponse()
            raw = answer.read()
        told = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, msgspec.json.decode(raw) if raw else {}, told

    def put(self, name: str, data: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        """PUT of a whole file."""
        path = f"/publish/statements/mira/daily/{name}"
        return self.ask("PUT", path, data, Content_Digest=content_digest(data))

    def open(self, name: str, data: bytes) -> dict[str, Any]:
        """POST of an upload."""
        body = {
            "account": "mira",
            "kind": "trade",
            "name": name,
            "size": len(data),
            "digest": sha256(data).hexdigest(),
        }
        encoded = msgspec.json.encode(body)
        return self.ask("POST", "/publish/uploads", encoded, Content_Type="application/json")[1]

    def patch(
        self, upload: str, offset: int, data: bytes
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """PATCH of an upload."""
        return self.ask(
            "PATCH",
            f"/publish/uploads/{upload}",
            data,
            Content_Type="application/partial-upload",
            Upload_Offset=str(offset),
        )

    def patch_head(self, upload: str, offset: int, size: int) -> bytes:
        """The head of such a call."""
        return head(
            "PATCH",
            f"/publish/uploads/{upload}",
            size,
            Host=self.address,
            Authorization=f"Bearer {self.token}",
            Content_Type="application/partial-upload",
            Upload_Offset=str(offset),
        )

    def offset(self, upload: str) -> int:
        """HEAD of an upload."""
        status, _, told = self.ask("HEAD", f"/publish/uploads/{upload}")
        assert status == 204
        return int(told["upload-offset"])

    def cut(self, request: bytes) -> None:
        """Send these bytes of a request, and end the connection at once."""
        host, _, port = self.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            # A reset, as from a machine that lost its network, every other time.
            if len(request) % 2:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.sendall(request)

    def listed(self) -> list[str]:
        """What mira may fetch, as the operator sees it."""
        said = self.server.command("statements", "list", "mira")
        return [] if "There is nothing" in said else said.splitlines()

    def stored(self) -> list[bytes]:
        """The files of statements in the store, by their content."""
        return [path.read_bytes() for path in self._shelves.rglob("*") if path.is_file()]

    def holds_any(self) -> bool:
        """Whether there is any; soon told, for nothing is read."""
        return any(path.is_file() for path in self._shelves.rglob("[!.]*"))

    @property
    def _shelves(self) -> Path:
        return self.server.data / "statements" / "statements"


def content_digest(data: bytes) -> str:
    """A Content-Digest header (RFC 9530)."""
    return f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"


def head(method: str, path: str, size: int, **headers: str) -> bytes:
    """The head of a request, as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {size}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def press(
    request: pytest.FixtureRequest, kind: str, **settings: str | int | bool
) -> Iterator[Press]:
    """A server on this kind of database, with an account and a publisher."""
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp(f"press-{kind}")
    url, databases = f"sqlite:///{folder / 'vestibule.db'}", None
    if kind == "postgresql":
        databases = request.getfixturevalue("databases")
        assert isinstance(databases, services.Databases)
        url = databases.fresh()
    try:
        with serving(folder, database_url=url, **settings) as server:
            server.add_account("mira")
            token = server.command("statements", "publisher", "add", "nightly").strip()
            yield Press(server, url, token)
    finally:
        if databases is not None:
            databases.drop(url)
