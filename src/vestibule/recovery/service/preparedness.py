"""How an owner would come back after losing the phone, told before it happens."""

from __future__ import annotations

from dataclasses import dataclass

from vestibule.base.clock import HOUR
from vestibule.base.context import Context
from vestibule.contacts.rules import may_recover
from vestibule.devices.rules import can_approve
from vestibule.factors.rules import Kind
from vestibule.recovery.service.reading import facts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The ways back that an account has today."""

    phones: int
    """Phones that may approve: with two, each can vouch for a third."""
    codes: bool
    """Printed recovery codes."""
    number: bool
    """A number verified for long enough, where the house sends texts."""
    others: int
    """Passkeys and authenticator apps, to sign in at the portal with."""

    @property
    def ways(self) -> int:
        """Ways that are left without the phone."""
        return max(0, self.phones - 1) + self.codes + self.number + self.others


async def prepared(ctx: Context, account_id: str) -> Prepared:
    """What would help this account without its phone."""
    facts = await ctx.db.read(lambda tx: facts_of(tx, ctx, account_id))
    now = ctx.clock.now()
    trust = ctx.settings.number_trust_hours * HOUR
    sends = ctx.settings.sms_activation and bool(ctx.text.ways)
    return Prepared(
        phones=sum(can_approve(phone, now) for phone in facts.phones),
        codes=any(factor.kind is Kind.RECOVERY_CODES for factor in facts.factors),
        number=sends and any(may_recover(one, now=now, trust_ms=trust) for one in facts.numbers),
        others=sum(factor.kind in (Kind.PASSKEY, Kind.TOTP) for factor in facts.factors),
    )
