"""The portal's own files, named after their content, so that browsers keep them for a year."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER: Final = Path(__file__).resolve().parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    address: str
    content: bytes
    packed: bytes | None
    kind: str


def asset(name: str) -> str:
    """The address of a file in ``web/static``; KeyError for a name that is not there."""
    return _by_name()[name].address


async def static_file(request: Request) -> Response:
    """GET /static/{name}: the file, packed where the browser takes that."""
    file = _by_address().get(request.url.path)
    if file is None:
        raise HTTPException(404)
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    content = file.content
    if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
        content = file.packed
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=file.kind)


@cache
def _by_name() -> dict[str, _File]:
    files = {}
    for path in sorted(_FOLDER.iterdir()):
        content = path.read_bytes()
        mark = hashlib.sha256(content).hexdigest()[:12]
        packed = gzip.compress(content, mtime=0)
        files[path.name] = _File(
            address=f"/static/{path.stem}.{mark}{path.suffix}",
            content=content,
            packed=packed if len(packed) < 0.9 * len(content) else None,
            kind=_TYPES[path.suffix],
        )
    return files


@cache
def _by_address() -> dict[str, _File]:
    return {file.address: file for file in _by_name().values()}
