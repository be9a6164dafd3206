"""The article_feedback table and its statements."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from vestibule.base.database import insert, metadata

article_feedback: Final = Table(
    "article_feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("words", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("article_feedback_at", "at"),
)
_f = article_feedback.c

ADD: Final = insert(article_feedback).values({c.name: bindparam(c.name) for c in _f})
# Once, and soon: the link to it stays in a browser's history.
WORDS: Final = (
    update(article_feedback)
    .where(
        _f.id == bindparam("id_"),
        _f.number == bindparam("number_"),
        _f.words == "",
        _f.at > bindparam("since"),
    )
    .values(words=bindparam("words"))
)
COUNTS: Final = (
    select(
        _f.number,
        func.sum(case((_f.helpful, 1), else_=0)).label("yes"),
        func.sum(case((_f.helpful, 0), else_=1)).label("no"),
        func.max(_f.at).label("latest"),
    )
    .group_by(_f.number)
    .order_by(func.sum(case((_f.helpful, 0), else_=1)).desc(), _f.number)
)
LATEST: Final = (
    select(*_f).where(_f.words != "").order_by(_f.at.desc(), _f.id).limit(bindparam("most"))
)
SWEEP: Final = delete(article_feedback).where(_f.at < bindparam("before"))
