"""What may go wrong, in three kinds, each with a stable code.

``Refused`` is a lawful no, ``Malformed`` means that the peer broke the protocol and
``Unavailable`` that something outside failed. People read the title, the cause and the next step
of the code; programs read the code (RFC 9457 problem details); the log gets the facts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table: the HTTP status and, by the name, three catalogue keys."""

    name: str
    status: int

    @property
    def title(self) -> str:
        """Catalogue key of what happened."""
        return f"error.{self.name}.title"

    @property
    def cause(self) -> str:
        """Catalogue key of why it may be."""
        return f"error.{self.name}.cause"

    @property
    def next(self) -> str:
        """Catalogue key of what to do now."""
        return f"error.{self.name}.next"


def _table(**statuses: int) -> dict[str, Code]:
    return {name: Code(name, status) for name, status in statuses.items()}


CODES: dict[str, Code] = _table(
    # Any request
    bad_request=400,
    bad_field=400,
    missing_field=400,
    not_found=404,
    method_not_allowed=405,
    too_large=413,
    unsupported_media=415,
    unknown_host=421,
    cross_site=403,
    form_expired=403,
    not_signed_in=401,
    not_allowed=403,
    slow_down=429,
    internal=500,
    busy=503,
    database_unavailable=503,
    push_unavailable=503,
    starting=503,
    # The account and its password
    wrong_credentials=401,
    password_wait=429,
    source_wait=429,
    account_disabled=403,
    username_invalid=400,
    username_taken=409,
    password_too_short=400,
    password_too_long=400,
    password_common=400,
    password_change_needed=403,
    password_busy=503,
    # The session
    session_unknown=401,
    session_expired=401,
    session_ended=401,
    step_up_needed=403,
    # Bringing a phone: the activation ticket
    ticket_unknown=404,
    ticket_used=409,
    ticket_expired=410,
    ticket_replaced=410,
    ticket_spent=429,
    ticket_wait=429,
    ticket_not_yours=403,
    ticket_code_invalid=400,
    already_enrolled_here=409,
    already_enrolled_elsewhere=409,
    too_many_devices=409,
    too_many_accounts=409,
    enrolment_unfinished=409,
    kdf_too_weak=400,
    pin_refused=400,
    platform_too_old=400,
    proof_needed=403,
    # The phone's calls
    device_unknown=401,
    device_revoked=403,
    device_paused=403,
    signature_wrong=401,
    proof_wrong=401,
    proof_expired=401,
    proof_replayed=409,
    message_malformed=400,
    message_type_wrong=400,
    message_too_large=413,
    message_expired=400,
    message_not_for_us=400,
    key_invalid=400,
    assertion_wrong=401,
    knowledge_wrong=401,
    knowledge_wait=429,
    subscription_refused=400,
    device_name_invalid=400,
    # The sign-in
    attempt_unknown=404,
    attempt_expired=410,
    attempt_ended=409,
    attempt_not_yours=403,
    attempt_not_approved=409,
    attempt_collected=409,
    request_unknown=404,
    request_expired=410,
    request_stale=409,
    already_answered=409,
    hash_wrong=409,
    number_needed=400,
    number_wrong=401,
    device_choice_needed=409,
    device_choice_wrong=400,
    no_device=409,
    push_wait=429,
    push_paused=409,
    challenge_expired=410,
    challenge_spent=429,
    response_wrong=401,
    response_invalid=400,
    response_used=409,
    response_again=409,
    response_wait=429,
    denied=403,
    reported=403,
)
"""Every code there is. Its texts stand in ``locale/<language>/error.json``."""


class Fault(Exception):  # noqa: N818  -- reads as what it is
    """A failure with a code. ``facts`` fill the texts and go to the log: never a secret."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code = CODES[code]
        self.facts = facts

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code.name} {facts}".rstrip()


class Refused(Fault):
    """A lawful no: the request was understood, and the rules forbid it."""


class Malformed(Fault):
    """The peer broke the protocol."""


class Unavailable(Fault):
    """Something that we depend on failed; nothing was decided."""


class Lost(Exception):  # noqa: N818  -- reads as what it is
    """A compare-and-set lost its race: the whole transaction body is run again."""


class Duplicate(Exception):  # noqa: N818  -- reads as what it is
    """A row with this unique value exists. It ends the transaction: let it leave the body."""
