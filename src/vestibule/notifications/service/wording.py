"""The words of a notice, in the language of its account: for lists, mails and texts."""

from dataclasses import dataclass
from typing import Final

from vestibule.base.context import Context, Mail
from vestibule.base.i18n import moment, t
from vestibule.notifications.rules import SENT_BY_OPERATOR, Notice
from vestibule.notifications.service.links import not_me_link
from vestibule.web.rendering import browser_in, environment

_LETTER: Final = "notifications/mail.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice as it is read."""

    notice: Notice
    title: str
    text: str
    place: str
    """``Turin, Italy (192.0.2.7)``, the address alone, or an empty string."""
    not_me_url: str | None


def told(ctx: Context, notice: Notice, language: str) -> Told:
    """A notice in words."""
    title, text = _words(ctx, notice, language)
    return Told(
        notice=notice,
        title=title,
        text=text,
        place=_place(ctx, notice, language),
        not_me_url=not_me_link(ctx, notice) if notice.not_me else None,
    )


def _words(ctx: Context, notice: Notice, language: str) -> tuple[str, str]:
    facts = {
        "organisation": ctx.settings.organisation,
        **{name: value for name, value in notice.detail.items() if isinstance(value, str)},
    }
    if notice.event == SENT_BY_OPERATOR:
        return facts["title"], facts["text"]
    if "browser" in facts:
        facts["browser"] = browser_in(facts["browser"], language)
    return (
        t(f"notifications.title.{notice.event}", language, **facts),
        t(f"notifications.text.{notice.event}", language, **facts),
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
) -> Mail:
    """The mail about a notice: what, when, from where, what to do. Never a code or a secret."""
    said = told(ctx, notice, language)
    house = ctx.settings.organisation

    def word(key: str, **facts: str) -> str:
        return t(f"notifications.mail.{key}", language, **facts)

    rows = [
        (word("account"), username),
        (word("when"), moment(notice.at, language, timezone)),
        *([(word("where"), said.place)] if said.place else []),
    ]
    act = word("act") if said.not_me_url else ""
    button = word("not_me") if said.not_me_url else ""
    why = word("why", organisation=house)
    list_url = f"{ctx.settings.portal_url}/notifications"
    parts = [
        said.title,
        said.text,
        "\n".join(f"{name}: {value}" for name, value in rows),
        *([f"{act}\n{said.not_me_url}"] if said.not_me_url else []),
        f"{word('all')}\n{list_url}",
        f"-- \n{why}",
    ]
    html = (
        environment()
        .get_template(_LETTER)
        .render(
            language=language,
            alarm=notice.weight.value == "alarm",
            organisation=house,
            title=said.title,
            text=said.text,
            rows=rows,
            act=act,
            button=button,
            not_me_url=said.not_me_url,
            all=word("all"),
            list_url=list_url,
            why=why,
        )
    )
    subject = word("subject", organisation=house, title=said.title)
    return Mail(
        to=to,
        # A name that somebody chose must not bring a header of its own.
        subject=" ".join(subject.split()),
        text="\n\n".join(parts) + "\n",
        html=html,
        language=language,
    )


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
