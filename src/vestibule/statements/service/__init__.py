"""Statements: published by the operator's systems, kept for a while, fetched by their owners."""

from vestibule.statements.service.encrypting import encrypt_for_ever, encrypt_plain
from vestibule.statements.service.fetching import mark_all_seen, note_fetched
from vestibule.statements.service.publishers import (
    add_publisher,
    list_publishers,
    publisher_of,
    revoke_publisher,
)
from vestibule.statements.service.publishing import check, publish
from vestibule.statements.service.purging import purge_due, sweep_orphans, sweep_statements
from vestibule.statements.service.reading import (
    content,
    get_statement,
    mark_seen,
    open_statement,
    statement_of,
    tree,
)
from vestibule.statements.service.telling import enclosed, tell_ready, tell_ready_for_ever
from vestibule.statements.service.uploading import (
    abandon,
    append,
    begin_upload,
    finish,
    sweep_uploads,
    upload_of,
)

__all__ = [
    "abandon",
    "add_publisher",
    "append",
    "begin_upload",
    "check",
    "content",
    "enclosed",
    "encrypt_for_ever",
    "encrypt_plain",
    "finish",
    "get_statement",
    "list_publishers",
    "mark_all_seen",
    "mark_seen",
    "note_fetched",
    "open_statement",
    "publish",
    "publisher_of",
    "purge_due",
    "revoke_publisher",
    "statement_of",
    "sweep_orphans",
    "sweep_statements",
    "sweep_uploads",
    "tell_ready",
    "tell_ready_for_ever",
    "tree",
    "upload_of",
]
