"""Folders that only the right person may write into: looked at, judged, and how to mend them."""

from vestibule.base.folders.judging import Entry, Finding, Right, Seen, Wanted, judge
from vestibule.base.folders.looking import look, mac_entries, try_writing

__all__ = [
    "Entry",
    "Finding",
    "Right",
    "Seen",
    "Wanted",
    "judge",
    "look",
    "mac_entries",
    "try_writing",
]
