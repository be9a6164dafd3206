"""Mails as a mail server receives them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.login.scene import Scene, with_settings
from tests.notifications.reaching import MAIL, Reached, reached
from tests.serving import reserved_port
from vestibule.base.i18n import LANGUAGES, PSEUDO, catalogue, t
from vestibule.notifications import service
from vestibule.notifications.rules import TOLD
from vestibule.outside.mail import Smtp

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "vestibule"


@dataclass
class MailServer:
    """Takes mails over SMTP and remembers them."""

    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name for it
        """One mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append((list(envelope.rcpt_tos), message))
        return "250 taken"


@pytest.fixture
async def server() -> AsyncIterator[tuple[MailServer, str]]:
    """A running mail server and its address."""
    taken = MailServer()
    with reserved_port() as port:
        controller = Controller(taken, hostname="127.0.0.1", port=port)
        controller.start()
        yield taken, f"smtp+plain://127.0.0.1:{port}"
        controller.stop()


def body(message: EmailMessage, kind: str) -> str:
    """The part of that kind."""
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text


async def posted(person: Reached, url: str, sender: str = "Northgate <no-reply@b.example>") -> None:
    """Tell what is due over that mail server."""
    ctx = person.scene.ctx
    await service.tell_due(replace(ctx, mail=Smtp(url, sender)))


async def test_mail_says_what_when_where_and_what_to_do(
    scene: Scene, server: tuple[MailServer, str]
) -> None:
    """In text and in HTML alike."""
    taken, url = server
    person = await reached(with_settings(scene, organisation="Northgate Bank"))
    await person.prefer(timezone="Europe/Rome")
    await person.happens("factor.removed", label='<b>"My" key</b>', subject="f1")
    await posted(person, url)
    ((to, message),) = taken.received
    assert to == [MAIL]
    assert message["Subject"] == "Northgate Bank: A second factor was removed"
    assert message["From"] == "Northgate <no-reply@b.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, rich = body(message, "plain"), body(message, "html")
    for part in (plain, rich):
        for said in ("m.rossi", "CET", "192.0.2.7", "If it was not you", "/notifications"):
            assert said in part
    assert '<b>"My" key</b> cannot be used' in plain
    assert "&lt;b&gt;&#34;My&#34; key&lt;/b&gt; cannot be used" in rich
    links = [re.search(r"https?://\S+/not-me/([\w-]+)", part) for part in (plain, rich)]
    opened = [service.open_not_me(scene.ctx, link[1]) for link in links if link]
    assert [said.subject for said in opened if said] == ["f1", "f1"]


@pytest.mark.parametrize("language", [*LANGUAGES, *PSEUDO])
async def test_mail_speaks_the_accounts_language(
    scene: Scene, server: tuple[MailServer, str], language: str
) -> None:
    """Subject, words and the date."""
    taken, url = server
    person = await reached(scene, language=language)
    await person.happens("account.seamless_off")
    await posted(person, url)
    ((_, message),) = taken.received
    assert message["Content-Language"] == language
    title = t("notifications.title.account.seamless_off", language)
    assert " ".join(title.split()) in " ".join(str(message["Subject"]).split())
    assert f'lang="{language}"' in body(message, "html")


async def test_name_cannot_bring_headers_of_its_own(
    scene: Scene, server: tuple[MailServer, str]
) -> None:
    """Line breaks in what somebody chose end up as spaces."""
    taken, url = server
    person = await reached(scene)
    await service.send_notice(
        scene.ctx, account_ids=[person.account.id], title="a\r\nBcc: x@evil.example", text="b"
    )
    await posted(person, url)
    ((to, message),) = taken.received
    assert to == [MAIL]
    assert message["Bcc"] is None


async def test_house_language_where_the_account_has_none(
    scene: Scene, server: tuple[MailServer, str]
) -> None:
    """The operator's choice."""
    taken, url = server
    person = await reached(with_settings(scene, default_language="ja"))
    await person.happens("account.seamless_off")
    await posted(person, url)
    assert taken.received[0][1]["Content-Language"] == "ja"


async def test_mail_server_that_is_away_is_tried_again(scene: Scene) -> None:
    """Nothing listens there: the delivery waits."""
    person = await reached(scene)
    await person.happens("account.seamless_off")
    await posted(person, "smtp+plain://127.0.0.1:9")
    assert (await person.outcomes())["mail"] == "failed"


def test_no_mail_text_or_push_speaks_of_a_code_or_secret() -> None:
    """What is sent about notices has no place to fill for what opens anything."""
    secret = re.compile(r"\{[^}]*(code|secret|password|pin|token|pass|number|response)[^}]*\}")
    texts = {
        key: text
        for key, text in catalogue("en").items()
        if key.startswith(("notifications.mail", "notifications.t", "notifications.sms"))
    }
    assert len(texts) > 2 * len(TOLD)
    assert [key for key, text in texts.items() if secret.search(text)] == []
    letter = (PACKAGE / "notifications/templates/notifications/mail.html").read_text()
    shown = set(re.findall(r"\{\{ (\w+)", letter))
    assert shown <= {
        *("language", "title", "organisation", "text", "name", "value"),
        *("act", "not_me_url", "button", "list_url", "all", "why"),
        # An answer of the desk, where the account chose so, or that it is withheld.
        *("quoted", "withheld"),
        *("enclosed", "open_url", "open_text", "choice_url"),
    }
