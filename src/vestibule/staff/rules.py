"""Who of the staff may do what. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vestibule.base.errors import Refused
from vestibule.sessions.rules import Assurance, Proof, assurance_of


class Role(StrEnum):
    """What a member of staff may do."""

    OBSERVER = "observer"
    """Sees how the desk is doing, and nothing that a client wrote or is called."""
    SUPPORT = "support"
    """Answers clients, and asks for what they need."""
    OFFICER = "officer"
    """That too, and decides about what others asked for."""


class Ability(StrEnum):
    """One thing that a role may do; pages demand an ability, never a role."""

    QUEUE = "queue"
    """See what waits and for how long: numbers, topics, times."""
    READ = "read"
    """Read what clients wrote and attached, and who they are."""
    ANSWER = "answer"
    """Take a conversation, answer in it, leave notes in it, close it."""
    HAND_OVER = "hand_over"
    """Give a conversation to any member, also one that a colleague has."""
    SECURITY = "security"
    """All of this for conversations about security."""
    WRITE_CANNED = "write_canned"
    """Change the answers that are kept ready."""
    ASK_PASS = "ask_pass"  # noqa: S105  -- the name of an ability
    """Ask for a temporary pass for a client."""
    DECIDE = "decide"
    """Decide about what others asked for."""


_SUPPORT: Final = frozenset({Ability.QUEUE, Ability.READ, Ability.ANSWER, Ability.ASK_PASS})

ABILITIES: Final[Mapping[Role, frozenset[Ability]]] = MappingProxyType(
    {
        Role.OBSERVER: frozenset({Ability.QUEUE}),
        Role.SUPPORT: _SUPPORT,
        Role.OFFICER: frozenset(Ability),
    }
)
"""All that each role may do; what is not here is refused."""


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
        return self.may(Ability.DECIDE)

    def may(self, ability: Ability | str) -> bool:
        """Whether the member's role has this ability."""
        return Ability(ability) in ABILITIES[self.role]


def demand(member: Member, ability: Ability) -> None:
    """Refuse what the member's role does not include (``staff_role``)."""
    if not member.may(ability):
        raise Refused("staff_role", role=member.role.value, ability=ability.value)


def may_decide(member: Member, *, asked_by: str, client: str) -> bool:
    """Whether a member decides about a request: four eyes, and nobody in their own cause."""
    return member.officer and member.account_id not in (asked_by, client)


# What staff can do is worth more than what a client can. A code that is typed can be asked for by
# whoever answers the phone under a false name; a key that never leaves its device cannot.
_AT_THE_DESK: Final = frozenset(
    proof
    for proof in Proof
    if assurance_of(proof) >= Assurance.STANDARD and proof is not Proof.TOTP
)


def approved(proof: Proof) -> bool:
    """Whether a session with this last proof may open the pages of staff.

    An approval on the phone does, in each of its forms, and so does a passkey, which is the same
    kind of key.
    """
    return proof in _AT_THE_DESK
