"""Authenticator apps: time-based codes as RFC 6238 defines them.

    step    = floor(seconds since 1970 / 30)
    code    = HOTP-SHA1(secret, step), six digits (RFC 4226 section 5.3)

SHA-1, six digits and thirty seconds, because that is what every app computes, also those that
ignore what a link asks of them. HMAC does not depend on SHA-1 resisting collisions.
"""

import hmac
from base64 import b32encode
from typing import Final
from urllib.parse import quote, urlencode

SECRET_BYTES: Final = 20
"""The length of the hash, as RFC 4226 section 4 recommends."""
STEP_MS: Final = 30_000
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps that an app's clock may be ahead or behind (RFC 6238 section 5.2)."""


def step_at(now: int) -> int:
    """The number of the step that a moment (ms) lies in."""
    return now // STEP_MS


def code_at(secret: bytes, step: int) -> str:
    """The code of one step."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def find_step(secret: bytes, code: str, *, now: int) -> int | None:
    """The step near ``now`` that a code belongs to, the latest first; None if it is no such code.

    Every step is compared, so that the time tells nothing about which one it was.
    """
    typed = code.encode("utf-8", "replace")
    here = step_at(now)
    near = range(max(0, here - DRIFT), here + DRIFT + 1)
    found = [
        step for step in near if hmac.compare_digest(code_at(secret, step).encode("ascii"), typed)
    ]
    return found[-1] if found else None


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app: base32 (RFC 4648), without padding."""
    return b32encode(secret).rstrip(b"=").decode("ascii")


def link(secret: bytes, *, issuer: str, account: str) -> str:
    """The ``otpauth:`` address that apps read from a QR code.

    The issuer stands before the name and as a member: old apps know one, new ones the other. A
    colon parts the two, so none may be inside.
    """
    issuer, account = issuer.replace(":", " "), account.replace(":", " ")
    members = {
        "secret": secret_text(secret),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP_MS // 1000,
    }
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(members, quote_via=quote)}"
