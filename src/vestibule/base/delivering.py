"""The settings of statements: where they are kept, and how clients' programs fetch them."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from vestibule.base.reaching import PREFIX, listening


class Delivering(BaseSettings):
    """What `settings.Settings` has of this; a table of its own because it is long."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, validate_default=True, str_max_length=4096
    )

    # The SFTP server
    sftp_url: str = Field(
        default="sftp://localhost:8602",
        pattern=r"^(|sftp://[^/\s:@]+(:\d{1,5})?|sftp://\[[0-9A-Fa-f:.]+\](:\d{1,5})?)$",
        description="The SFTP server as clients' programs see it; the port is 22 where none is "
        "named. Empty: there is none.",
    )
    sftp_listen: str = Field(
        default="", description="host:port to listen on for SFTP; empty: from `sftp_url`."
    )
    sftp_alone: bool = Field(
        default=False,
        description="Leave SFTP to `vestibule statements serve`, run elsewhere; else "
        "`vestibule serve` starts it beside itself, as a process of its own.",
    )
    sftp_programs: Literal["current", "older"] = Field(
        default="current",
        description="older: also agree keys by curve25519 alone, for programs that know nothing "
        "newer: FileZilla 3.63, Cyberduck, the SSH of many Windows machines. What they fetch can "
        "be recorded today and read once there are quantum computers; an audit warns of it.",
    )
    sftp_connections: int = Field(
        default=1000, ge=1, le=100_000, description="SFTP connections at a time, in all."
    )
    sftp_connections_per_account: int = Field(
        default=20, ge=1, le=100_000, description="SFTP connections of one account at a time."
    )
    sftp_handshakes: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="SFTP connections that have not proven their key yet, at a time.",
    )
    sftp_handshakes_per_second: float = Field(
        default=10,
        gt=0,
        le=100_000,
        description="New SFTP connections a second from one address, after a first handful; "
        "more are closed at once. Over 20 an audit takes it for a weakness.",
    )
    sftp_login_seconds: int = Field(
        default=30, ge=1, le=600, description="How long an SFTP program may take to sign in."
    )
    sftp_idle_minutes: int = Field(
        default=15, ge=1, le=1440, description="An SFTP connection without use ends after this."
    )
    sftp_rate_mib: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Most MiB a second that one account may fetch; 0: as fast as it goes.",
    )
    visit_days: int = Field(
        default=90,
        ge=1,
        le=3660,
        description="How long clients see which programs connected, in days.",
    )

    # The statements
    statement_days: int = Field(
        default=100, ge=1, le=36_500, description="How long a statement is kept, in days."
    )
    statement_store: str = Field(
        default="",
        pattern=r"^(|/.+|s3://[^/\s]+(/\S*)?)$",
        description="Where statements are kept: a folder, or s3://bucket/prefix; empty: the "
        "folder `statements` in `data`.",
    )
    s3_endpoint: str = Field(
        default="",
        pattern=r"^(|https?://\S+)$",
        description="Address of an S3-compatible server; empty: Amazon's own.",
    )
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_access_key_id: str = Field(
        default="", description="Name of the key; empty: what the environment of the machine gives."
    )
    s3_secret_access_key: str = Field(default="", description="The key itself; keep it a secret.")
    statement_most_mib: int = Field(
        default=4096, ge=1, le=1_000_000, description="The largest statement, in MiB."
    )
    upload_hours: int = Field(
        default=48, ge=1, le=720, description="How long a publisher may resume an upload."
    )
    statement_gather_seconds: int = Field(
        default=60,
        ge=0,
        le=86_400,
        description="Statements published within this time are told in one notice.",
    )
    attachment_most_mib: int = Field(
        default=10,
        ge=1,
        le=100,
        description="The largest encrypted statement that goes along with a mail, in MiB.",
    )

    @property
    def sftp_address(self) -> tuple[str, int] | None:
        """Host and port that the SFTP server listens on; None where there is none."""
        return listening(self.sftp_listen, self.sftp_url) if self.sftp_url else None

    @property
    def sftp_public(self) -> tuple[str, int] | None:
        """Host and port as clients' programs see them."""
        return listening("", self.sftp_url) if self.sftp_url else None
