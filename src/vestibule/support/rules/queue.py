"""What a member of staff asks of the queue, and what a line of it says to whom. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused
from vestibule.staff.rules import Ability, Member, demand
from vestibule.support.rules.numbers import number_from
from vestibule.support.rules.tickets import Priority, State, Ticket, Topic

A_PAGE: Final = 50
FIND_MOST: Final = 80
_PAGES_MOST: Final = 10_000


class View(StrEnum):
    """Which part of the queue."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    ALL = "all"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to show."""

    view: View
    find: str = ""
    """A number, a username, part of a name or of a subject; then the view does not matter."""
    page: int = 1

    @property
    def start(self) -> int:
        """How many lines come before."""
        return (self.page - 1) * A_PAGE

    @property
    def number(self) -> str:
        """The number that is looked for; empty where it cannot be one."""
        return number_from(self.find) or ""

    @property
    def like(self) -> str:
        """The LIKE pattern of a part, with what it means taken literally."""
        plain = self.find.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return f"%{plain}%"


def asked_from(member: Member, *, view: str, find: str, page: str) -> Asked:
    """What an address asks for; what cannot be read, or not by this role, asks for nothing.

    An observer does not search: what is found and what is not would say who wrote what.
    """
    usual = View.ALL if not member.may(Ability.ANSWER) else View.MINE
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    words = " ".join(find.split())[:FIND_MOST]
    return Asked(
        view=View(view) if view in set(View) else usual,
        find=words if member.may(Ability.READ) else "",
        page=min(max(number, 1), _PAGES_MOST),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What only those learn who may read it."""

    subject: str
    username: str
    display_name: str
    assigned_to: str | None
    assigned_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One conversation in the queue. Times are milliseconds since the epoch."""

    number: str
    topic: Topic
    priority: Priority
    state: State
    language: str
    opened_at: int
    state_at: int
    waiting_since: int | None
    due_at: int | None
    assigned: bool
    said: Said | None
    """None for a role that reads nothing."""

    def late(self, now: int) -> bool:
        """Whether it should have been answered by now."""
        return self.due_at is not None and now > self.due_at


def line_of(ticket: Ticket, member: Member) -> Line:
    """The line as this member may see it."""
    said = Said(
        subject=ticket.subject,
        username=ticket.username,
        display_name=ticket.display_name,
        assigned_to=ticket.assigned_to,
        assigned_name=ticket.assigned_name,
    )
    return Line(
        number=ticket.number,
        topic=ticket.topic,
        priority=ticket.priority,
        state=ticket.state,
        language=ticket.language,
        opened_at=ticket.opened_at,
        state_at=ticket.state_at,
        waiting_since=ticket.waiting_since,
        due_at=ticket.due_at,
        assigned=ticket.assigned_to is not None,
        said=said if member.may(Ability.READ) else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is to do."""

    mine: int
    unassigned: int
    all: int
    waiting: int
    """Of all: those whose client waits for us."""
    late: int
    """Of these: those that should have been answered."""


def sees(member: Member, topic: Topic) -> bool:
    """Whether conversations about this are there for this member at all."""
    return topic is not Topic.SECURITY or member.may(Ability.SECURITY)


def demand_reading(member: Member, ticket: Ticket | None) -> Ticket:
    """The conversation, to one who may read it.

    Raises Refused ``staff_role``, before it is looked at whether there is one, or ``not_found``,
    for one that is not there and for one that is not for this role.
    """
    demand(member, Ability.READ)
    if ticket is None or not sees(member, ticket.topic):
        raise Refused("not_found")
    return ticket


def demand_taking(member: Member, ticket: Ticket, *, to: str | None) -> None:
    """Refuse to give a conversation to ``to`` (None: back to the queue) beyond the role.

    Everybody who answers takes what nobody has, and gives back what is theirs; between colleagues
    an officer hands over. Raises Refused ``staff_role``.
    """
    demand(member, Ability.ANSWER)
    own = member.account_id
    takes = to == own and ticket.assigned_to in (None, own)
    gives_back = to is None and ticket.assigned_to == own
    if not takes and not gives_back:
        demand(member, Ability.HAND_OVER)
