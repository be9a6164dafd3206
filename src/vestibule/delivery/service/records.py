"""The home: made, switched on and off, its networks and its notices; and who may change it."""

import json
import secrets
from typing import Final

from vestibule.accounts import rules as account_rules, service as accounts
from vestibule.base import audit
from vestibule.base.clock import DAY
from vestibule.base.context import Context
from vestibule.base.database import Row, Tx
from vestibule.base.errors import Refused
from vestibule.delivery import rules, store
from vestibule.delivery.rules import Certificate, Home, Notices
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Session

_TRIES: Final = 5
_HISTORY_MS: Final = 90 * DAY


def home_in(row: Row) -> Home:
    """The home in a row of ``store.HOME``."""
    certificate = None
    if row["certificate_id"] is not None:
        certificate = Certificate(
            id=row["certificate_id"],
            fingerprint=row["certificate_fingerprint"],
            version=row["certificate_version"],
            user_id=row["certificate_user_id"],
            algorithm=row["certificate_algorithm"],
            expires_at=row["certificate_expires_at"],
            added_at=row["certificate_added_at"],
        )
    return Home(
        account_id=row["account_id"],
        username=row["username"],
        enabled=bool(row["enabled"]),
        networks=account_rules.networks_of(row["networks"]),
        notices=rules.notices_of(row["notices"]),
        certificate=certificate,
        created_at=row["created_at"],
    )


# --- who may ----------------------------------------------------------------------------------


def demand_widening(ctx: Context, session: Session) -> None:
    """Refuse a session that may not let anybody in: ``cooling_down`` or ``step_up_needed``."""
    accounts.demand_unguarded(session, ctx.clock.now())
    demand_narrowing(ctx, session)


def demand_narrowing(ctx: Context, session: Session) -> None:
    """Refuse a session that may not shut anybody out (``step_up_needed``).

    Also while the account cools down: what a thief has let in, its owner may take away.
    """
    sessions.demand(ctx, session, first=True)


# --- the home ---------------------------------------------------------------------------------


async def home_of(ctx: Context, account_id: str) -> Home | None:
    """The account's home; None where it never made one."""
    row = await ctx.db.one(store.HOME, account_id=account_id)
    return home_in(row) if row is not None else None


async def ensure_home(
    ctx: Context, session: Session, *, source: str, actor: str = "browser"
) -> Home:
    """The home of the session's account, made where it is missing: closed, and known to nobody."""
    for _ in range(_TRIES):
        home = await home_of(ctx, session.account_id)
        if home is not None:
            return home
        now = ctx.clock.now()
        username = rules.username_from(secrets.token_bytes(rules.USERNAME_BYTES))
        await ctx.db.run(
            store.MAKE_HOME,
            account_id=session.account_id,
            id=session.account_id,
            username=username,
            enabled=False,
            networks="[]",
            notices=Notices().written(),
            created_at=now,
            **audit.journal(
                event="delivery.opened",
                actor=actor,
                source=source,
                at=now,
                detail={"username": username},
            ),
        )
    raise RuntimeError("no SFTP username was free")  # of 2**49, five in a row


async def switch(
    ctx: Context, session: Session, *, on: bool, source: str, actor: str = "browser"
) -> bool:
    """Switch delivery on or off; True if that changed anything.

    Raises Refused ``step_up_needed``, and ``cooling_down`` for on.
    """
    (demand_widening if on else demand_narrowing)(ctx, session)
    home = await ensure_home(ctx, session, source=source, actor=actor)
    event = "delivery.switched_on" if on else "delivery.switched_off"

    async def body(tx: Tx) -> bool:
        await accounts.lock_account(tx, home.account_id)
        detail = {"username": home.username}
        said = told(ctx, event, actor=actor, source=source, detail=detail)
        return bool(await tx.run(store.SWITCH, account_id_=home.account_id, on=on, **said))

    return await ctx.db.write(body)


async def shut(tx: Tx, ctx: Context, *, account_id: str, actor: str, source: str) -> bool:
    """Switch delivery off for an owner who says that a change was not theirs.

    In the caller's transaction, which has locked the account. False where it is off already.
    """
    said = told(ctx, "delivery.switched_off", actor=actor, source=source, detail={})
    return bool(await tx.run(store.SWITCH, account_id_=account_id, on=False, **said))


# --- networks ---------------------------------------------------------------------------------


async def set_networks(
    ctx: Context,
    session: Session,
    *,
    networks: tuple[str, ...],
    source: str,
    actor: str = "browser",
) -> Home:
    """Say whence programs may come; empty: from nowhere. It holds at once.

    ``networks`` come from `rules.delivery_networks`. Raises Refused ``step_up_needed``, and
    ``cooling_down`` where the list lets in what the one before did not.
    """
    return await _change_networks(ctx, session, lambda _held: networks, source=source, actor=actor)


