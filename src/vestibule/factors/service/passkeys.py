"""Passkeys and security keys: WebAuthn (Level 3), discoverable, their person verified each time.

The relying party is the portal's host. A challenge is derived from the sign-in that it belongs
to, or sealed into a token where there is none yet: nothing is stored before it is answered.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from vestibule.base import attestation
from vestibule.base.clock import MINUTE
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Duplicate, Refused
from vestibule.factors import store
from vestibule.factors.rules import Factor, Kind
from vestibule.factors.service import records
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.sessions.rules import Session
from vestibule.web.visitor import Visitor

_log = structlog.get_logger("vestibule.factors")

CHALLENGE_BYTES: Final = 32
LIFE_MS: Final = 10 * MINUTE
"""How long a page may take to answer: people look for their key."""
_ID_BYTES: Final = 16


class PasskeyState(msgspec.Struct, frozen=True):
    """What a passkey remembers; nothing of it is secret."""

    credential: str
    """Credential id, base64url."""
    public_key: str
    """COSE key, base64url."""
    count: int
    """The signature counter; 0 from authenticators that keep none."""
    transports: tuple[str, ...] = ()
    model: str = ""
    """AAGUID."""
    synced: bool = False
    """Whether it is backed up, and so may be on several devices."""
    spent: tuple[tuple[str, int], ...] = ()
    """Challenges of sign-ins of its own that were answered, each with when it ends (ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a page needs to make a passkey."""

    options: str
    """PublicKeyCredentialCreationOptions as JSON."""
    token: str
    """Comes back with the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOptions:
    """What a sign-in page needs to ask for any passkey of this house."""

    options: str
    """PublicKeyCredentialRequestOptions as JSON."""
    token: str
    """Comes back with the answer."""


# --- making one -------------------------------------------------------------------------------


async def registration_options(ctx: Context, session: Session) -> Registration:
    """What the browser is asked for. Raises Refused ``step_up_needed``."""
    await records.demand_adding(ctx, session)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    options = generate_registration_options(
        rp_id=rp_id(ctx),
        rp_name=ctx.settings.organisation,
        user_id=session.account_id.encode("ascii"),
        user_name=session.username,
        user_display_name=session.display_name,
        challenge=challenge,
        timeout=LIFE_MS // 2,
        attestation=_conveyance(ctx),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=await _known(ctx, session.account_id),
    )
    expires_at = ctx.clock.now() + LIFE_MS
    token = ctx.sealer.token(
        "passkey-new", challenge, expires_at=expires_at, bound=session.id.encode("ascii")
    )
    return Registration(options=options_to_json(options), token=token)


def _conveyance(ctx: Context) -> AttestationConveyancePreference:
    # Asked for only where it is looked at: browsers warn of it, for it tells the key's make.
    asked = attestation.is_asked_for(ctx.settings)
    return AttestationConveyancePreference.DIRECT if asked else AttestationConveyancePreference.NONE


async def _known(ctx: Context, account_id: str) -> list[PublicKeyCredentialDescriptor]:
    rows = await ctx.db.all(store.LISTED, account_id=account_id)
    return [_descriptor(state_of(row)) for row in rows if row["kind"] == Kind.PASSKEY]


def _descriptor(state: PasskeyState) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(id=b64u_decode(state.credential))


async def register_passkey(
    ctx: Context,
    *,
    session: Session,
    label: str,
    token: str,
    credential: str,
    visitor: Visitor,
) -> Factor:
    """Keep a passkey that the browser has just made; it counts at once.

    `credential` is the JSON of the browser's RegistrationResponse. Raises Refused
    ``passkey_late``, ``passkey_refused``, ``factor_exists``, ``factors_full`` or
    ``factor_name_invalid``.
    """
    now = ctx.clock.now()
    bound = session.id.encode("ascii")
    challenge = ctx.sealer.untoken("passkey-new", token, now=now, bound=bound)
    if challenge is None:
        raise Refused("passkey_late")
    answer = _parsed(credential)
    held = _registered(ctx, answer, challenge)
    state = PasskeyState(
        credential=b64u(held.credential_id),
        public_key=b64u(held.credential_public_key),
        count=held.sign_count,
        transports=_transports(answer),
        model=held.aaguid,
        synced=held.credential_backed_up,
    )
    id_ = factor_id(ctx, held.credential_id)

    async def body(tx: Tx) -> None:
        await records.add(
            tx,
            ctx,
            id_=id_,
            account_id=session.account_id,
            kind=Kind.PASSKEY,
            label=label,
            secret=b"",
            state=state,
            source=visitor.address,
            now=now,
        )
        row = records.demand_row(await tx.one(store.TO_VERIFY, id_=id_), session.account_id)
        await records.confirm(tx, ctx, row, session=session, visitor=visitor, now=now)

    try:
        await ctx.db.write(body)
    except Duplicate:
        # Also where it is another account's: a credential signs for one account only.
        raise Refused("factor_exists") from None
    return await records.get_factor(ctx, session, id_)


def _registered(ctx: Context, answer: dict[str, Any], challenge: bytes) -> VerifiedRegistration:
    """WebAuthn section 7.1. Raises Refused ``passkey_refused``."""
    try:
        held = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id(ctx),
            expected_origin=ctx.settings.portal_url,
            require_user_verification=True,
            pem_root_certs_bytes_by_fmt=attestation.roots(ctx.settings),
        )
    except Exception as error:  # noqa: BLE001
        # The library reads what a stranger wrote: whatever it stumbles over is a no.
        _log.info("passkey.refused", reason=repr(error)[:200])
        raise Refused("passkey_refused") from None
    if attestation.is_asked_for(ctx.settings) and not attestation.holds(ctx.settings, held):
        _log.info("passkey.not_attested", fmt=held.fmt, aaguid=held.aaguid)
        raise Refused("passkey_refused")
    return held


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}


