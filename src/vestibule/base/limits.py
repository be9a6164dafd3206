"""Limits: how often somebody may try, kept in the database, one row per subject.

Subjects are ``name:<digest>``, ``account:<id>``, ``device:<id>`` and ``source:<address>``. The
state is a frozen value; every decision returns a new one, and ``save`` writes it by
compare-and-set, so guesses sent side by side count like guesses sent one after the other. A try
is refused *before* it is evaluated, and a refused try is neither counted nor does it make the
wait longer: locking others out costs the attacker as much as it costs them.

The figures are constants on purpose. Twenty wrong responses a year, each matched against a window
of five counters out of 10^8, keep guessing under 1e-6 per account and year; no setting loosens it.
"""

from dataclasses import dataclass

from msgspec import Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, delete, select, update
from sqlalchemy.sql import bindparam

from vestibule.base.clock import DAY, HOUR, MINUTE
from vestibule.base.database import Tx, insert, metadata
from vestibule.base.errors import Lost
from vestibule.base.streaks import FORGIVEN_AFTER, Streak

YEAR = 365 * DAY
WINDOW = 10 * MINUTE
"""The window of pushes, and of failures from one source."""

PASSWORDS_IN_A_ROW = 5
KNOWLEDGE_IN_A_ROW = 5
KNOWLEDGE_MOST = 10
"""Wrong PINs in a row, sent by the device itself, after which its PIN no longer counts
(NIST SP 800-63B-4, section 3.2.10)."""
SOURCE_FAILURES = 20
SOURCE_TICKETS = 10
CODES_AN_HOUR = 5
CODES_A_DAY = 10
SOURCE_CODES = 20
"""Codes sent to one number or account, and asked for from one source in an hour."""
SOURCE_OPENINGS = 60
"""Sign-ins begun without a username, and terminals that ask to be let in, from one source."""
SOURCE_CLAIMS = 20
"""Codes of such sign-ins and terminals that were not good, from one source."""
MESSAGES = 30
SOURCE_MESSAGES = 90
"""Messages to the desk within a window, of one account and from one source."""
LOOKUPS = 20
"""Reference numbers that opened nothing, of one account or from one source."""
SOURCE_FEEDBACK = 20
"""What readers say of articles, from one source."""
PUSHES_IN_WINDOW = 3
PUSHES_UNANSWERED = 5
RESPONSES_A_DAY = 5
RESPONSES_A_YEAR = 20


