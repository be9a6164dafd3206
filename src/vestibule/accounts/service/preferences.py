"""What an account's owner chooses: networks, language, hours; and what rests after a recovery."""

import json
from typing import Protocol

from vestibule.accounts import rules, store
from vestibule.base import audit
from vestibule.base.clock import SECOND
from vestibule.base.context import Context
from vestibule.base.database import Tx, Value
from vestibule.base.errors import Refused
from vestibule.base.i18n import language_named


class Guarded(Protocol):
    """An account, or a session of one."""

    @property
    def guarded_until(self) -> int | None:
        """Milliseconds; see `rules.Account`."""
        ...


def demand_unguarded(guarded: Guarded, now: int) -> None:
    """Refuse what matters while the account cools down after a recovery.

    Raises Refused ``cooling_down`` with ``until`` (ms) and ``wait`` (seconds).
    """
    until = guarded.guarded_until
    if until is not None and rules.cooling(until, now=now):
        raise Refused("cooling_down", until=until, wait=-(-(until - now) // SECOND))


async def guard(tx: Tx, *, account_id: str, until: int) -> None:
    """Let what matters rest until then (ms), in the caller's transaction; never for less long."""
    await tx.run(store.GUARD, id_=account_id, until=until)


async def set_networks(
    ctx: Context, *, account_id: str, networks: tuple[str, ...], address: str, source: str
) -> None:
    """Say where the account may be used from; empty: from anywhere. It holds at once.

    `networks` come from `rules.networks_from`. Raises Refused ``networks_lock_you_out`` where
    ``address``, at which its owner is now, is in none of them.
    """
    rules.demand_not_locked_out(networks, address)
    await _change(
        ctx,
        account_id,
        "account.networks_changed",
        source,
        detail={"networks": len(networks)},
        networks=json.dumps(networks) if networks else None,
    )


async def set_language(
    ctx: Context, *, account_id: str, language: str, timezone: str, source: str
) -> None:
    """Choose language and time zone; empty: as the browser asks, and the house's.

    Raises Refused ``preference_invalid``.
    """
    if language and language_named(language) is None:
        raise Refused("preference_invalid")
    if timezone and not rules.zone_known(timezone):
        raise Refused("preference_invalid")
    await _change(
        ctx,
        account_id,
        "account.language_changed",
        source,
        detail={"language": language, "timezone": timezone},
        language=language or None,
        timezone=timezone or None,
    )


async def set_hours(
    ctx: Context,
    *,
    account_id: str,
    renew_at: int | None,
    quiet_from: int | None,
    quiet_until: int | None,
    source: str,
) -> None:
    """Choose when sessions end and when nothing but a known browser's sign-in makes a sound.

    All are minutes of the day. Raises Refused ``preference_invalid`` for half a quiet time.
    """
    if (quiet_from is None) != (quiet_until is None):
        raise Refused("preference_invalid")
    await _change(
        ctx,
        account_id,
        "account.hours_changed",
        source,
        detail={"renew_at": renew_at, "quiet_from": quiet_from, "quiet_until": quiet_until},
        renew_at=renew_at,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )


async def _change(
    ctx: Context,
    account_id: str,
    event: str,
    source: str,
    *,
    detail: audit.Detail,
    **values: Value,
) -> None:
    now = ctx.clock.now()

    async def body(tx: Tx) -> None:
        await tx.run(store.CHANGE, id_=account_id, **values)
        await audit.record(
            tx,
            event=event,
            account_id=account_id,
            subject=account_id,
            actor="browser",
            source=source,
            at=now,
            detail=detail,
        )

    await ctx.db.write(body)
