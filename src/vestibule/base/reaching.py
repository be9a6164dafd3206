"""The settings of how people and their phones are reached: pushes, mails, texts and calls."""

from fnmatch import fnmatchcase
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "VESTIBULE_"
Origin = Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]


_PORTS: Final = {"https": 443, "sftp": 22}


def listening(listen: str, origin: str) -> tuple[str, int]:
    """Host and port to listen on: as told, else the origin's port on this machine only."""
    parts = urlsplit(f"//{listen}" if listen else origin)
    return parts.hostname or "127.0.0.1", parts.port or _PORTS.get(parts.scheme, 80)


class Reaching(BaseSettings):
    """What `settings.Settings` has of this; a table of its own because it is long."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, validate_default=True, str_max_length=4096
    )

    # Push
    push_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(
            "fcm.googleapis.com",
            "jmt17.google.com",
            "*.push.apple.com",
            "updates.push.services.mozilla.com",
            "*.notify.windows.com",
        ),
        description="Hosts of push services that may be called; `*.` stands for one label or more.",
    )
    push_origins: dict[Origin, Origin] = Field(
        default_factory=dict,
        description="Push origin to the origin called in its place: for proxies and tests.",
    )
    vapid_subject: str = Field(
        default="mailto:operator@example.invalid",
        pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)$",
        description="Where push services reach the operator: mailto: or https:.",
    )
    ntfy_url: str = Field(
        default="",
        pattern=r"^(|https?://[^/\s]+)$",
        description="Origin of an ntfy server: the second push way, for phones that no push "
        "service reaches. Empty: there is none. For UnifiedPush name its host "
        "in push_allowed_hosts.",
    )
    ntfy_token: str = Field(
        default="", description="Access token of that server, where publishing needs one."
    )

    # Mails, texts and calls
    smtp_url: str = Field(
        default="",
        pattern=r"^(|console:|(smtp|smtps|smtp\+plain)://[^/\s]+)$",
        description="smtp://user:password@host:587 (STARTTLS is demanded), smtps:// (TLS at once) "
        "or smtp+plain:// (a relay on this machine). console: prints mails in the terminal; "
        "empty: console where the portal is at localhost, else none are sent.",
    )
    mail_from: str = Field(
        default="vestibule@localhost",
        pattern=r"^[^\r\n]*[^@\s]+@[^@\s]+$",
        description="Sender of mails: an address, or Name <address>.",
    )
    sms_gateway_url: str = Field(
        default="",
        pattern=r"^(|console:|https?://\S+)$",
        description="Called (POST) to send a text. In it and in the body, {number}, {text}, "
        "{language} and {by} (sms or voice) are filled in. console: prints texts in the terminal; "
        "empty: console where the portal is at localhost, else none are sent.",
    )
    sms_gateway_body: str = Field(
        default='{"to": "{number}", "text": "{text}"}',
        description="What is posted: JSON where it begins with a brace, else a form.",
    )
    voice_gateway_url: str = Field(
        default="",
        pattern=r"^(|console:|https?://\S+)$",
        description="As sms_gateway_url, for calls in which a voice reads the text.",
    )
    voice_gateway_body: str = Field(
        default='{"to": "{number}", "say": "{text}", "language": "{language}"}',
        description="As sms_gateway_body, for calls.",
    )
    gateway_headers: dict[str, str] = Field(
        default_factory=dict,
        description='Headers of calls to both gateways, say {"Authorization": "Bearer ..."}.',
    )
    home_country: str = Field(
        default="",
        pattern="^([A-Z]{2}|)$",
        description="Country (ISO 3166, as IT) preselected for telephone numbers; empty: by the "
        "page's language.",
    )
    sms_code_seconds: int = Field(
        default=600, ge=60, le=600, description="How long a code by text, call or mail is good."
    )
    telling: bool = Field(
        default=True,
        description="Tell people of what happened, by mail, push and text. Switch it off where "
        "another server on the same database does.",
    )
    notice_days: int = Field(
        default=365,
        ge=30,
        le=36_500,
        description="How long what people were told of stays in their list, in days.",
    )

    @field_validator("push_allowed_hosts", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    def push_host_allowed(self, host: str) -> bool:
        """Whether a push service of this name may be called."""
        return any(fnmatchcase(host.lower(), pattern) for pattern in self.push_allowed_hosts)
