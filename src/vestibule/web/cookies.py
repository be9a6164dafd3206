"""Cookies: bound to this host, only over TLS (or localhost), never readable by scripts.

The ``__Host-`` prefix makes the browser itself refuse a cookie planted by another subdomain.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "__Host-session"
"""Who is signed in; ends with the browser's session."""
LOGIN: Final = "__Host-login"
"""The sign-in under way."""
BROWSER: Final = "__Host-browser"
"""A long-lived secret by which a browser is known again; alone it opens nothing."""

# Lax, not strict: a person who follows a link to the portal is still signed in. What changes
# anything is a POST, which carries no Lax cookie across sites.
_ATTRIBUTES: Final = "; Path=/; Secure; HttpOnly; SameSite=Lax"


def read(request: Request, name: str) -> str | None:
    """The cookie's value, or None."""
    return request.cookies.get(name)


def put(response: Response, name: str, value: str, *, max_age_s: int | None = None) -> None:
    """Set a cookie; without ``max_age_s`` it ends with the browser's session.

    ``value`` must be base64url or hexadecimal.
    """
    life = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    _add(response, f"{name}={value}{life}{_ATTRIBUTES}")


def drop(response: Response, name: str) -> None:
    """Delete a cookie."""
    _add(response, f"{name}=; Max-Age=0{_ATTRIBUTES}")


def _add(response: Response, line: str) -> None:
    response.raw_headers.append((b"set-cookie", line.encode("ascii")))