class Limits(Struct, frozen=True, omit_defaults=True):
    """What is remembered of one subject. All times are milliseconds since the epoch."""

    of_source: bool = False
    passwords: Streak = Streak()
    knowledge: Streak = Streak()
    knowledge_by: tuple[str, ...] = ()
    knowledge_sent: int = 0
    pushes: Streak = Streak()
    push_times: tuple[int, ...] = ()
    response_times: tuple[int, ...] = ()
    failure_times: tuple[int, ...] = ()
    ticket_times: tuple[int, ...] = ()
    code_times: tuple[int, ...] = ()
    code_failure_times: tuple[int, ...] = ()
    opening_times: tuple[int, ...] = ()
    claim_times: tuple[int, ...] = ()
    message_times: tuple[int, ...] = ()
    lookup_times: tuple[int, ...] = ()
    feedback_times: tuple[int, ...] = ()

    # Passwords: in a row for a name, in a window for a source.

    def password_wait(self, *, now: int) -> int:
        """Milliseconds to wait before a password is looked at; 0: go ahead."""
        if self.of_source:
            return _window_wait(self.failure_times, SOURCE_FAILURES, WINDOW, now)
        return self.passwords.wait(now=now)

    def password_failed(self, *, now: int) -> "Limits":
        """After a wrong password."""
        if self.password_wait(now=now):
            return self
        if self.of_source:
            return replace(self, failure_times=_with(self.failure_times, now, SOURCE_FAILURES))
        return replace(self, passwords=self.passwords.failed(free=PASSWORDS_IN_A_ROW, now=now))

    def password_right(self, *, now: int) -> "Limits":  # noqa: ARG002  -- the face of its sisters
        """After a right password. A source is not cleared: one may hold many names."""
        return replace(self, passwords=Streak())

    # The PIN, counted per device: one PIN serves all of its enrollments, so a right one forgives
    # the failures of its own enrollment only. Else whoever holds a phone would link an account
    # of their own and clear the count with it.

    def knowledge_wait(self, *, now: int) -> int:
        """Milliseconds to wait before a knowledge proof is looked at; 0: go ahead."""
        return self.knowledge.wait(now=now)

    @property
    def knowledge_locked(self) -> bool:
        """Whether no PIN of this device counts any more."""
        return self.knowledge_sent >= KNOWLEDGE_MOST

    @property
    def knowledge_left(self) -> int:
        """Wrong proofs until the next one costs a wait."""
        return max(0, KNOWLEDGE_IN_A_ROW - self.knowledge.count)

    def knowledge_failed(self, *, by: str, sent: bool = True, now: int) -> "Limits":
        """After a wrong proof of enrollment ``by``; ``knowledge.count`` tells how many in a row.

        Not ``sent`` by the device, a typed response was wrong: anybody may have typed it, so it
        costs a wait, but locks nothing for good.
        """
        if self.knowledge_wait(now=now):
            return self
        return replace(
            self,
            knowledge=self.knowledge.failed(free=KNOWLEDGE_IN_A_ROW, now=now),
            knowledge_by=self.knowledge_by if by in self.knowledge_by else (*self.knowledge_by, by),
            knowledge_sent=self.knowledge_sent + sent,
        )

    def knowledge_right(self, *, by: str) -> "Limits":
        """After a right proof of enrollment ``by``."""
        others = tuple(one for one in self.knowledge_by if one != by)
        if others:
            return replace(self, knowledge_by=others)
        return replace(self, knowledge=Streak(), knowledge_by=(), knowledge_sent=0)

    # Pushes to an account.

    def push_wait(self, *, now: int) -> int:
        """Milliseconds until a push may be sent; 0: now."""
        in_window = _window_wait(self.push_times, PUSHES_IN_WINDOW, WINDOW, now)
        return max(in_window, self.pushes.wait(now=now))

    def pushed(self, *, now: int) -> "Limits":
        """After a push was decided upon."""
        if self.push_wait(now=now):
            return self
        return replace(
            self,
            pushes=self.pushes.failed(free=PUSHES_UNANSWERED, now=now),
            push_times=_with(self.push_times, now, PUSHES_IN_WINDOW),
        )

    def signed_in(self) -> "Limits":
        """After a sign-in succeeded: its owner is there, so pushes start afresh."""
        return replace(self, pushes=Streak(), push_times=())

    # Typed responses of an account: no success ever clears these.

    def response_wait(self, *, now: int) -> int:
        """Milliseconds to wait before a response is looked at; 0: go ahead."""
        return max(
            _window_wait(self.response_times, RESPONSES_A_DAY, DAY, now),
            _window_wait(self.response_times, RESPONSES_A_YEAR, YEAR, now),
        )

    def response_failed(self, *, now: int) -> "Limits":
        """After a wrong response."""
        if self.response_wait(now=now):
            return self
        return replace(self, response_times=_with(self.response_times, now, RESPONSES_A_YEAR))

    def responses_unlocked(self) -> "Limits":
        """After the owner lifted the lock with a second device or a recovery code."""
        return replace(self, response_times=())

    # Activation codes, counted per source.

    def ticket_wait(self, *, now: int) -> int:
        """Milliseconds to wait before an activation code is looked at; 0: go ahead."""
        return _window_wait(self.ticket_times, SOURCE_TICKETS, WINDOW, now)

    def ticket_failed(self, *, now: int) -> "Limits":
        """After an unknown or wrong activation code."""
        if self.ticket_wait(now=now):
            return self
        return replace(self, ticket_times=_with(self.ticket_times, now, SOURCE_TICKETS))

    # Codes sent by text, call or mail.

    def code_wait(self, *, now: int) -> int:
        """Milliseconds until another code may be sent; 0: now."""
        if self.of_source:
            return _window_wait(self.code_times, SOURCE_CODES, HOUR, now)
        return max(
            _window_wait(self.code_times, CODES_AN_HOUR, HOUR, now),
            _window_wait(self.code_times, CODES_A_DAY, DAY, now),
        )

    def code_sent(self, *, now: int) -> "Limits":
        """After a code was sent."""
        return replace(self, code_times=_with(self.code_times, now, SOURCE_CODES))

    # Codes typed for an account: a new code brings no new tries, and no success clears these.

    def code_try_wait(self, *, now: int) -> int:
        """Milliseconds to wait before a code is looked at; 0: go ahead."""
        return max(
            _window_wait(self.code_failure_times, RESPONSES_A_DAY, DAY, now),
            _window_wait(self.code_failure_times, RESPONSES_A_YEAR, YEAR, now),
        )

    def code_failed(self, *, now: int) -> "Limits":
        """After a wrong code."""
        if self.code_try_wait(now=now):
            return self
        times = _with(self.code_failure_times, now, RESPONSES_A_YEAR)
        return replace(self, code_failure_times=times)

    # What anybody may begin, and what is guessed about it, counted per source.

    def opening_wait(self, *, now: int) -> int:
        """Milliseconds until something may be begun without a username; 0: now."""
        return _window_wait(self.opening_times, SOURCE_OPENINGS, WINDOW, now)

    def opened(self, *, now: int) -> "Limits":
        """After something was begun without a username."""
        return replace(self, opening_times=_with(self.opening_times, now, SOURCE_OPENINGS))

    def claim_wait(self, *, now: int) -> int:
        """Milliseconds to wait before a scanned or typed code is looked at; 0: go ahead."""
        return _window_wait(self.claim_times, SOURCE_CLAIMS, WINDOW, now)

    def claim_failed(self, *, now: int) -> "Limits":
        """After a scanned or typed code that is not good."""
        if self.claim_wait(now=now):
            return self
        return replace(self, claim_times=_with(self.claim_times, now, SOURCE_CLAIMS))

    # Messages to the desk, and reference numbers that are nobody's or somebody else's.

    def message_wait(self, *, now: int) -> int:
        """Milliseconds until another message may be written; 0: now."""
        most = SOURCE_MESSAGES if self.of_source else MESSAGES
        return _window_wait(self.message_times, most, WINDOW, now)

    def message_sent(self, *, now: int) -> "Limits":
        """After a message was written."""
        return replace(self, message_times=_with(self.message_times, now, SOURCE_MESSAGES))

    def lookup_wait(self, *, now: int) -> int:
        """Milliseconds until another number is said to be unknown; 0: now."""
        return _window_wait(self.lookup_times, LOOKUPS, WINDOW, now)

    def lookup_missed(self, *, now: int) -> "Limits":
        """After a number that opened nothing."""
        if self.lookup_wait(now=now):
            return self
        return replace(self, lookup_times=_with(self.lookup_times, now, LOOKUPS))

    def feedback_wait(self, *, now: int) -> int:
        """Milliseconds until more may be said; 0: now."""
        return _window_wait(self.feedback_times, SOURCE_FEEDBACK, WINDOW, now)

    def feedback_given(self, *, now: int) -> "Limits":
        """After something was said."""
        return replace(self, feedback_times=_with(self.feedback_times, now, SOURCE_FEEDBACK))

    def forgotten_at(self) -> int:
        """When nothing of this matters any more (ms)."""
        ends = [
            max(streak.last + FORGIVEN_AFTER, streak.until)
            for streak in (self.passwords, self.knowledge, self.pushes)
        ]
        if self.knowledge_sent:
            ends.append(self.knowledge.last + YEAR)
        ends += [
            times[-1] + window
            for times, window in (
                (self.push_times, WINDOW),
                (self.response_times, YEAR),
                (self.failure_times, WINDOW),
                (self.ticket_times, WINDOW),
                (self.code_times, DAY),
                (self.code_failure_times, YEAR),
                (self.opening_times, WINDOW),
                (self.claim_times, WINDOW),
                (self.message_times, WINDOW),
                (self.lookup_times, WINDOW),
                (self.feedback_times, WINDOW),
            )
            if times
        ]
        return max(ends)


