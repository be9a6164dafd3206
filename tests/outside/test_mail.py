"""Mails reach a real SMTP server, encrypted where it must be, and never because of an exception."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.gnupg import gnupg
from vestibule.base.context import EncryptedFile, Mail, MessageOutcome
from vestibule.base.settings import Settings
from vestibule.outside import mail
from vestibule.outside.console import Outbox
from vestibule.outside.mail import ConsoleMail, NoMail, Smtp, mail_sender
from vestibule.outside.openpgp import encrypted

SENDER = "Northgate Bank <no-reply@northgate.example>"
LETTER = Mail(to="maria@example.org", subject="Grüße", text="Your code is 123456.\n", language="de")


@dataclass
class Postman:
    """An SMTP server that keeps what it takes."""

    port: int = 0
    answer: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address.startswith("nobody"):
            return "550 5.1.1 no such person"
        if address.startswith("full"):
            return "452 4.2.2 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message."""
        content = cast("bytes", envelope.content)
        self.taken.append(message_from_bytes(content, policy=policy.default))
        self.encrypted.append(session.ssl is not None)
        return self.answer

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        """Note who signs in; one password is right."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


Serve = Callable[..., Awaitable[Postman]]


@pytest.fixture
async def serve(certificate: Path) -> AsyncIterator[Serve]:
    """Starts mail servers that end with the test."""
    running: list[asyncio.Server] = []

    async def start(*, tls: bool = True, login: bool = False) -> Postman:
        postman = Postman()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def talk() -> SMTP:
            return SMTP(
                postman,
                hostname="localhost",
                tls_context=context if tls else None,
                require_starttls=tls,
                authenticator=postman.authenticate if login else None,
                auth_required=login,
                auth_require_tls=tls,
            )

        server = await asyncio.get_running_loop().create_server(talk, "localhost", 0)
        running.append(server)
        postman.port = server.sockets[0].getsockname()[1]
        return postman

    yield start
    for server in running:
        server.close()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusted")
async def test_mail_arrives_as_it_was_written(serve: Serve) -> None:
    """Over TLS, with both versions of the text, and marked as a machine's."""
    postman = await serve()
    sender = Smtp(f"smtp://localhost:{postman.port}", SENDER)
    letter = replace(LETTER, html="<p>123456</p>")
    assert await sender.send(letter) is MessageOutcome.SENT
    (taken,) = postman.taken
    assert postman.encrypted == [True]
    assert (taken["From"], taken["To"], taken["Subject"]) == (SENDER, LETTER.to, "Grüße")
    assert taken["Auto-Submitted"] == "auto-generated"
    assert taken["Content-Language"] == "de"
    assert str(taken["Message-ID"]).endswith("@northgate.example>")
    plain, rich = taken.get_body(["plain"]), taken.get_body(["html"])
    assert plain is not None
    assert rich is not None
    assert plain.get_content().strip() == "Your code is 123456."
    assert "<p>123456</p>" in rich.get_content()


async def sealed(plain: bytes, certificate: bytes) -> bytes:
    """A file, encrypted."""

    async def source() -> AsyncIterator[bytes]:
        yield plain

    return b"".join([part async for part in encrypted(source(), certificate)])


async def test_encrypted_file_arrives_with_the_mail(serve: Serve) -> None:
    """Byte by byte, under its name, beside both texts; GnuPG reads it."""
    postman = await serve(tls=False)
    sender = Smtp(f"smtp+plain://localhost:{postman.port}", SENDER)
    plain = bytes(range(256)) * 2_000
    with gnupg() as gpg:
        message = await sealed(plain, gpg.certificate(gpg.pair("reader")))
        files = (EncryptedFile("2026-11-22 Übersicht.csv.pgp", message),)
        letter = replace(LETTER, html="<p>here</p>", attachments=files)
        assert await sender.send(letter) is MessageOutcome.SENT
        (taken,) = postman.taken
        (file,) = taken.iter_attachments()
        assert file.get_filename() == "2026-11-22 Übersicht.csv.pgp"
        assert file.get_content_type() == "application/octet-stream"
        arrived = file.get_payload(decode=True)
        assert arrived == message
        assert gpg.decrypt(message) == plain
    body = taken.get_body(["html"])
    assert body is not None
    assert "<p>here</p>" in body.get_content()


async def test_file_in_clear_cannot_go_along() -> None:
    """There is no value for it: not by another name, nor with something behind the end."""
    with gnupg() as gpg:
        message = await sealed(b"Position;Value\n", gpg.certificate(gpg.pair("reader")))
        signed = gpg("--sign", typed=b"Position;Value\n")
    assert EncryptedFile("a.csv.pgp", message).data == message
    for name, data in [
        ("a.csv", message),
        *(("a.csv.pgp", data) for data in (b"", b"Position;Value\n", signed, message[:-1])),
        ("a.csv.pgp", message + b"Position;Value\n"),
        ("a.csv.pgp", message[message.index(b"\xd2") :]),
    ]:
        with pytest.raises(ValueError, match="not a file that is encrypted"):
            EncryptedFile(name, data)


