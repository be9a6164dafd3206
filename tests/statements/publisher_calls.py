"""The calls of a publisher, as requests to the portal behind a desk."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import httpx

from tests.desk import Desk
from vestibule.accounts import service as accounts
from vestibule.statements import service

DAY = "2026-11-22"
DATA = b"date,amount\r\n2026-11-22,12.50\r\n"


def digest(data: bytes) -> str:
    """A Content-Digest header (RFC 9530)."""
    return f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"


async def publisher(desk: Desk, name: str = "nightly") -> str:
    """A publisher's token."""
    return (await service.add_publisher(desk.scene.ctx, name))[1]


async def put(
    desk: Desk,
    token: str,
    path: str = f"mira/daily/{DAY}.csv",
    data: bytes = DATA,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """PUT of a whole file; `headers` replace ours, empty ones take them away."""
    ours = {
        "authorization": f"Bearer {token}",
        "content-type": "text/csv",
        "content-digest": digest(data),
    }
    ours |= headers or {}
    return await desk.http.put(
        f"/publish/statements/{path}",
        content=data,
        headers={name: value for name, value in ours.items() if value},
    )


async def call(
    desk: Desk, token: str, method: str, path: str, content: bytes | None = None, **more: Any
) -> httpx.Response:
    """Any other call."""
    headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
    return await desk.http.request(method, path, content=content, headers=headers, **more)


async def opened(desk: Desk, token: str, data: bytes, **changes: Any) -> httpx.Response:
    """POST of an upload."""
    body = {
        "account": "mira",
        "kind": "trade",
        "name": f"{DAY}.bin",
        "period": "",
        "size": len(data),
        "digest": sha256(data).hexdigest(),
        "media": "application/octet-stream",
        "replace": False,
        **changes,
    }
    return await call(desk, token, "POST", "/publish/uploads", json=body)


async def patch(
    desk: Desk, token: str, upload: str, offset: int, data: bytes, **headers: str
) -> httpx.Response:
    """PATCH of an upload."""
    ours = {"content-type": "application/partial-upload", "upload-offset": str(offset), **headers}
    return await call(desk, token, "PATCH", f"/publish/uploads/{upload}", data, headers=ours)


async def found(desk: Desk) -> list[tuple[str, str, str, int]]:
    """Kind, period, name and size of what mira may fetch."""
    account = await accounts.find_account(desk.scene.ctx, username="mira")
    assert account is not None
    listing = await service.tree(desk.scene.ctx, account.id)
    return sorted((one.kind, one.period, one.name, one.size) for one in listing.statements)
