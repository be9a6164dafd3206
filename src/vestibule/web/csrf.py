"""That a form was sent from one of our pages, by the browser that it was made for.

Two independent checks: where the request comes from, as the browser says, and a token bound to
the visitor's own cookie, which another site cannot read.
"""

import hmac
from typing import Final

from starlette.requests import Request

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.protocol.encoding import b64u

FIELD: Final = "form"
"""Name of the hidden field."""


def token(ctx: Context, bound: str) -> str:
    """The hidden field's value; ``bound`` is the session's id, or before it a cookie's value."""
    return b64u(ctx.sealer.digest("form", bound)[:16])


def demand_same_site(request: Request, origin: str) -> None:
    """Refuse what another site's page sent (Refused ``cross_site``).

    Browsers that send neither header are judged by the token alone.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused("cross_site", site=site[:20])
    sent = request.headers.get("origin")
    if sent is not None and sent != origin:
        raise Refused("cross_site", origin=sent[:100])


def demand_token(ctx: Context, sent: str, bound: str) -> None:
    """Refuse a form that was not made for this visitor (Refused ``form_expired``)."""
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), token(ctx, bound).encode("ascii")):
        raise Refused("form_expired")
