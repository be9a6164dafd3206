"""R under the PIN (specification, section 3). Nothing here knows whether a PIN is right."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from vestibule.client.state import LockedRoot
from vestibule.protocol import keys
from vestibule.protocol.encoding import b64u, b64u_decode
from vestibule.protocol.messages import Policy


@dataclass(frozen=True, slots=True)
class Unlocked:
    """R in memory, or what a wrong PIN made of it: only the server can tell."""

    root: bytes = field(repr=False)


def new_root(policy: Policy, pin: str) -> LockedRoot:
    """Make R and lock it under a new PIN, stretched as much as the server asks for.

    Raises `PinRefused` with the rule that the PIN breaks.
    """
    pin = keys.check_pin(pin, pin_min=policy.pin_min, pin_max=policy.pin_max)
    how = keys.Stretch(name="argon2id", m=policy.argon2id.m, t=policy.argon2id.t)
    return _lock(secrets.token_bytes(32), pin, how)


def lock_again(locked: LockedRoot, unlocked: Unlocked, pin: str) -> LockedRoot:
    """Lock the same R under another PIN, stretched as much as before.

    Whoever calls it knows that the old PIN was right: with a wrong one, R would be lost. Raises
    `PinRefused`.
    """
    return _lock(unlocked.root, keys.check_pin(pin), locked.stretch)


def _lock(root: bytes, pin: str, how: keys.Stretch) -> LockedRoot:
    device_key, salt, iv = (secrets.token_bytes(length) for length in (32, 16, 16))
    kek = keys.pin_kek(device_key, keys.stretch(pin, salt, how))
    sealed = keys.open_root(kek, iv, root)
    return LockedRoot(
        device_key=b64u(device_key), salt=b64u(salt), iv=b64u(iv), sealed=b64u(sealed), stretch=how
    )


def open_root(locked: LockedRoot, pin: str) -> Unlocked:
    """Open R with a PIN, of whatever form: the rules are for new PINs only."""
    stretched = keys.stretch(pin, b64u_decode(locked.salt), locked.stretch)
    kek = keys.pin_kek(b64u_decode(locked.device_key), stretched)
    return Unlocked(keys.open_root(kek, b64u_decode(locked.iv), b64u_decode(locked.sealed)))