def _transports(answer: dict[str, Any]) -> tuple[str, ...]:
    named = answer.get("response", {}).get("transports", [])
    known = {"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"}
    return tuple(sorted(known.intersection(map(str, named)))) if isinstance(named, list) else ()


# --- answering with one -----------------------------------------------------------------------


def attempt_challenge(ctx: Context, attempt_id: str, challenge: str) -> bytes:
    """The challenge of a sign-in that is under way: nobody else's, and only of this round."""
    return ctx.sealer.digest("passkey-challenge", attempt_id, challenge)


def request_options(ctx: Context, row: Row, challenge: bytes) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptions for one passkey."""
    state = state_of(row)
    return _options(ctx, challenge, [{"id": state.credential, "transports": state.transports}])


def login_options(ctx: Context, *, bound: str) -> LoginOptions:
    """What a sign-in page asks for when a passkey is to be the whole sign-in.

    ``bound`` is a secret of this browser: an answer that another browser brings is none.
    """
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    expires_at = ctx.clock.now() + LIFE_MS
    token = ctx.sealer.token(
        "passkey-login", challenge, expires_at=expires_at, bound=bound.encode("utf-8")
    )
    return LoginOptions(options=json.dumps(_options(ctx, challenge, [])), token=token)


def _options(ctx: Context, challenge: bytes, allowed: list[dict[str, Any]]) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=rp_id(ctx),
        challenge=challenge,
        timeout=LIFE_MS // 2,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    made: dict[str, Any] = json.loads(options_to_json(options))
    made["allowCredentials"] = [{"type": "public-key", **one} for one in allowed]
    return made


def login_challenge(ctx: Context, token: str, *, bound: str, now: int) -> bytes:
    """The challenge in a token of `login_options`. Raises Refused ``passkey_late``."""
    challenge = ctx.sealer.untoken("passkey-login", token, now=now, bound=bound.encode("utf-8"))
    if challenge is None:
        raise Refused("passkey_late")
    return challenge


def parse_answer(ctx: Context, text: str) -> tuple[str, dict[str, Any]]:
    """The factor that an answer names, and the answer. Raises Refused ``factor_wrong``."""
    answer = _parsed(text)
    try:
        return factor_id(ctx, b64u_decode(str(answer.get("id", "")))), answer
    except Exception:  # noqa: BLE001  -- whatever a stranger wrote there, it names no passkey
        raise Refused("factor_wrong") from None


def check(ctx: Context, row: Row, answer: dict[str, Any], challenge: bytes) -> PasskeyState:
    """What is remembered after a right answer (WebAuthn section 7.2).

    Raises Refused ``factor_wrong``, or ``passkey_copied`` where the signature counter did not
    move on: then somebody has a copy of the key.
    """
    state = state_of(row)
    try:
        shown = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id(ctx),
            expected_origin=ctx.settings.portal_url,
            credential_public_key=b64u_decode(state.public_key),
            # The counter is judged below, for it has a message of its own.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001  -- as in _registered
        _log.info("passkey.refused", reason=repr(error)[:200])
        raise Refused("factor_wrong") from None
    owner = answer.get("response", {}).get("userHandle")
    if owner and owner != b64u(row["account_id"].encode("ascii")):
        raise Refused("factor_wrong")
    if state.count and shown.new_sign_count <= state.count:
        raise Refused("passkey_copied")
    return msgspec.structs.replace(
        state, count=shown.new_sign_count, synced=shown.credential_backed_up
    )


def spend(state: PasskeyState, challenge: bytes, *, now: int) -> PasskeyState:
    """Remember the challenge of a sign-in of its own: an answer counts once.

    Raises Refused ``factor_code_used``.
    """
    mark = b64u(challenge[:_ID_BYTES])
    kept = tuple((one, until) for one, until in state.spent if until > now)
    if mark in (one for one, _ in kept):
        raise Refused("factor_code_used")
    return msgspec.structs.replace(state, spent=(*kept, (mark, now + LIFE_MS)))


def state_of(row: Row) -> PasskeyState:
    """What the passkey in a row remembers."""
    return msgspec.json.decode(row["state"], type=PasskeyState)


def factor_id(ctx: Context, credential_id: bytes) -> str:
    """The id under which a credential is kept: so it is found by it, and is kept once."""
    return b64u(ctx.sealer.digest("passkey", credential_id)[:_ID_BYTES])


def rp_id(ctx: Context) -> str:
    """Whom passkeys are for: the portal's host."""
    return urlsplit(ctx.settings.portal_url).hostname or ""
