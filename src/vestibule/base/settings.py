"""The settings: one frozen table, read once.

Sources, the first that speaks wins: environment variables ``VESTIBULE_<NAME>``; a folder of
secret files named like the settings (``VESTIBULE_SECRETS``); a TOML file (``VESTIBULE_CONFIG``,
else ``vestibule.toml`` in the working directory). A name that is not in the table is refused,
with the nearest one that is.
"""

import os
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsError,
    TomlConfigSettingsSource,
)

from vestibule.base.delivering import Delivering
from vestibule.base.desk import Desk
from vestibule.base.reaching import PREFIX, Origin, Reaching, listening

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

BESIDE = frozenset({"VESTIBULE_CONFIG", "VESTIBULE_SECRETS"})
"""Names that say where settings are, and so cannot stand in the file."""
TESTING = frozenset(
    {"VESTIBULE_TEST_PG", "VESTIBULE_TEST_REDIS", "VESTIBULE_TEST_RUN", "VESTIBULE_CHROME"}
)
"""Names that the test suite reads; a server started by a test inherits them."""


class SettingsRefused(Exception):  # noqa: N818  -- reads as what it is
    """A setting is unknown or has no lawful value; the message names it and says what to do."""


class NumberEntry(StrEnum):
    """When the phone asks for the number that the sign-in page shows."""

    UNLESS_KNOWN_BROWSER = "unless-known-browser"
    ALWAYS = "always"
    NEVER = "never"


