"""Links that say "this was not me", for which their reader need not sign in."""

import json
from dataclasses import astuple

from vestibule.base.context import Context
from vestibule.notifications.rules import NOT_ME_MS, Notice, NotMe
from vestibule.protocol.encoding import render_json

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
        _PURPOSE, render_json(list(astuple(said))), expires_at=notice.at + NOT_ME_MS
    )
    return f"{ctx.settings.portal_url}/not-me/{token}"


def open_not_me(ctx: Context, token: str) -> NotMe | None:
    """What a link says; None where it is none of ours or too old."""
    opened = ctx.sealer.untoken(_PURPOSE, token, now=ctx.clock.now())
    if opened is None:
        return None
    account_id, notice_id, event, subject = json.loads(opened)
    return NotMe(account_id=account_id, notice_id=notice_id, event=event, subject=subject)
