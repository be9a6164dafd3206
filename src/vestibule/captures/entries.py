"""What is told of each request once its line is written (section 9 of the specification)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vestibule.captures.report import Entry

_AUTHORITY = re.compile("[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


def host_of(safe_url: str) -> str:
    """Host and port of an address that was made safe, without user; empty when it has none."""
    found = _AUTHORITY.match(safe_url)
    return found[1].rpartition("@")[2] if found else ""


class Facts:
    """Values of one entry, as they were written."""

    def __init__(self, written: Mapping[tuple[str, str], bytes]) -> None:
        self._written = written

    def _value(self, where: str, name: str) -> object:
        return json.loads(self._written.get((where, name), b"null").decode("ascii"))

    def _text(self, where: str, name: str) -> str:
        value = self._value(where, name)
        return value if isinstance(value, str) else ""

    def _number(self, where: str, name: str) -> float | None:
        value = self._value(where, name)
        return value if isinstance(value, int | float) else None

    def host(self) -> str:
        """The host that was asked."""
        return host_of(self._text("request", "url"))

    def entry(self, number: int, offset: int, length: int) -> Entry:
        """The entry, as lists show it."""
        size = self._number("content", "size")
        if size is None:
            size = self._number("response", "bodySize")
        return Entry(
            number=number,
            offset=offset,
            length=length,
            host=self.host(),
            started=self._text("entry", "startedDateTime"),
            ms=self._number("entry", "time"),
            method=self._text("request", "method"),
            url=self._text("request", "url"),
            status=int(self._number("response", "status") or 0),
            mime=self._text("content", "mimeType"),
            size=None if size is None else int(size),
            error=self._text("entry", "_error") or self._text("response", "_error"),
        )
