"""The SSH library's log, switched off: it writes every step of everybody, and composes it first."""

from __future__ import annotations

from typing import Final

from asyncssh.logging import SSHLogger


class _Silence(SSHLogger):
    """Says nothing, and makes nothing of what it is given."""

    def get_child(self, child: str = "", context: str = "") -> SSHLogger:
        """Itself: a part of silence."""
        del child, context
        return self

    def log(self, level: int, msg: object, *args: object, **kwargs: object) -> None:
        """Nothing."""

    def debug1(self, msg: str, *args: object, **kwargs: object) -> None:
        """Nothing."""

    def debug2(self, msg: str, *args: object, **kwargs: object) -> None:
        """Nothing."""

    def packet(
        self, pktid: int | None, packet: bytes, msg: str, *args: object, **kwargs: object
    ) -> None:
        """Nothing: packets hold what is secret."""


SILENT: Final[SSHLogger] = _Silence()
