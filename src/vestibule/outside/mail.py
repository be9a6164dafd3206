"""Mails: handed to the organisation's mail server, or shown in the terminal while developing.

RFC 5321 (SMTP) with STARTTLS (RFC 3207) or TLS from the first byte (RFC 8314).
"""

import asyncio
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog
from aiosmtplib.errors import (
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from vestibule.base.context import Mail, MailSender, MessageOutcome
from vestibule.base.settings import Settings
from vestibule.outside.console import Outbox, shows_messages

_log = structlog.get_logger("vestibule.mail")

_TIMEOUT_S: Final = 15.0
_AT_ONCE: Final = 4
"""Connections to the mail server at a time: relays refuse whoever opens many."""
_PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class Smtp:
    """Sends over the server that ``smtp_url`` names."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self._sender = sender
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        # With smtp:// a server that offers no STARTTLS gets nothing: a downgrade is an attack.
        self._start_tls = parts.scheme == "smtp"
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def send(self, mail: Mail) -> MessageOutcome:
        """Deliver one mail. Never raises for the network's sake."""
        try:
            message = rendered(mail, self._sender)
        except (ValueError, MessageError) as error:
            _log.warning("mail.unsendable", reason=repr(error)[:200])
            return MessageOutcome.REFUSED
        try:
            async with self._turn:
                await aiosmtplib.send(
                    message,
                    sender=parseaddr(self._sender)[1],
                    recipients=[mail.to],
                    hostname=self._host,
                    port=self._port,
                    username=self._user,
                    password=self._password,
                    use_tls=self._tls,
                    start_tls=self._start_tls,
                    timeout=_TIMEOUT_S,
                )
        except SMTPRecipientsRefused as error:
            _log.info("mail.refused", reason=repr(error.recipients)[:200])
            codes = [each.code for each in error.recipients]
            permanent = bool(codes) and all(code >= 500 for code in codes)
            return MessageOutcome.REFUSED if permanent else MessageOutcome.FAILED
        except SMTPResponseException as error:
            # Also a wrong password of ours: nothing that another address would cure.
            _log.warning("mail.failed", code=error.code, reason=error.message[:200])
            return MessageOutcome.FAILED
        except (SMTPException, OSError) as error:
            _log.warning("mail.failed", reason=repr(error)[:200])
            return MessageOutcome.FAILED
        return MessageOutcome.SENT


class ConsoleMail:
    """Shows mails in the terminal."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, mail: Mail) -> MessageOutcome:
        """Show it."""
        self._outbox.put(by="mail", to=mail.to, subject=mail.subject, text=mail.text)
        return MessageOutcome.SENT


class NoMail:
    """Where no mail server is set: nothing is sent, and the log says so."""

    async def send(self, mail: Mail) -> MessageOutcome:  # noqa: ARG002  -- the seam's face
        """Refuse it."""
        _log.warning("mail.no_server")
        return MessageOutcome.REFUSED


def mail_sender(settings: Settings, outbox: Outbox) -> MailSender:
    """The sender by the settings."""
    if shows_messages(settings, settings.smtp_url):
        return ConsoleMail(outbox)
    return Smtp(settings.smtp_url, settings.mail_from) if settings.smtp_url else NoMail()


def rendered(mail: Mail, sender: str) -> EmailMessage:
    """The message as it travels. Raises ValueError for a header with a line break in it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    # The same for the same mail (RFC 5322 section 3.6.4), so that mailboxes drop one sent twice.
    message["Message-ID"] = f"<{mail.id}@{domain}>" if mail.id else make_msgid(domain=domain)
    # So that nobody's holiday notice answers a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for each in mail.attachments:
        # RFC 3156 gives application/pgp-encrypted to the control part of a mail that is encrypted
        # as a whole, and wants "Version: 1" in it. This is a file: its name says what opens it.
        message.add_attachment(
            each.data, maintype="application", subtype="octet-stream", filename=each.name
        )
    # Last: setting the content takes such headers away.
    message["Content-Language"] = mail.language
    return message
