"""The desk's tables and statements, by record."""

from vestibule.support.store import attachments, desk, diagnoses, tickets

__all__ = ["attachments", "desk", "diagnoses", "tickets"]
