"""All tables in one place: importing this module imports every store."""

from importlib import import_module
from pathlib import Path

from vestibule.base import audit, limits
from vestibule.base.database import metadata

__all__ = ["journalled", "metadata"]

for _store in sorted(Path(__file__).resolve().parent.parent.glob("*/store.py")):
    import_module(f"vestibule.{_store.parent.name}.store")

_GROUND = (audit.audit_event, limits.limit_state)


def journalled() -> dict[str, bool]:
    """Tables that carry the journal's columns, and whether each has a ``state``."""
    return {
        table.name: "state" in table.c
        for table in metadata.sorted_tables
        if {"event", "event_at", "audit_detail"} <= set(table.c.keys())
    }
