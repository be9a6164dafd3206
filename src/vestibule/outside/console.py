"""What would be sent, shown where the server was started: for development and for tests."""

import sys
from collections import deque
from dataclasses import dataclass
from typing import Final, TextIO
from urllib.parse import urlsplit

from vestibule.base.settings import Settings

_KEPT: Final = 200
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CONSOLE: Final = "console:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message that was shown in place of being sent."""

    by: str
    """``mail``, ``sms`` or ``voice``."""
    to: str
    subject: str
    text: str


class Outbox:
    """Shows messages and remembers the last ones, for the test suite to ask for."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._shown: deque[Shown] = deque(maxlen=_KEPT)

    @property
    def shown(self) -> list[Shown]:
        """What was shown, the latest last."""
        return list(self._shown)

    def put(self, *, by: str, to: str, subject: str, text: str) -> None:
        """Show one message. Not through the log: that would cut the secret out."""
        self._shown.append(Shown(by=by, to=to, subject=subject, text=text))
        head = " · ".join(part for part in (by, to, subject) if part)
        # Escapes would let a name that somebody chose write all over the terminal.
        lines = [_printable(line) for line in (head, *text.splitlines())]
        stream = self._stream or sys.stdout
        stream.write("".join(f"  | {line}\n" for line in lines))
        stream.flush()


def shows_messages(settings: Settings, address: str) -> bool:
    """Whether a sender with this address setting shows messages in place of sending them.

    Unset means so only where nobody but this machine's owner signs in: codes of real people do
    not belong into a server's output.
    """
    at_home = urlsplit(settings.portal_url).hostname in _HERE
    return address == CONSOLE or (not address and at_home)


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in line)