def _window_wait(times: tuple[int, ...], most: int, window: int, now: int) -> int:
    """Milliseconds until fewer than ``most`` of the times lie within the window."""
    if len(times) < most:
        return 0
    return max(0, times[-most] + window - now)


def _with(times: tuple[int, ...], now: int, most: int) -> tuple[int, ...]:
    """The times and ``now``, of which only the last ``most`` can ever matter."""
    return (*times, now)[-most:]


# --- the store ------------------------------------------------------------------------------

limit_state = Table(
    "limit_state",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("forgotten_at", BigInteger, nullable=False),
)
Index("ix_limit_state_forgotten_at", limit_state.c.forgotten_at)

_FIND = select(limit_state.c.version, limit_state.c.state).where(
    limit_state.c.subject == bindparam("subject")
)
_INSERT = (
    insert(limit_state)
    .values(
        {name: bindparam(name) for name in ("subject", "state", "forgotten_at")} | {"version": 1}
    )
    .on_conflict_do_nothing()
)
_UPDATE = (
    update(limit_state)
    .where(
        limit_state.c.subject == bindparam("subject_"),
        limit_state.c.version == bindparam("version_"),
    )
    .values(
        version=limit_state.c.version + 1,
        state=bindparam("state"),
        forgotten_at=bindparam("forgotten_at"),
    )
)
_SWEEP = delete(limit_state).where(limit_state.c.forgotten_at < bindparam("before"))

