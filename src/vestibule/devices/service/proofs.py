"""Proven calls: a phone signs every call with its device key (specification section 7)."""

from typing import Final

from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.base.errors import Malformed, Refused
from vestibule.devices import store
from vestibule.devices.rules import Enrollment
from vestibule.devices.service.records import enrollment_of
from vestibule.protocol import messages
from vestibule.protocol.messages import Proof, Unverified

_SCHEME: Final = "Vestibule "


def parse_proof(authorization: str | None) -> Unverified[Proof]:
    """Read an Authorization header; its ``kid`` is the enrollment to look up.

    Raises Malformed ``message_malformed`` or ProtocolFault.
    """
    if not authorization or not authorization.startswith(_SCHEME):
        raise Malformed("message_malformed")
    return messages.parse(authorization.removeprefix(_SCHEME), Proof)


def check_proof(
    ctx: Context,
    row: Row | None,
    message: Unverified[Proof],
    *,
    method: str,
    path: str,
    body: bytes,
) -> None:
    """Check a proof under the row of its enrollment (`public_key` and `revoked_at` are read).

    `path` includes the query. Raises Refused ``enrollment_unknown`` or ``enrollment_revoked``, and
    ProtocolFault ``signature_wrong``, ``clock_wrong`` or ``message_malformed``.
    """
    if row is None:
        raise Refused("enrollment_unknown")
    # The signature comes first: only the phone itself learns that it was removed.
    messages.check_proof(
        message,
        key=row["public_key"],
        issuer=ctx.settings.portal_url,
        method=method,
        path=path,
        body=body,
        now=ctx.clock.now() / 1000,
    )
    if row["revoked_at"] is not None:
        raise Refused("enrollment_revoked")


async def prove(
    ctx: Context, *, authorization: str | None, method: str, path: str, body: bytes
) -> Enrollment:
    """The enrollment that makes a call: one read. Raises as `parse_proof` and `check_proof`."""
    message = parse_proof(authorization)
    row = await ctx.db.one(store.TO_PROVE, id_=message.kid)
    check_proof(ctx, row, message, method=method, path=path, body=body)
    if row is None:  # never: check_proof refused it
        raise Refused("enrollment_unknown")
    return enrollment_of(row)
