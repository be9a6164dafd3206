"""The desk's tables and statements, by record."""

from vestibule.support.store import attachments, tickets

__all__ = ["attachments", "tickets"]
