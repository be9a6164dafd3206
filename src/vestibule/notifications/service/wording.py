"""The words of a notice, in the language of its account: for lists, mails and texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vestibule.base.context import Context, EncryptedFile, Mail
from vestibule.base.i18n import counted, day, listed, moment, t
from vestibule.notifications.rules import (
    READY,
    READY_KINDS,
    SENT_BY_OPERATOR,
    Notice,
    Weight,
)
from vestibule.notifications.service.links import not_me_link
from vestibule.web.rendering import browser_in, environment

_LETTER: Final = "notifications/mail.html"
_ID_DIGITS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice as it is read."""

    notice: Notice
    title: str
    text: str
    place: str
    """``Turin, Italy (192.0.2.7)``, the address alone, or an empty string."""
    not_me_url: str | None
    open_url: str
    """The page that it is about; empty: none."""
    open_text: str


def told(ctx: Context, notice: Notice, language: str) -> Told:
    """A notice in words."""
    title, text = _words(ctx, notice, language)
    return Told(
        notice=notice,
        title=title,
        text=text,
        place=_place(ctx, notice, language),
        not_me_url=not_me_link(ctx, notice) if notice.not_me else None,
        open_url=f"{ctx.settings.portal_url}{notice.opens}" if notice.opens else "",
        open_text=t(f"notifications.open.{notice.event}", language) if notice.opens else "",
    )


def _words(ctx: Context, notice: Notice, language: str) -> tuple[str, str]:
    facts = {
        "organisation": ctx.settings.organisation,
        **{name: value for name, value in notice.detail.items() if isinstance(value, str)},
    }
    if notice.event == SENT_BY_OPERATOR:
        return facts["title"], facts["text"]
    if notice.event == READY:
        facts["what"] = _counts(notice, language)
    if "day" in facts:
        facts["day"] = day(facts["day"], language)
    if "browser" in facts:
        facts["browser"] = browser_in(facts["browser"], language)
    return (
        t(f"notifications.title.{notice.event}", language, **facts),
        t(f"notifications.text.{notice.event}", language, **facts),
    )


def _counts(notice: Notice, language: str) -> str:
    """How many of which kind: ``2 daily reports and 1 trade report``."""
    there = [(kind, notice.detail.get(kind)) for kind in READY_KINDS]
    return listed(
        [
            counted(f"notifications.ready.{kind}", language, count)
            for kind, count in there
            if isinstance(count, int) and count > 0
        ],
        language,
    )


def _place(ctx: Context, notice: Notice, language: str) -> str:
    place = ctx.places.place(notice.source) if notice.source else ""
    if not place:
        return notice.source
    return t("notifications.place", language, place=place, address=notice.source)


def mail(
    ctx: Context,
    notice: Notice,
    *,
    to: str,
    username: str,
    language: str,
    timezone: str | None,
    enclosed: tuple[EncryptedFile, ...] = (),
    quoted: str = "",
) -> Mail:
    """The mail about a notice: what, when, from where, what to do. Never a code or a secret."""
    said = told(ctx, notice, language)
    where = [("where", said.place)] if said.place else []
    facts = [("account", username), ("when", moment(notice.at, language, timezone)), *where]
    rows = [(t(f"notifications.mail.{name}", language), value) for name, value in facts]
    view = {
        **_view(ctx, said, language),
        "enclosed": _enclosed(notice, enclosed, language),
        "quoted": quoted,
        "withheld": t("notifications.mail.withheld", language)
        if notice.quotes and not quoted
        else "",
    }
    organisation = ctx.settings.organisation
    html = (
        environment()
        .get_template(_LETTER)
        .render(
            **view,
            rows=rows,
            language=language,
            alarm=notice.weight is Weight.ALARM,
            organisation=organisation,
        )
    )
    subject = t("notifications.mail.subject", language, organisation=organisation, title=said.title)
    return Mail(
        to=to,
        # A name that somebody chose must not bring a header of its own.
        subject=" ".join(subject.split()),
        text=_plain(view, rows),
        html=html,
        language=language,
        # A mailbox may drop the second of two that were sent because a process died in between.
        id=ctx.sealer.digest("mail", str(notice.id), to).hex()[:_ID_DIGITS],
        attachments=enclosed,
    )


def _view(ctx: Context, said: Told, language: str) -> dict[str, str | None]:
    """What a mail says beside its facts, in text and HTML alike."""
    portal, chosen = ctx.settings.portal_url, said.notice.by_choice

    def word(key: str) -> str:
        return t(f"notifications.mail.{key}", language, organisation=ctx.settings.organisation)

    return {
        "title": said.title,
        "text": said.text,
        "open_url": said.open_url,
        "open_text": said.open_text,
        "not_me_url": said.not_me_url,
        "act": word("act"),
        "button": word("not_me"),
        "all": word("all"),
        "list_url": f"{portal}/notifications",
        "why": word("why_chosen" if chosen else "why"),
        "choice_url": f"{portal}{chosen}" if chosen else "",
    }


def _enclosed(notice: Notice, enclosed: tuple[EncryptedFile, ...], language: str) -> str:
    """Whether the files are here, where their reader expects them here."""
    if not notice.encloses:
        return ""
    if not enclosed:
        return t("notifications.mail.not_enclosed", language)
    return counted("notifications.mail.enclosed", language, len(enclosed))


def _plain(view: Mapping[str, str | None], rows: list[tuple[str, str]]) -> str:
    """The same without markup."""
    parts = [
        view["title"],
        view["text"],
        view["enclosed"],
        view["withheld"],
        "\n".join(f"> {line}".rstrip() for line in (view["quoted"] or "").split("\n"))
        if view["quoted"]
        else "",
        "\n".join(f"{name}: {value}" for name, value in rows),
        *([f"{view['act']}\n{view['not_me_url']}"] if view["not_me_url"] else []),
        *([f"{view['open_text']}\n{view['open_url']}"] if view["open_url"] else []),
        f"{view['all']}\n{view['list_url']}",
        f"-- \n{view['why']}",
        view["choice_url"],
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def text_message(ctx: Context, notice: Notice, *, language: str) -> str:
    """The text about an alarm: one or two messages long, without a link to tap.

    Links in texts teach people to tap what anybody may have sent.
    """
    said = told(ctx, notice, language)
    return t(
        "notifications.sms",
        language,
        organisation=ctx.settings.organisation,
        title=said.title,
        portal=ctx.settings.portal_url.partition("://")[2],
    )
