"""What the SFTP server asks: who may come in, and by which keys it is known itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from vestibule.accounts import rules as account_rules
from vestibule.base.context import Context
from vestibule.base.database import Row
from vestibule.delivery import rules, store
from vestibule.delivery.rules import Door, Outcome

_PURPOSE = "ssh-host-key"
# Ed25519 alone: beside an RSA host key, servers announce signatures with SHA-1.
_ALGORITHM = "ssh-ed25519"
_DOORS_MOST = max(store.DOORS)


async def door(ctx: Context, username: str) -> Door | None:
    """What decides about a program that gave this SFTP username; None: there is none such.

    One statement, and one row of it for unknown names too.
    """
    row = await ctx.db.one(store.DOOR, username=rules.username_key(username))
    return _door_in(row) if row is not None and row["account_id"] is not None else None


async def doors(ctx: Context, account_ids: Iterable[str]) -> dict[str, Door]:
    """The doors of those of the accounts that have one, by account: to judge what runs.

    One statement for up to 1024 accounts.
    """
    wanted = sorted(set(account_ids))
    found: dict[str, Door] = {}
    for start in range(0, len(wanted), _DOORS_MOST):
        part = wanted[start : start + _DOORS_MOST]
        size = next(most for most in store.DOORS if most >= len(part))
        named = {f"id_{place}": part[min(place, len(part) - 1)] for place in range(size)}
        for row in await ctx.db.all(store.DOORS[size], **named):
            found[row["account_id"]] = _door_in(row)
    return found


def _door_in(row: Row) -> Door:
    pairs = (pair.split(" ") for pair in (row["keys"] or "").split(",") if pair)
    return Door(
        account_id=row["account_id"],
        username=row["username"],
        enabled=bool(row["enabled"]) and row["owner"] is not None and row["disabled_at"] is None,
        networks=account_rules.networks_of(row["networks"]),
        keys=dict(pairs),
        certificate=row["certificate"],
    )


# --- what would happen -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would become of a program with this key at this address."""

    outcome: Outcome
    fingerprint: str | None
    """Of the key that was tried; None where none was."""
    key_id: str | None
    """The registered key that it is."""
    address: str


async def foresee(
    ctx: Context, account_id: str, *, address: str, data: bytes = b"", fingerprint: str = ""
) -> Foreseen:
    """What the server would say to a program of this account.

    The key is the one in ``data`` (a public key in any form), else the one of ``fingerprint``,
    else any of the registered ones. Raises Refused as `rules.parse_public_key`, and
    ``network_invalid`` for what is no address.
    """
    tried = rules.parse_public_key(data).fingerprint if data.strip() else fingerprint.strip()
    rules.network_of(address)
    mine = (await doors(ctx, [account_id])).get(account_id)
    if not tried and mine is not None:
        tried = next(iter(mine.keys), "")
    outcome = rules.judge(mine, fingerprint=tried or None, address=address)
    return Foreseen(
        outcome=outcome,
        fingerprint=tried or None,
        key_id=mine.keys.get(tried) if mine is not None else None,
        address=rules.plain_address(address),
    )


# --- host keys ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeyShown:
    """What clients compare when their program asks whether it is the right server."""

    algorithm: str
    line: str
    """As OpenSSH's known_hosts has it, without the names before."""
    fingerprint: str
    """``SHA256:…``"""
    md5: str
    """``MD5:aa:bb:…``, which older programs show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey(HostKeyShown):
    """A key by which the SFTP server is known."""

    private: bytes = field(repr=False)
    """PEM in OpenSSH's form, without a passphrase."""


async def host_keys(ctx: Context) -> tuple[HostKey, ...]:
    """The server's keys, made where there are none: all workers and machines use the same."""
    rows = await ctx.db.all(store.HOST_KEYS)
    if not rows:
        await _make_host_key(ctx)
        rows = await ctx.db.all(store.HOST_KEYS)
    return tuple(_host_key_in(ctx, row) for row in rows)


async def shown_host_keys(ctx: Context) -> tuple[HostKeyShown, ...]:
    """What clients may see of `host_keys`."""
    return tuple(
        HostKeyShown(
            algorithm=key.algorithm, line=key.line, fingerprint=key.fingerprint, md5=key.md5
        )
        for key in await host_keys(ctx)
    )


async def _make_host_key(ctx: Context) -> None:
    private = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    await ctx.db.run(
        store.MAKE_HOST_KEY,
        algorithm=_ALGORITHM,
        sealed=ctx.sealer.seal(_PURPOSE, private, _ALGORITHM.encode()),
        made_at=ctx.clock.now(),
    )


def _host_key_in(ctx: Context, row: Row) -> HostKey:
    algorithm: str = row["algorithm"]
    private = ctx.sealer.open(_PURPOSE, row["sealed"], algorithm.encode())
    public = load_ssh_private_key(private, password=None).public_key()
    blob = rules.blob_of(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return HostKey(
        algorithm=algorithm,
        line=rules.line_of(blob, algorithm),
        fingerprint=rules.fingerprint_of(blob),
        md5=rules.md5_of(blob),
        private=private,
    )
