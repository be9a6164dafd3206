"""Where a terminal keeps its token: one JSON file, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from vestibule.client.errors import StateWrong
from vestibule.client.terminal import Token

_PRIVATE = 0o600


def read_token(path: Path) -> Token | None:
    """The token that is kept, or None. Raises `StateWrong` when others may read it."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise StateWrong(f"{path} may be read by others: chmod 600 it, or sign in again")
            return msgspec.json.decode(file.read(), type=Token)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise StateWrong(f"{path} cannot be read: {error}") from None


def keep_token(path: Path, token: Token) -> None:
    """Keep the token in place of the one before."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "wb") as file:
        # An old draft may have been left by a crash, with who knows which rights.
        os.fchmod(file.fileno(), _PRIVATE)
        file.write(msgspec.json.encode(token))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def forget_token(path: Path) -> None:
    """Delete what is kept."""
    path.unlink(missing_ok=True)