async def add_network(
    ctx: Context, session: Session, *, network: str, source: str, actor: str = "browser"
) -> Home:
    """Allow one more network, as typed. It holds at once.

    Raises Refused ``network_invalid`` (also beyond fifty), ``network_too_wide``,
    ``step_up_needed`` or ``cooling_down``.
    """
    return await _change_networks(
        ctx, session, lambda held: rules.with_network(held, network), source=source, actor=actor
    )


async def add_address(
    ctx: Context, session: Session, *, address: str, source: str, actor: str = "browser"
) -> Home:
    """Allow the visitor's own address; of IPv6 its /64. Raises Refused as `add_network`."""
    return await add_network(
        ctx, session, network=rules.network_of(address), source=source, actor=actor
    )


async def remove_network(
    ctx: Context, session: Session, *, network: str, source: str, actor: str = "browser"
) -> Home:
    """Allow a network no more. Raises Refused ``step_up_needed``."""
    return await _change_networks(
        ctx,
        session,
        lambda held: tuple(one for one in held if one != network),
        source=source,
        actor=actor,
    )


async def _change_networks(
    ctx: Context, session: Session, change: rules.NetworksChange, *, source: str, actor: str
) -> Home:
    demand_narrowing(ctx, session)
    await ensure_home(ctx, session, source=source, actor=actor)

    async def body(tx: Tx) -> Home:
        # In turn with whoever else changes them: each change is of what is there by then.
        await accounts.lock_account(tx, session.account_id)
        held = await _home(tx, session.account_id)
        networks = change(held.networks)
        if not rules.narrower(networks, held.networks):
            accounts.demand_unguarded(session, ctx.clock.now())
        if set(networks) != set(held.networks):
            await _store_networks(tx, ctx, held, networks, source=source, actor=actor)
        return await _home(tx, session.account_id)

    return await ctx.db.write(body)


async def _home(tx: Tx, account_id: str) -> Home:
    row = await tx.one(store.HOME, account_id=account_id)
    if row is None:
        raise Refused("not_found")
    return home_in(row)


async def _store_networks(
    tx: Tx, ctx: Context, held: Home, networks: tuple[str, ...], *, source: str, actor: str
) -> None:
    added = [one for one in networks if one not in held.networks]
    removed = [one for one in held.networks if one not in networks]
    detail: audit.Detail = {
        "networks": len(networks),
        "added": _listed(added),
        "removed": _listed(removed),
    }
    await tx.run(
        store.SET_NETWORKS,
        account_id_=held.account_id,
        networks_=json.dumps(networks),
        **told(ctx, "delivery.networks_changed", actor=actor, source=source, detail=detail),
    )
    await tx.run(store.FORGET_NETWORKS, account_id_=held.account_id)
    for network in networks:
        await tx.run(store.ADD_NETWORK, account_id=held.account_id, network=network)


def _listed(networks: list[str]) -> str:
    """The first few, for a notice that people read."""
    return ", ".join([*networks[:5], *(["…"] if len(networks) > 5 else [])]) or "-"


# --- notices ----------------------------------------------------------------------------------


async def set_notices(
    ctx: Context, session: Session, *, notices: Notices, source: str, actor: str = "browser"
) -> bool:
    """Choose how new statements are told of; True if that changed anything.

    Raises Refused ``step_up_needed`` or ``cooling_down`` where files shall now go along by mail,
    for they then leave the house by another door.
    """
    home = await ensure_home(ctx, session, source=source, actor=actor)
    if notices.attaching and not home.notices.attaching:
        demand_widening(ctx, session)
    said = told(
        ctx,
        "delivery.notices_changed",
        actor=actor,
        source=source,
        detail={kind: notices.of(kind).mail.value for kind in rules.KINDS},
    )
    return bool(
        await ctx.db.run(
            store.SET_NOTICES,
            account_id_=session.account_id,
            notices_=notices.written(),
            **said,
        )
    )


# --- what every change says -------------------------------------------------------------------


def told(
    ctx: Context, event: str, *, actor: str, source: str, detail: audit.Detail
) -> dict[str, str | int]:
    """The parameters by which a statement of the store writes its event."""
    return {
        "event_": event,
        "now": ctx.clock.now(),
        "actor_": actor,
        "source_": source,
        "detail": json.dumps(dict(detail), ensure_ascii=False, separators=(",", ":")),
    }


async def sweep_delivery(ctx: Context) -> int:
    """Delete old visits, and keys and certificates that were removed a quarter of a year ago."""
    now = ctx.clock.now()
    gone = await ctx.db.run(store.SWEEP_VISITS, before=now - ctx.settings.visit_days * DAY)
    gone += await ctx.db.run(store.SWEEP_KEYS, before=now - _HISTORY_MS)
    return gone + await ctx.db.run(store.SWEEP_CERTIFICATES, before=now - _HISTORY_MS)
