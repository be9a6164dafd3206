"""The settings of the desk: when it is staffed, what may be attached, where articles are."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from vestibule.base.reaching import PREFIX

_HOURS = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?"
    r" ([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)"
)


class Desk(BaseSettings):
    """What `settings.Settings` has of this; a table of its own because it is long."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, validate_default=True, str_max_length=4096
    )

    # When the desk answers
    support_hours: str = Field(
        default="mon-fri 08:00-20:00",
        description="When the desk is staffed, as `mon-fri 08:00-20:00, sat 09:00-13:00`; at other "
        "times the waiting of a message does not count.",
    )
    support_zone: str = Field(
        default="UTC", description="The time zone of `support_hours`, as `Europe/Rome`."
    )
    support_high_minutes: int = Field(
        default=60,
        ge=1,
        le=10_000,
        description="Minutes of those hours within which an urgent message is answered.",
    )
    support_normal_minutes: int = Field(
        default=120, ge=1, le=10_000, description="The same for an ordinary message."
    )
    support_low_minutes: int = Field(
        default=480, ge=1, le=10_000, description="The same for one that has time."
    )
    closed_ticket_days: int = Field(
        default=30,
        ge=1,
        le=3660,
        description="How long clients see a closed conversation, and may open it again, in days.",
    )

    # What clients attach
    attachment_megabytes: int = Field(
        default=25, ge=1, le=1000, description="The largest file that is attached, in megabytes."
    )
    attachments_per_message: int = Field(
        default=10, ge=0, le=100, description="Most files with one message; 0: none."
    )
    capture_megabytes: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="The largest browser recording before it is made safe, in megabytes.",
    )
    attachment_days: int = Field(
        default=30,
        ge=1,
        le=3660,
        description="How long attachments are kept after their conversation was closed, in days.",
    )
    diagnosis_days: int = Field(
        default=14,
        ge=0,
        le=365,
        description="How long what a phone said of itself waits to be attached to a message, in "
        "days; 0: none is taken.",
    )
    attachment_scanner: str = Field(
        default="",
        description="A command that reads an attachment on its standard input and ends with 0 if "
        "it may be kept, 1 if not; empty: nothing is scanned.",
    )

    # Help
    knowledge_folder: Path | None = Field(
        default=None,
        description="Folder of your own help articles, beside those that come along; one with the "
        "number of another takes its place.",
    )

    @field_validator("support_hours")
    @classmethod
    def _known_hours(cls, value: str) -> str:
        for part in value.split(","):
            if not _HOURS.fullmatch(part.strip()):
                raise ValueError("must be like `mon-fri 08:00-20:00, sat 09:00-13:00`")
            opens, _, closes = part.strip().split(" ")[1].partition("-")
            if opens >= closes:
                raise ValueError("must end later in the day than it begins")
        return value

    @field_validator("support_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone like Europe/Rome") from None
        return value