_encode = Encoder().encode
_decode = Decoder(Limits).decode


@dataclass(frozen=True, slots=True)
class Slot:
    """The limits of one subject as read, and the version that they may be saved over."""

    subject: str
    version: int
    limits: Limits

    @classmethod
    def of(cls, subject: str, version: int | None, state: str | None) -> "Slot":
        """From the columns of an outer join; None where there is no row yet."""
        if version is None or state is None:
            return cls(subject, 0, Limits(of_source=subject.startswith("source:")))
        return cls(subject, version, _decode(state))


async def load(tx: Tx, subject: str) -> Slot:
    """The limits of ``subject``; clean ones where nothing is remembered."""
    row = await tx.one(_FIND, subject=subject)
    return Slot.of(subject, row["version"], row["state"]) if row else Slot.of(subject, None, None)


async def save(tx: Tx, slot: Slot, limits: Limits, *, always: bool = False) -> None:
    """Write what a decision returned; nothing where it changed nothing. Raises Lost.

    ``always`` writes all the same: a right guess that is sent among wrong ones then queues up
    with them, and counts only if it comes before the limit is reached.
    """
    if limits == slot.limits and not always:
        return
    state, until = _encode(limits).decode(), limits.forgotten_at()
    if slot.version:
        saved = await tx.run(
            _UPDATE,
            subject_=slot.subject,
            version_=slot.version,
            state=state,
            forgotten_at=until,
        )
    else:
        saved = await tx.run(_INSERT, subject=slot.subject, state=state, forgotten_at=until)
    if not saved:
        raise Lost


async def sweep(tx: Tx, *, now: int) -> int:
    """Delete the rows in which nothing matters any more."""
    # The hour spares a row that a transaction under way has just read.
    return await tx.run(_SWEEP, before=now - HOUR)
