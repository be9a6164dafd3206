"""What readers say of an article: yes or no, and words if they like."""

from dataclasses import dataclass
from typing import Final

from vestibule.base import audit, ids, limits
from vestibule.base.clock import DAY, HOUR
from vestibule.base.context import Context
from vestibule.base.database import Tx
from vestibule.base.errors import Malformed, Refused
from vestibule.knowledge import store

WORDS_MOST: Final = 1000
"""Characters."""
_KEPT: Final = 400 * DAY
_WORDS_WITHIN: Final = HOUR
_LISTED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One reader's words."""

    number: int
    language: str
    helpful: bool
    words: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What readers said of one article."""

    number: int
    yes: int
    no: int
    latest: int


async def give_feedback(
    ctx: Context,
    *,
    number: int,
    language: str,
    helpful: bool,
    account_id: str | None,
    source: str,
    address: str,
) -> str:
    """Take a yes or a no; returns the id under which words may be added for an hour.

    ``source`` is the subject of limits. Raises Refused ``too_many_requests``.
    """
    now = ctx.clock.now()
    id_ = ids.new_secret()

    async def body(tx: Tx) -> None:
        slot = await limits.load(tx, f"source:{source}")
        wait = slot.limits.feedback_wait(now=now)
        if wait:
            raise Refused("too_many_requests", wait=-(-wait // 1000))
        await limits.save(tx, slot, slot.limits.feedback_given(now=now))
        await tx.run(
            store.ADD, id=id_, number=number, language=language, helpful=helpful, words="", at=now
        )
        await audit.record(
            tx,
            event="knowledge.feedback",
            account_id=account_id,
            actor="browser",
            source=address,
            at=now,
            detail={"article": number, "language": language, "helpful": helpful},
        )

    await ctx.db.write(body)
    return id_


async def add_words(ctx: Context, *, id: str, number: int, words: str) -> bool:  # noqa: A002  -- the record's own word
    """Put words to a yes or a no; False: that was done, or too long ago.

    Raises Malformed ``bad_field`` for too many characters.
    """
    said = words.strip()
    if len(said) > WORDS_MOST:
        raise Malformed("bad_field", field="words")
    if not said:
        return False
    since = ctx.clock.now() - _WORDS_WITHIN
    return bool(await ctx.db.run(store.WORDS, id_=id, number_=number, words=said, since=since))


async def list_feedback(ctx: Context) -> tuple[list[Counted], list[Feedback]]:
    """The counts of each article, those that helped least first, and the latest words."""
    counts = [
        Counted(number=row["number"], yes=int(row["yes"]), no=int(row["no"]), latest=row["latest"])
        for row in await ctx.db.all(store.COUNTS)
    ]
    latest = [
        Feedback(
            number=row["number"],
            language=row["language"],
            helpful=bool(row["helpful"]),
            words=row["words"],
            at=row["at"],
        )
        for row in await ctx.db.all(store.LATEST, most=_LISTED)
    ]
    return counts, latest


async def sweep_feedback(ctx: Context) -> int:
    """Delete what is older than a year and a bit: the articles have changed since."""
    return await ctx.db.run(store.SWEEP, before=ctx.clock.now() - _KEPT)