@pytest.mark.usefixtures("trusted")
async def test_mail_signs_in_with_the_urls_password(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Percent-encoding in the address is undone; a wrong password sends nothing."""
    monkeypatch.setattr(mail, "_TIMEOUT_S", 1.0)
    postman = await serve(login=True)
    right = Smtp(f"smtp://robot:p%40ss@localhost:{postman.port}", SENDER)
    assert await right.send(LETTER) is MessageOutcome.SENT
    assert postman.logins[-1] == (b"robot", b"p@ss")
    wrong = Smtp(f"smtp://robot:other@localhost:{postman.port}", SENDER)
    assert await wrong.send(LETTER) is MessageOutcome.FAILED
    assert len(postman.taken) == 1


@pytest.mark.usefixtures("trusted")
async def test_server_without_encryption_gets_nothing(serve: Serve) -> None:
    """Somebody between us and the server cannot talk us out of TLS; a local relay may be plain."""
    postman = await serve(tls=False)
    strict = Smtp(f"smtp://localhost:{postman.port}", SENDER)
    assert await strict.send(LETTER) is MessageOutcome.FAILED
    assert postman.taken == []
    relay = Smtp(f"smtp+plain://localhost:{postman.port}", SENDER)
    assert await relay.send(LETTER) is MessageOutcome.SENT
    assert len(postman.taken) == 1


async def test_certificate_of_nobody_we_trust_gets_nothing(serve: Serve) -> None:
    """A server that cannot show whose it is, is not told a code."""
    postman = await serve()
    sender = Smtp(f"smtp://localhost:{postman.port}", SENDER)
    assert await sender.send(LETTER) is MessageOutcome.FAILED
    assert postman.taken == []


@pytest.mark.parametrize(
    "to, outcome",
    [
        ("nobody@example.org", MessageOutcome.REFUSED),
        ("full@example.org", MessageOutcome.FAILED),
    ],
)
async def test_refusals_are_told_apart(serve: Serve, to: str, outcome: MessageOutcome) -> None:
    """An address that does not exist is another thing than a mailbox that is full today."""
    postman = await serve(tls=False)
    sender = Smtp(f"smtp+plain://localhost:{postman.port}", SENDER)
    assert await sender.send(Mail(to=to, subject="x", text="x")) is outcome


async def test_silent_server_delays_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and then says nothing is given up after the time-out."""
    monkeypatch.setattr(mail, "_TIMEOUT_S", 0.2)
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        sender = Smtp(f"smtp+plain://127.0.0.1:{silent.getsockname()[1]}", SENDER)
        assert await sender.send(LETTER) is MessageOutcome.FAILED


async def test_header_with_a_line_break_is_not_sent(serve: Serve) -> None:
    """Nobody adds a recipient by an address or a name with a line break in it."""
    postman = await serve(tls=False)
    sender = Smtp(f"smtp+plain://localhost:{postman.port}", SENDER)
    bad = Mail(to="a@example.org\r\nBcc: b@example.org", subject="x", text="x")
    assert await sender.send(bad) is MessageOutcome.REFUSED
    assert postman.taken == []


@pytest.mark.parametrize(
    "portal, url, kind",
    [
        ("http://localhost:8600", "", ConsoleMail),
        ("https://portal.example", "", NoMail),
        ("https://portal.example", "console:", ConsoleMail),
        ("https://portal.example", "smtps://mail.example", Smtp),
    ],
)
def test_mails_are_shown_at_home_and_sent_elsewhere(
    tmp_path: Path, portal: str, url: str, kind: type[object]
) -> None:
    """Codes of real people never reach a server's output unless its operator says so."""
    settings = Settings(data=tmp_path, portal_url=portal, smtp_url=url)
    assert isinstance(mail_sender(settings, Outbox()), kind)


async def test_console_shows_and_remembers() -> None:
    """The terminal shows the message; escapes in it cannot repaint the terminal."""
    stream = StringIO()
    outbox = Outbox(stream)
    await ConsoleMail(outbox).send(Mail(to="a@b.example", subject="\x1b[2J", text="one\ntwo"))
    assert stream.getvalue() == "  | mail · a@b.example · ·[2J\n  | one\n  | two\n"
    assert outbox.shown[0].text == "one\ntwo"
    assert await NoMail().send(LETTER) is MessageOutcome.REFUSED
