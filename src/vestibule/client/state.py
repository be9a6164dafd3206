"""What the reference phone remembers: one JSON file, readable by its owner only.

A phone in a browser keeps `Kd` and the device keys where nobody can export them; a file cannot
do that, so it is as good as the account of whoever may read it. It holds no PIN, though, and
nothing to test one with (specification, section 3).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from vestibule.client.errors import NotPossible, StateWrong
from vestibule.protocol.encoding import parse_json_as, render_json
from vestibule.protocol.errors import ProtocolFault
from vestibule.protocol.keys import Bytes32, Id, Jwk, Stretch

PRIVATE = 0o600


def handle(id_: str) -> str:
    """What a command line calls an id: hyphens in front would make an option of it."""
    return id_.lstrip("-")


class LockedRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """R under the PIN: `Cpin` and what it takes, besides the PIN, to open it."""

    device_key: Bytes32
    salt: Id
    iv: Id
    sealed: Bytes32
    stretch: Stretch


class Enrolled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One account on this phone.

    `id` is the enrollment's, `key` its private device key (PEM), `address` the phone app's,
    `server` the pinned signing key, `counter` the next one to respond with, `stale` that its PIN
    was forgotten: it denies and reports, and waits to be renewed.
    """

    id: Id
    key: str
    account: str
    organisation: str
    application: str
    issuer: str
    address: str
    server: Jwk
    counter: Annotated[int, msgspec.Meta(ge=1)] = 1
    stale: bool = False


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything; `root` is None until the first account is linked."""

    version: Literal[1] = 1
    device: Id
    root: LockedRoot | None = None
    accounts: tuple[Enrolled, ...] = ()

    def account(self, name: str | None = None) -> Enrolled:
        """Find an account by its name or enrollment id; without a name, the only one.

        Raises `NotPossible`.
        """
        if name is None and len(self.accounts) == 1:
            return self.accounts[0]
        found = [one for one in self.accounts if name in (one.id, handle(one.id), one.account)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(one.account for one in self.accounts)
        if not known:
            raise NotPossible("no account is linked to this phone yet")
        raise NotPossible(f"say which account; on this phone: {known}")

    def without(self, enrollment: str) -> State:
        """Forget an account; with the last one goes the root, and so the PIN."""
        left = tuple(one for one in self.accounts if one.id != enrollment)
        root = self.root if left else None
        return msgspec.structs.replace(self, accounts=left, root=root)

    def renewed(self, device: str, root: LockedRoot, enrolled: Enrolled) -> State:
        """Begin anew under another PIN: what was linked before waits to be renewed."""
        before = tuple(msgspec.structs.replace(one, stale=True) for one in self.accounts)
        return msgspec.structs.replace(self, device=device, root=root, accounts=(*before, enrolled))

    def named(self, enrollment: str, name: str) -> State:
        """Keep an account's name, and forget the stale enrollment that it takes the place of."""
        issuer = self.account(enrollment).issuer
        kept = tuple(
            one
            for one in self.accounts
            if not (one.stale and one.account == name and one.issuer == issuer)
        )
        return msgspec.structs.replace(self, accounts=kept).changed(enrollment, account=name)

    def changed(self, enrollment: str, **members: object) -> State:
        """Change members of one account."""
        accounts = tuple(
            msgspec.structs.replace(one, **members) if one.id == enrollment else one
            for one in self.accounts
        )
        return msgspec.structs.replace(self, accounts=accounts)


class StateFile:
    """The file on disk. Every change is durable before `change` returns."""

    def __init__(self, path: Path, *, device: str) -> None:
        """`device` is the id of a phone that is new, where there is no file yet."""
        self.path = path
        self._new = State(device=device)

    def read(self) -> State:
        """Read the state. Raises `StateWrong` when others may read it, or it is damaged."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise StateWrong(f"{self.path} may be read by others: chmod 600 it first")
                return parse_json_as(file.read(), State)
        except FileNotFoundError:
            return self._new
        except (OSError, ProtocolFault) as error:
            raise StateWrong(f"{self.path} cannot be read: {error}") from None

    def change(self, edit: Callable[[State], State]) -> State:
        """Replace the state by what `edit` makes of it, and return that.

        One process at a time; the new file is on disk before the old one is gone, and both
        before anything is done with what it says: a counter that was used is never lost.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = edit(self.read())
            self._write(render_json(state))
        return state

    def _write(self, data: bytes) -> None:
        draft = self.path.with_name(f".{self.path.name}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(handle, "wb") as file:
            # An old draft may have been left by a crash, with who knows which rights.
            os.fchmod(file.fileno(), PRIVATE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
