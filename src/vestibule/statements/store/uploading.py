"""Uploads and their parts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, select, update

from vestibule.base.database import insert
from vestibule.statements.store.table import upload, upload_part

_u, _x = upload.c, upload_part.c
# --- uploads -----------------------------------------------------------------------------------

OPEN: Final = (
    insert(upload).values({c.name: bindparam(c.name) for c in _u}).on_conflict_do_nothing()
)
# What was said last holds: a publisher may have been told to replace.
REOPEN: Final = (
    update(upload)
    .where(_u.id == bindparam("id_"))
    .values(
        period=bindparam("period"),
        name=bindparam("name"),
        media=bindparam("media"),
        replace=bindparam("replace"),
        touched_at=bindparam("now"),
    )
)
UPLOAD_LIKE: Final = select(*_u).where(
    _u.publisher_id == bindparam("publisher_id_"),
    _u.account_id == bindparam("account_id_"),
    _u.kind == bindparam("kind_"),
    _u.name_key == bindparam("name_key_"),
    _u.sha256 == bindparam("sha256_"),
    _u.size == bindparam("size_"),
)
UPLOAD: Final = select(*_u).where(
    _u.id == bindparam("id_"),
    _u.publisher_id == bindparam("publisher_id_"),
    _u.touched_at > bindparam("since"),
)
MOVE: Final = (
    update(upload)
    .where(_u.id == bindparam("id_"), _u.offset == bindparam("from_offset"))
    .values(offset=bindparam("to_offset"), touched_at=bindparam("now"))
)
ADD_PART: Final = insert(upload_part).values({c.name: bindparam(c.name) for c in _x})
PARTS: Final = select(*_x).where(_x.upload_id == bindparam("upload_id_")).order_by(_x.offset)
END_UPLOAD: Final = delete(upload).where(_u.id == bindparam("id_"))
END_PARTS: Final = delete(upload_part).where(_x.upload_id == bindparam("upload_id_"))
STALE_UPLOADS: Final = (
    select(_u.id).where(_u.touched_at < bindparam("before")).limit(bindparam("most"))
)
END_STALE: Final = delete(upload).where(
    _u.id == bindparam("id_"), _u.touched_at < bindparam("before")
)
