"""Who of the staff may do what. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff may do."""

    SUPPORT = "support"
    """Asks for what a client needs."""
    OFFICER = "officer"
    """Asks too, and decides about what others asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of the staff: an account like a client's, with a role."""

    account_id: str
    username: str
    display_name: str
    role: Role
    since: int
    """Milliseconds since the epoch."""

    @property
    def officer(self) -> bool:
        """Whether this member decides about what others asked for."""
        return self.role is Role.OFFICER


def may_decide(member: Member, *, asked_by: str, client: str) -> bool:
    """Whether a member decides about a request: four eyes, and nobody in their own cause."""
    return member.officer and member.account_id not in (asked_by, client)
