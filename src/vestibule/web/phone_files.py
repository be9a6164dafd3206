"""The phone app's files on its own origin, under its own strict policy.

Everything that may be served is listed at the start, so no path leads anywhere else.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vestibule.base.assets import authenticator_root

PHONE_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data: blob:; "
    "media-src 'self' blob:; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "worker-src 'self'; "
    "form-action 'none'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types vestibule-urls"
)
# A worker's policy is its own: WebAssembly runs there, and the pages need not allow it.
WORKER_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
)
PHONE_FEATURES: Final = (
    "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)"
)

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_FOLDERS: Final = ("app", "css", "i18n", "icons", "vendor")
_SHELL: Final = "/index.html"
_SHELL_PATHS: Final = frozenset({"/", "/activate", "/claim", "/install"})
_WORKERS: Final = "/app/workers/"


@dataclass(slots=True)
class _File:
    path: Path
    kind: str
    stamp: tuple[int, int] = (0, 0)
    content: bytes = b""
    tag: str = ""

    def refresh(self) -> None:
        """Read the file again when it changed: its author sees the change at the next load."""
        status = self.path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self.stamp:
            self.content = self.path.read_bytes()
            self.tag = f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'
            self.stamp = stamp


class PhoneFiles:
    """Serves the app: ``await files.serve(request)`` for every path that is no API call."""

    def __init__(self, root: Path | None = None) -> None:
        self._files = _listed(root or authenticator_root())

    async def serve(self, request: Request) -> Response:
        """One file. The browser asks each time whether it changed, and mostly hears "no"."""
        path = request.url.path
        file = self._files.get(_SHELL if path in _SHELL_PATHS else path)
        if file is None:
            raise HTTPException(404)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405)
        file.refresh()
        headers = {"cache-control": "no-cache", "etag": file.tag}
        if path.startswith(_WORKERS):
            headers["content-security-policy"] = WORKER_POLICY
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.kind)


def _listed(root: Path) -> dict[str, _File]:
    candidates = list(root.iterdir())
    for folder in _FOLDERS:
        candidates += (root / folder).rglob("*")
    return {
        f"/{path.relative_to(root).as_posix()}": _File(path, _TYPES[path.suffix])
        for path in sorted(candidates)
        if path.suffix in _TYPES and path.is_file() and _public(path.name)
    }


def _public(name: str) -> bool:
    """Not the build's own files, which lie beside the app's in a checkout."""
    return not name.endswith(".d.ts") and not name.startswith(("package", "tsconfig", ".", "build"))
