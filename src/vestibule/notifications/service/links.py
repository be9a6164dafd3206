"""Links that say "this was not me", for which their reader need not sign in."""

import json
from dataclasses import asdict

from vestibule.base.context import Context
from vestibule.notifications.rules import NOT_ME_MS, Notice, NotMe

_PURPOSE = "not-me"


def not_me_link(ctx: Context, notice: Notice) -> str:
    """The address of the page on which the account's owner says that it was somebody else.

    Whoever has the mail may open it: all that it does is to stop what was begun.
    """
    said = NotMe(
        account_id=notice.account_id,
        notice_id=notice.id,
        event=notice.event,
        subject=notice.subject or "",
    )
    token = ctx.sealer.token(
        _PURPOSE,
        json.dumps(asdict(said), separators=(",", ":")).encode(),
        expires_at=notice.at + NOT_ME_MS,
    )
    return f"{ctx.settings.portal_url}/not-me/{token}"


def open_not_me(ctx: Context, token: str) -> NotMe | None:
    """What a link says; None where it is none of ours or too old."""
    opened = ctx.sealer.untoken(_PURPOSE, token, now=ctx.clock.now())
    return NotMe(**json.loads(opened)) if opened is not None else None
