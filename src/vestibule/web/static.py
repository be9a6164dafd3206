"""The portal's own files, named after their content, so that browsers keep them for a year.

Modules that import one another lie in a folder, which has one name made from all its files: so
that their imports are plain relative ones, and never mix an old file with a new one.
"""

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
# What lies elsewhere and is served beside a folder's own files: the table of rules, which both
# programs that make captures safe read, unchanged.
_BESIDE: Final = {"captures": (_FOLDER.parents[1] / "captures" / "rules.json",)}
# A worker's policy is its own, not its page's: this one has no way to send anything anywhere.
_WORKER_POLICY: Final = "default-src 'none'; script-src 'self'"
_TYPES: Final = {
    ".json": "application/json",
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
    """The address of a file in ``web/static``, ``captures/worker.js``; KeyError for no such."""
    return _by_name()[name].address


async def static_file(request: Request) -> Response:
    """GET /static/{name:path}: the file, packed where the browser takes that."""
    file = _by_address().get(request.url.path)
    if file is None:
        raise HTTPException(404)
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    content = file.content
    if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
        content = file.packed
        headers["content-encoding"] = "gzip"
    if file.address.endswith("/worker.js"):
        headers["content-security-policy"] = _WORKER_POLICY
    return Response(content, headers=headers, media_type=file.kind)


@cache
def _by_name() -> dict[str, _File]:
    files = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.is_dir():
            inside = (*sorted(path.iterdir()), *_BESIDE.get(path.name, ()))
            mark = _mark(b"".join(one.name.encode() + b"\0" + one.read_bytes() for one in inside))
            for one in inside:
                name = f"{path.name}/{one.name}"
                files[name] = _file(one, f"/static/{path.name}.{mark}/{one.name}")
        else:
            mark = _mark(path.read_bytes())
            files[path.name] = _file(path, f"/static/{path.stem}.{mark}{path.suffix}")
    return files


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _file(path: Path, address: str) -> _File:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0)
    return _File(
        address=address,
        content=content,
        packed=packed if len(packed) < 0.9 * len(content) else None,
        kind=_TYPES[path.suffix],
    )


@cache
def _by_address() -> dict[str, _File]:
    return {file.address: file for file in _by_name().values()}
