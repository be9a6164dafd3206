"""What a client is told of new statements, by which ways: how many of which kind, and no more."""

from collections.abc import Mapping
from typing import Final

from vestibule.delivery.rules import Mailed, Notices
from vestibule.statements.rules.naming import Kind

_LOUDER: Final = (Mailed.OFF, Mailed.NOTICE, Mailed.ATTACHMENT)


def notice_of(counts: Mapping[Kind, int], notices: Notices) -> dict[str, str | int | bool] | None:
    """The detail of the event that tells of so many new statements; None: tell nothing.

    Several kinds are told in one notice: it takes each way that any of them takes, and speaks only
    of those of which something may be told. Which kinds go along with mails stands in
    ``enclosed``.
    """
    told = {
        kind: (count, notices.of(kind))
        for kind, count in counts.items()
        if count and not notices.of(kind).silent
    }
    if not told:
        return None
    mail = max((choice.mail for _, choice in told.values()), key=_LOUDER.index)
    return {
        **{kind.value: told[kind][0] for kind in Kind if kind in told},
        "mail": mail.value,
        "push": any(choice.push for _, choice in told.values()),
        "enclosed": ",".join(
            kind.value for kind in Kind if kind in told and _attached(told[kind][1].mail)
        ),
    }


def enclosed_kinds(detail: Mapping[str, object]) -> frozenset[Kind]:
    """The kinds that go along with the mails of an event that `notice_of` described."""
    named = str(detail.get("enclosed") or "").split(",")
    return frozenset(kind for kind in Kind if kind.value in named)


def _attached(mail: Mailed) -> bool:
    return mail is Mailed.ATTACHMENT
