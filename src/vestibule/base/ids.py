"""Random names and numbers, all from the operating system's generator."""

import secrets
from base64 import urlsafe_b64encode

ID_LENGTH = 22
"""Characters of an id: 128 bits in unpadded base64url."""


def new_id() -> str:
    """A fresh 128-bit id: 22 characters of base64url."""
    return urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode("ascii")


def new_secret() -> str:
    """A fresh 256-bit secret: 43 characters of base64url, for cookies and links."""
    return urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii")


def new_challenge() -> str:
    """Six digits, uniform in 100000 to 999999.

    RFC 6287's numeric encoding drops leading zeros, so 012345 and 12345 would be one challenge.
    """
    return str(100_000 + secrets.randbelow(900_000))


REFERENCE_LENGTH = 8
"""Characters of a reference: 40 bits, read out over the telephone and typed again."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Eight random characters of Crockford's base32 alphabet: a name that is no secret."""
    return "".join(secrets.choice(_CROCKFORD) for _ in range(REFERENCE_LENGTH))
