"""Biometrics: WebAuthn credentials of the phone's own authenticator, user verification required."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from webauthn import verify_authentication_response, verify_registration_response

from vestibule.base import attestation
from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.protocol.encoding import b64u, b64u_decode

_log = structlog.get_logger("vestibule.devices")


def demand_attested(ctx: Context, registration: object | None) -> None:
    """Refuse a phone that brings no credential where one has to be attested.

    Raises Refused ``attestation_missing``.
    """
    if registration is None and attestation.is_asked_for(ctx.settings):
        raise Refused("attestation_missing")


def credential_of(ctx: Context, *, registration: dict[str, Any], request: str) -> str:
    """Check a registration (WebAuthn section 7.1) and return what is kept of it, as JSON.

    Its challenge is the hash of the enrol-request. Raises Refused ``assertion_wrong``, and
    ``attestation_missing`` where the settings ask for known hardware and this shows none.
    """
    try:
        held = verify_registration_response(
            credential=registration,
            expected_challenge=_challenge(request),
            expected_rp_id=_rp_id(ctx),
            expected_origin=ctx.settings.phone_url,
            require_user_verification=True,
            pem_root_certs_bytes_by_fmt=attestation.roots(ctx.settings),
        )
    except Exception as error:  # noqa: BLE001
        # The library reads what a stranger wrote: whatever it stumbles over is a no.
        _log.info("credential.refused", reason=repr(error)[:200])
        raise Refused("assertion_wrong") from None
    if attestation.is_asked_for(ctx.settings) and not attestation.holds(ctx.settings, held):
        _log.info("credential.not_attested", fmt=held.fmt, aaguid=held.aaguid)
        raise Refused("attestation_missing")
    return json.dumps(
        {
            "id": b64u(held.credential_id),
            "public_key": b64u(held.credential_public_key),
            "sign_count": held.sign_count,
        }
    )


def assertion_holds(
    ctx: Context, *, credential: str | None, assertion: dict[str, Any], request: str
) -> bool:
    """Whether an assertion is by this credential, over this approval-request, by its person."""
    if credential is None:
        return False
    kept = json.loads(credential)
    if assertion.get("id") != kept["id"]:
        return False
    try:
        verify_authentication_response(
            credential=assertion,
            expected_challenge=_challenge(request),
            expected_rp_id=_rp_id(ctx),
            expected_origin=ctx.settings.phone_url,
            credential_public_key=b64u_decode(kept["public_key"]),
            # A request is answered once, so a copied authenticator gains nothing by replay;
            # the platform authenticators of phones do not count in any case.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001  -- as above
        _log.info("assertion.refused", reason=repr(error)[:200])
        return False
    return True


def _challenge(request: str) -> bytes:
    return hashlib.sha256(request.encode("ascii")).digest()


def _rp_id(ctx: Context) -> str:
    return urlsplit(ctx.settings.phone_url).hostname or ""
