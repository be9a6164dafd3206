"""WebAuthn attestation: whether a maker's certificate vouches for where a key lives.

Off unless the operator asks for it (settings ``attestation`` and ``attestation_roots``), for the
credentials of phones and for passkeys alike.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from webauthn.helpers import parse_attestation_object
from webauthn.helpers.structs import AttestationFormat
from webauthn.registration.verify_registration_response import VerifiedRegistration

from vestibule.base.settings import Settings

# The library knows the roots of these makers. Of the others it would believe any certificate.
_ROOTED: Final = frozenset({AttestationFormat.ANDROID_KEY, AttestationFormat.APPLE})
_BY_CHAIN: Final = _ROOTED | {AttestationFormat.PACKED, AttestationFormat.TPM}


def is_asked_for(settings: Settings) -> bool:
    """Whether a credential without attestation is refused."""
    return settings.attestation == "required"


def holds(settings: Settings, held: VerifiedRegistration) -> bool:
    """Whether a maker's certificate vouches for the hardware that the key lives in.

    A "packed" statement without certificates is signed by the key itself, and proves nothing.
    """
    accepted = _BY_CHAIN if settings.attestation_roots else _ROOTED
    statement = parse_attestation_object(held.attestation_object).att_stmt
    return held.fmt in accepted and bool(statement.x5c)


def roots(settings: Settings) -> dict[AttestationFormat, list[bytes]] | None:
    """The makers' roots that the operator chose, by format; None: those that the library knows."""
    return _read(settings.attestation_roots)


@lru_cache(maxsize=4)
def _read(folder: Path | None) -> dict[AttestationFormat, list[bytes]] | None:
    if folder is None:
        return None
    found = [path.read_bytes() for path in sorted(folder.glob("*.pem"))]
    return dict.fromkeys(_BY_CHAIN, found)