class Settings(Desk, Delivering, Reaching):
    """Every setting; ``description`` is its help text."""

    # The house
    organisation: str = Field(
        default="Vestibule", min_length=1, description="Name of who runs this: on pages and phones."
    )
    application: str = Field(
        default="Client Portal", min_length=1, description="Name of what people sign in to."
    )
    default_language: str = Field(
        default="en",
        pattern="^(en|it|fr|es|pt|de|zh-Hans|ja)$",
        description="Spoken to people whose account and browser ask for none that there is.",
    )
    data: Path = Field(
        default=Path("var"),
        description="Folder of the keys, and of the database where that is SQLite.",
    )
    database_url: str = Field(
        default="",
        description="sqlite:////path/file.db or postgresql://...; empty: vestibule.db in `data`.",
    )
    redis_url: str = Field(
        default="", description="redis://... for wake-ups between workers; empty: one process only."
    )
    portal_url: Origin = Field(
        default="http://localhost:8600", description="Origin of the portal, as browsers see it."
    )
    phone_url: Origin = Field(
        default="http://localhost:8601", description="Origin of the phone app and its API."
    )
    portal_listen: str = Field(
        default="", description="host:port to listen on for the portal; empty: from `portal_url`."
    )
    phone_listen: str = Field(
        default="", description="host:port to listen on for the phone app; empty: from `phone_url`."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes. More than one needs `redis_url` to wake at once.",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Networks whose X-Forwarded-For is believed. Default: nobody's."
    )
    geoip_file: Path | None = Field(
        default=None,
        description="A MaxMind DB file of cities: approvals then say where a browser is.",
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="The least important level that is logged: debug, info, warning, error.",
    )
    test_hooks: bool = Field(
        default=False,
        description="Opens counters to the test suite. Never on a server of real people.",
    )

    # Signing in
    login_request_seconds: int = Field(
        default=180, ge=30, le=600, description="How long a request waits on the phone."
    )
    challenge_seconds: int = Field(
        default=300, ge=60, le=600, description="How long a challenge takes responses."
    )
    attempt_seconds: int = Field(
        default=900,
        ge=180,
        le=3600,
        description="How long a sign-in may be resumed with new requests.",
    )
    number_entry: NumberEntry = Field(
        default=NumberEntry.UNLESS_KNOWN_BROWSER,
        description="When the phone asks for the page's number: unless-known-browser, always "
        "(what NIST SP 800-63B-4 asks at AAL2) or never.",
    )
    known_browser_days: int = Field(
        default=180,
        ge=1,
        le=400,
        description="How long a browser stays known after its last sign-in.",
    )
    session_idle_minutes: int = Field(
        default=60, ge=1, le=1440, description="A portal session ends after this long without use."
    )
    session_hours: int = Field(
        default=24, ge=1, le=720, description="A portal session ends after this long in any case."
    )
    terminal_session_hours: int = Field(
        default=24, ge=1, le=2160, description="A terminal's token ends after this long."
    )
    terminal_grant_seconds: int = Field(
        default=600, ge=60, le=1800, description="A terminal waits this long to be let in."
    )
    sms_sign_in: bool = Field(
        default=False,
        description="Whether an account without a phone that has a verified number signs in with "
        "a code sent to it. Text messages can be redirected: with the first phone this ends.",
    )
    step_up_seconds: int = Field(
        default=600,
        ge=60,
        le=3600,
        description="How long after a proof what matters may be changed without another one.",
    )

    # Bringing a phone
    ticket_seconds: int = Field(
        default=600, ge=60, le=600, description="How long an activation code may be used."
    )
    ticket_tries: int = Field(
        default=5, ge=1, le=10, description="Wrong tries that burn an activation code."
    )
    pin_min: int = Field(default=4, ge=4, le=12, description="Fewest characters of a PIN.")
    pin_max: int = Field(default=6, ge=4, le=12, description="Most characters of a PIN.")
    kdf_argon2id_memory_kib: int = Field(
        default=19_456,
        ge=8_192,
        description="Least argon2id memory a phone may use for its PIN, in KiB.",
    )
    kdf_argon2id_passes: int = Field(
        default=2, ge=1, le=100, description="Fewest argon2id passes a phone may use for its PIN."
    )
    kdf_pbkdf2_rounds: int = Field(
        default=600_000,
        ge=600_000,
        description="Fewest PBKDF2-HMAC-SHA-256 rounds, without argon2id.",
    )

    # Other second factors
    code_card_days: int = Field(
        default=21, ge=1, le=366, description="How long a printed code card may be used, in days."
    )
    temporary_pass_hours: int = Field(
        default=24,
        ge=1,
        le=48,
        description="How long a temporary pass, given by two members of staff, may be used.",
    )
    temporary_pass_single_use: bool = Field(
        default=True, description="Whether the first sign-in with a temporary pass spends it."
    )

    # Which phones may approve
    minimum_systems: str = Field(
        default="",
        pattern=r"^(|[A-Za-z][A-Za-z ]* \d+(\.\d+)*(, [A-Za-z][A-Za-z ]* \d+(\.\d+)*)*)$",
        description="Oldest systems of phones, as `Android 10, iOS 16.4`; others are not judged. "
        "By what browsers say: it is no defence against somebody who forges that, and a rooted "
        "or jailbroken phone does not say so; `attestation` tells more.",
    )
    minimum_browsers: str = Field(
        default="",
        pattern=r"^(|[A-Za-z][A-Za-z ]* \d+(\.\d+)*(, [A-Za-z][A-Za-z ]* \d+(\.\d+)*)*)$",
        description="Oldest browsers of phones, as `Chrome 109, Safari 16.4, Firefox 115`; as "
        "minimum_systems.",
    )
    attestation: Literal["none", "required"] = Field(
        default="none",
        description="Whether a phone's biometric credential, or a passkey, must show by WebAuthn "
        "attestation that it lives in hardware of a known maker. Then phones without one cannot be "
        "linked: iPhones and synced passkeys give none.",
    )
    attestation_roots: Path | None = Field(
        default=None,
        description="Folder of the makers' root certificates (*.pem) that attestation may lead "
        "to; empty: those known to the WebAuthn library.",
    )

    # Coming back with another phone
    number_trust_hours: int = Field(
        default=72,
        ge=0,
        le=720,
        description="A number verified less long ago cannot recover an account.",
    )
    cool_down_hours: int = Field(
        default=72,
        ge=0,
        le=720,
        description="After a recovery without the old phone, what matters rests for so long.",
    )
    sms_activation: bool = Field(
        default=True,
        description="Whether a text message, beside the password, may link a phone: the first at "
        "once, one that replaces another after a wait. Off for the strictest houses.",
    )
    recovery_wait_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="A phone that takes over by text message alone begins to approve after this.",
    )
    migration_grace_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="A phone that was replaced can still deny, report and say so for so long.",
    )
    case_seconds: int = Field(
        default=1800,
        ge=300,
        le=7200,
        description="How long the set-up of a phone by username and password may take.",
    )
    old_address_days: int = Field(
        default=30,
        ge=0,
        le=365,
        description="How long a removed address is still told what happens to the account.",
    )

    audit_days: int = Field(
        default=730, ge=366, le=36_500, description="How long audit events are kept, in days."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        if self.pin_min > self.pin_max:
            raise ValueError("pin_min must not be greater than pin_max")
        if self.portal_url == self.phone_url:
            raise ValueError("portal_url and phone_url must be two origins")
        if self.session_idle_minutes > self.session_hours * 60:
            raise ValueError("session_idle_minutes must not be longer than session_hours")
        if self.attempt_seconds < self.login_request_seconds:
            raise ValueError("attempt_seconds must not be less than login_request_seconds")
        return self

    @property
    def database(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'vestibule.db'}"

    @property
    def issuer(self) -> str:
        """Who signs what phones are sent: the portal's address."""
        return self.portal_url

    @property
    def portal_address(self) -> tuple[str, int]:
        """Host and port that the portal listens on."""
        return listening(self.portal_listen, self.portal_url)

    @property
    def phone_address(self) -> tuple[str, int]:
        """Host and port that the phone app listens on."""
        return listening(self.phone_listen, self.phone_url)

    def trusts_proxy(self, address: str) -> bool:
        """Whether ``address`` is a proxy whose X-Forwarded-For is believed."""
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.trusted_proxies)

    @classmethod
    def in_order(cls) -> list[tuple[str, "FieldInfo"]]:
        """The table for people: the house first, then statements, desk, how they are reached."""
        apart = (Delivering.model_fields, Desk.model_fields, Reaching.model_fields)
        return sorted(
            cls.model_fields.items(), key=lambda item: [item[0] in fields for fields in apart][::-1]
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  -- no hidden .env file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  -- ours knows where
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, secret files, TOML: in this order."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if secrets := os.environ.get("VESTIBULE_SECRETS"):
            sources.append(SecretsSettingsSource(settings_cls, secrets, env_prefix=""))
        sources.append(TomlConfigSettingsSource(settings_cls, _config_file()))
        return tuple(sources)


def load() -> Settings:
    """Read the settings of this process. Raises SettingsRefused, saying all that is wrong."""
    secrets = os.environ.get("VESTIBULE_SECRETS")
    if secrets and not Path(secrets).is_dir():
        raise SettingsRefused(f"VESTIBULE_SECRETS: {secrets} is not a folder")
    names = {f"{PREFIX}{field}".upper(): field for field in Settings.model_fields}
    wrong = [
        _unknown(name, [*names, *BESIDE])
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in names.keys() | BESIDE | TESTING
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        wrong += [_said(problem) for problem in error.errors()]
    except (SettingsError, tomllib.TOMLDecodeError, OSError) as error:
        wrong.append(f"{error}: {error.__cause__}" if error.__cause__ else str(error))
    else:
        if not wrong:
            return settings
    raise SettingsRefused("\n".join(wrong))


def _config_file() -> Path | None:
    named = os.environ.get("VESTIBULE_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"VESTIBULE_CONFIG: {path} is not a file")
        return path
    return Path("vestibule.toml")


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{name} is not a setting{hint}"


def _said(problem: "ErrorDetails") -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown(name, Settings.model_fields)
    return f"{name}: {problem['msg']}" if name else problem["msg"]
