"""Rows to write and read in tests of the database: any table will do, limit_state is small."""

from collections.abc import Awaitable, Callable

from sqlalchemy import bindparam, delete, select, update

from vestibule.base.database import Database, Tx, insert
from vestibule.base.limits import limit_state

PUT = insert(limit_state)
GET = select(limit_state).where(limit_state.c.subject == bindparam("subject"))
ALL = select(limit_state.c.subject).order_by(limit_state.c.subject)
DROP = delete(limit_state)
SET = update(limit_state).where(limit_state.c.subject == bindparam("subject_"))
SWAP = (
    update(limit_state)
    .where(
        limit_state.c.subject == bindparam("subject_"),
        limit_state.c.version == bindparam("version_"),
    )
    .values(version=limit_state.c.version + 1)
)
ADD = SET.values(version=limit_state.c.version + 10).returning(limit_state.c.version)


async def put(tx: Tx, subject: str) -> int:
    """Insert one row of version 1."""
    return await tx.run(PUT, subject=subject, version=1, state="{}", forgotten_at=0)


def putting(subject: str) -> Callable[[Tx], Awaitable[int]]:
    """The body that inserts one row."""
    return lambda tx: put(tx, subject)


async def subjects(database: Database) -> list[str]:
    """What is stored."""
    return [row["subject"] for row in await database.all(ALL)]
