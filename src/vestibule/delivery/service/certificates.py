"""The OpenPGP certificate that an account's statements are encrypted to."""

from dataclasses import dataclass
from typing import Final

from vestibule.accounts import service as accounts
from vestibule.base import audit
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Refused
from vestibule.base.ids import new_id
from vestibule.delivery import rules, store
from vestibule.delivery.rules import Certificate
from vestibule.delivery.service import records
from vestibule.sessions.rules import Session

CERTIFICATES: Final = "delivery:certificates"
"""Told of on the wake-up bus when somebody has set one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateHeld(Certificate):
    """The certificate with its bytes, to encrypt to."""

    data: bytes
    """Binary, and no more than encrypting takes."""


async def certificate_of(ctx: Context, account_id: str) -> CertificateHeld | None:
    """The certificate that the account's statements are encrypted to now; None: in clear."""
    row = await ctx.db.one(store.CERTIFICATE, account_id=account_id)
    return CertificateHeld(**{name: row[name] for name in row.keys()}) if row is not None else None  # noqa: SIM118  -- not a dict


async def set_certificate(
    ctx: Context, session: Session, *, data: bytes, source: str, actor: str = "browser"
) -> Certificate:
    """Encrypt to this certificate from now on, in the place of any former one.

    The same once more changes nothing. Raises Refused as `rules.parse_certificate`, before
    anything else is looked at, then ``step_up_needed`` or ``cooling_down``.
    """
    now = ctx.clock.now()
    new = rules.parse_certificate(data, now=now)
    records.demand_widening(ctx, session)
    await records.ensure_home(ctx, session, source=source, actor=actor)
    id_ = new_id()

    async def body(tx: Tx) -> Certificate:
        await accounts.lock_account(tx, session.account_id)
        held = await tx.one(store.CERTIFICATE, account_id=session.account_id)
        if held is not None and held["data"] == new.data:
            return _certificate(held["id"], new, added_at=held["added_at"])
        former = held["fingerprint"] if held is not None else ""
        if held is not None:
            # Its place is taken in the same transaction, and told to its owner by one.
            said = records.told(
                ctx,
                "delivery.certificate_replaced",
                actor=actor,
                source=source,
                detail={"fingerprint": former},
            )
            await tx.run(store.REMOVE_CERTIFICATE, account_id_=session.account_id, **said)
        await _store(tx, session.account_id, id_, new, former, source=source, actor=actor, now=now)
        return _certificate(id_, new, added_at=now)

    certificate = await ctx.db.write(body)
    ctx.wake.tell(CERTIFICATES)
    return certificate


def _certificate(id_: str, new: rules.NewCertificate, *, added_at: int) -> Certificate:
    return Certificate(
        id=id_,
        fingerprint=new.fingerprint,
        version=new.version,
        user_id=new.user_id,
        algorithm=new.algorithm,
        expires_at=new.expires_at,
        added_at=added_at,
    )


async def _store(
    tx: Tx,
    account_id: str,
    id_: str,
    new: rules.NewCertificate,
    former: str,
    *,
    source: str,
    actor: str,
    now: int,
) -> None:
    await tx.run(
        store.ADD_CERTIFICATE,
        id=id_,
        account_id=account_id,
        fingerprint=new.fingerprint,
        version=new.version,
        user_id=new.user_id,
        algorithm=new.algorithm,
        expires_at=new.expires_at,
        data=new.data,
        added_at=now,
        removed_at=None,
        warned=None,
        **audit.journal(
            event="delivery.certificate_set",
            actor=actor,
            source=source,
            at=now,
            detail={
                "fingerprint": new.fingerprint,
                "user": new.user_id,
                "algorithm": new.algorithm,
                "former": former,
            },
        ),
    )


async def remove_certificate(
    ctx: Context, session: Session, *, source: str, actor: str = "browser"
) -> None:
    """Encrypt no more; what is encrypted stays so.

    It lets the account's statements lie in clear, so it takes what setting one takes. Raises
    Refused ``certificate_unknown``, ``step_up_needed`` or ``cooling_down``.
    """
    records.demand_widening(ctx, session)

    async def body(tx: Tx) -> None:
        await accounts.lock_account(tx, session.account_id)
        held = await tx.one(store.CERTIFICATE, account_id=session.account_id)
        if held is None:
            raise Refused("certificate_unknown")
        detail = {"fingerprint": held["fingerprint"], "user": held["user_id"]}
        said = records.told(
            ctx, "delivery.certificate_removed", actor=actor, source=source, detail=detail
        )
        await tx.run(store.REMOVE_CERTIFICATE, account_id_=session.account_id, **said)

    await ctx.db.write(body)
