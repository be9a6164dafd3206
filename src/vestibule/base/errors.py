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
    json_malformed=400,
    content_type=415,
    body_too_large=413,
    not_found=404,
    method_not_allowed=405,
    unknown_host=421,
    cross_site=403,
    form_expired=403,
    cookies_needed=400,
    too_many_requests=429,
    internal=500,
    busy=503,
    database_unavailable=503,
    # The account, its password and its session
    not_signed_in=401,
    step_up_needed=403,
    network_not_allowed=403,
    wrong_credentials=401,
    password_wait=429,
    source_wait=429,
    password_busy=503,
    username_invalid=400,
    username_taken=409,
    password_too_short=400,
    password_too_long=400,
    password_common=400,
    # Addresses and numbers, and what is kept from strangers
    cooling_down=403,
    contact_invalid=400,
    contact_exists=409,
    contact_unknown=404,
    contact_unverified=409,
    contacts_full=409,
    contact_refused=409,
    way_unavailable=409,
    code_wait=429,
    sms_code_wrong=403,
    sms_code_expired=410,
    sms_code_spent=410,
    sms_codes_blocked=429,
    message_failed=503,
    network_invalid=400,
    networks_lock_you_out=409,
    preference_invalid=400,
    platform_too_old=403,
    attestation_missing=403,
    # Bringing a phone
    ticket_unknown=404,
    ticket_used=409,
    ticket_expired=410,
    ticket_withdrawn=410,
    ticket_exhausted=410,
    code_characters=400,
    code_length=400,
    enrollment_exists=409,
    already_enrolled_elsewhere=409,
    activation_needs_phone=403,
    device_name_invalid=400,
    phone_unknown=404,
    # Other second factors, and the passes that staff gives
    factor_unknown=404,
    factor_unconfirmed=409,
    factor_confirmed=409,
    factor_spent=410,
    factor_name_invalid=400,
    factors_full=409,
    factor_exists=409,
    factor_wrong=403,
    factor_code_used=409,
    passkey_late=410,
    passkey_refused=403,
    passkey_copied=403,
    client_unknown=404,
    pass_reason_invalid=400,
    pass_own=403,
    pass_open=409,
    pass_in_a_row=409,
    pass_unknown=404,
    pass_second_member=403,
    pass_decided=409,
    # Browser captures: section 11 of spec/captures.md
    capture_empty=422,
    capture_not_json=422,
    capture_not_har=422,
    capture_cut=422,
    capture_encoding=422,
    capture_too_deep=422,
    capture_too_large=413,
    capture_compressed=422,
    # What the phone sends
    message_malformed=400,
    signature_wrong=403,
    clock_wrong=409,
    enrollment_unknown=404,
    enrollment_revoked=410,
    proof_wrong=403,
    assertion_wrong=403,
    approvals_blocked=429,
    pin_locked=403,
    enrollment_rests=403,
    enrollment_retired=410,
    subscription_refused=403,
    second_push_unavailable=409,
    # An app that comes with credentials
    case_unknown=404,
    case_expired=410,
    case_over=410,
    case_way=409,
    case_running=409,
    case_codes_blocked=429,
    case_not_granted=409,
    case_device=403,
    recovery_code_wrong=403,
    notice_unknown=404,
    # A rotating code and its claim
    claim_over=410,
    claim_taken=409,
    claim_other_account=403,
    claim_far=403,
    password_needed=403,
    # Terminals
    terminal_unknown=400,
    user_code_unknown=404,
    user_code_over=410,
    terminal_needs_phone=403,
    token_unknown=401,
    # Fetching statements
    delivery_not_set_up=409,
    # Statements, and the operator's systems that publish them
    publisher_unknown=401,
    publisher_name_invalid=400,
    publisher_exists=409,
    digest_missing=400,
    digest_wrong=400,
    length_missing=411,
    body_slow=408,
    body_cut=400,
    statement_account=404,
    statement_kind=400,
    statement_name=400,
    statement_period=400,
    statement_differs=409,
    statement_too_large=413,
    upload_unknown=404,
    upload_offset=409,
    statement_unknown=404,
    store_full=503,
    store_unavailable=503,
    # The keys and networks by which clients' programs fetch
    private_key_sent=400,
    key_unreadable=400,
    key_kind=400,
    key_weak=400,
    key_exists=409,
    keys_full=409,
    key_unknown=404,
    network_too_wide=400,
    certificate_unknown=404,
    # The desk
    desk_subject=400,
    desk_text=400,
    desk_moved=409,
    desk_reopen_late=410,
    desk_full=409,
    # What is attached
    attachment_empty=400,
    attachment_too_large=413,
    attachment_type=400,
    attachments_too_many=409,
    attachment_infected=400,
    attachment_unchecked=503,
    attachment_unknown=404,
    attachment_answered=409,
    attachment_damaged=503,
    capture_unnamed=400,
    picture_unreadable=400,
    # What a phone says of itself
    diagnosis_text=400,
    diagnoses_many=429,
    diagnosis_unavailable=409,
    diagnosis_unknown=404,
    # The OpenPGP certificate of a client
    certificate_private=400,
    certificate_unreadable=400,
    certificate_several=400,
    certificate_weak=400,
    certificate_revoked=400,
    certificate_expired=409,
    certificate_cannot_encrypt=409,
    # The pages of staff
    staff_phone_needed=403,
    staff_role=403,
    desk_changed=409,
    canned_name=400,
    canned_language=400,
    canned_exists=409,
    canned_changed=409,
    # The sign-in
    attempt_unknown=404,
    attempt_expired=410,
    not_collectable=409,
    already_answered=409,
    request_unknown=404,
    request_expired=410,
    request_changed=409,
    number_wrong=403,
    challenge_expired=410,
    challenge_spent=429,
    response_invalid=400,
    response_wrong=401,
    response_again=409,
    responses_blocked=429,
    answer_wrong=401,
    passkey_wrong=401,
)
"""Every code there is. Its texts stand in ``locale/<language>/error.json``, its
explanation in ``docs/use/errors.md``."""


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
