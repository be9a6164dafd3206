"""Browser captures made safe: one table of rules, what is read, kept and taken out. No I/O.

`sanitise` does it; `RULES_JSON` is the table as the browser's program gets it.
"""

from vestibule.captures.errors import CaptureRefused
from vestibule.captures.markers import is_marker
from vestibule.captures.report import AtHost, Entry, Report
from vestibule.captures.sanitising import sanitise
from vestibule.captures.table import FORMAT, LIMITS, REASONS, RULES_JSON

__all__ = [
    "FORMAT",
    "LIMITS",
    "REASONS",
    "RULES_JSON",
    "AtHost",
    "CaptureRefused",
    "Entry",
    "Report",
    "is_marker",
    "sanitise",
]
