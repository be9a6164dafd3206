"""Files as browsers send them, from any page that takes some: by its script and by its form."""

import re
from typing import Any

import httpx

from tests.desk import Desk


async def token_of(desk: Desk, page: str) -> str:
    """The token of the page's forms."""
    shown = await desk.http.get(page)
    assert shown.status_code == 200, shown.text
    found = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert found is not None
    return found[1]


async def post_file(
    desk: Desk, page: str, name: str, data: bytes, **headers: str
) -> httpx.Response:
    """A file as the script of a conversation's page sends it."""
    token = await token_of(desk, page)
    return await desk.http.post(
        f"{page}/attachments",
        params={"name": name},
        content=data,
        headers={"x-form-token": token, "content-type": "application/octet-stream"} | headers,
    )


async def send_form(
    desk: Desk, page: str, way: str, *files: tuple[str, bytes], **fields: str
) -> httpx.Response:
    """The form of a conversation's page, as a browser without scripts sends it."""
    sent = {"form": await token_of(desk, page), "once": "A" * 22, **fields}
    parts: Any = [(name, (None, value)) for name, value in sent.items()]
    parts += [("files", (name, data, "text/plain")) for name, data in files]
    if not files:
        parts.append(("files", ("", b"", "application/octet-stream")))
    return await desk.http.post(f"{page}/{way}", files=parts)
