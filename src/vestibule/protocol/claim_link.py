"""What a rotating QR code holds: which sign-in to claim, and proof that its page was seen (§8).

The token stands in the fragment, which no browser sends to a server. It is over after
seconds, so a picture of the code is worth nothing to somebody who comes later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.errors import LinkRefused, MessageMalformed

VERSION = "1"
_LINK = re.compile(r"\A(https?://[^\s/?#]+(?:/[^\s?#]*)?)/claim(?:#(\S*))?\Z")
_DIGITS = re.compile(r"\A[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class ClaimLink:
    """What a claim link carries.

    `address` is the phone app's, without a trailing slash; `attempt` the id of the sign-in;
    `token` 16 bytes that only its page has shown, and only just now.
    """

    address: str
    attempt: str
    token: bytes

    @property
    def claim(self) -> str:
        """The claim as `POST /device/claims` takes it."""
        return f"{self.attempt}.{b64u(self.token)}"


def render_claim_link(link: ClaimLink) -> str:
    """Write the link as it goes into the QR code."""
    return f"{link.address}/claim#{VERSION}.{link.claim}"


def parse_claim_link(text: str) -> ClaimLink:
    """Read a claim link, as scanned or opened (white space around it is ignored).

    Raises `LinkRefused`: `link_foreign` for anything that is no claim link at all,
    `link_version` for one of another protocol version, `link_malformed` for a damaged one.
    """
    match = _LINK.match(text.strip())
    if match is None:
        raise LinkRefused("link_foreign")
    version, _, claim = (match[2] or "").partition(".")
    if version != VERSION and _DIGITS.match(version):
        raise LinkRefused("link_version")
    if version != VERSION:
        raise LinkRefused("link_malformed")
    try:
        attempt, token = parse_claim(claim)
    except MessageMalformed:
        raise LinkRefused("link_malformed") from None
    return ClaimLink(match[1], attempt, token)


def parse_claim(claim: str) -> tuple[str, bytes]:
    """Read a claim: the attempt's id and the token. Raises `MessageMalformed`."""
    parts = claim.split(".")
    if len(parts) != 2:
        raise MessageMalformed("not an attempt and a token")
    b64u_decode(parts[0], length=16)
    return parts[0], b64u_decode(parts[1], length=16)
