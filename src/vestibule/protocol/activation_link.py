"""The link form of an activation ticket (section 5), also what the QR code holds.

The secret stands in the fragment, which no browser sends to a server: opening the link
neither uses the ticket up nor leaves its secret in anybody's log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.errors import LinkRefused, MessageMalformed

VERSION = "1"
_LINK = re.compile(r"\A(https?://[^\s/?#]+(?:/[^\s?#]*)?)/activate(?:#(\S*))?\Z")
_DIGITS = re.compile(r"\A[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class ActivationLink:
    """What an activation link carries.

    `address` is the phone app's, without a trailing slash; `secret` is 16 bytes;
    `server` is the key id that the server's signing key must have.
    """

    address: str
    secret: bytes
    server: str


def render_link(link: ActivationLink) -> str:
    """Write the link as it goes into the QR code."""
    return f"{link.address}/activate#{VERSION}.{b64u(link.secret)}.{link.server}"


def parse_link(text: str) -> ActivationLink:
    """Read an activation link, as scanned or pasted (white space around it is ignored).

    Raises `LinkRefused`: `link_foreign` for anything that is no activation link at all,
    `link_version` for one of another protocol version, `link_malformed` for a damaged one.
    """
    match = _LINK.match(text.strip())
    if match is None:
        raise LinkRefused("link_foreign")
    version, *parts = (match[2] or "").split(".")
    if version != VERSION and _DIGITS.match(version):
        raise LinkRefused("link_version")
    if version != VERSION or len(parts) != 2:
        raise LinkRefused("link_malformed")
    try:
        secret = b64u_decode(parts[0], length=16)
        b64u_decode(parts[1], length=16)
    except MessageMalformed:
        raise LinkRefused("link_malformed") from None
    return ActivationLink(match[1], secret, parts[1])
