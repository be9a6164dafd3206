"""What a capture can be refused for (section 11 of the specification)."""

from __future__ import annotations


class CaptureRefused(Exception):  # noqa: N818 - the house calls a lawful no "refused"
    """A capture that is not read to its end, with a stable code and the byte it stopped at."""

    def __init__(self, code: str, at: int) -> None:
        super().__init__(f"{code} at byte {at}")
        self.code = code
        self.at = at
