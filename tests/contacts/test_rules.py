"""Addresses and numbers are kept in one form, masked for strangers, and codes go where they may."""

from itertools import product

import pytest
from hypothesis import given, strategies as st

from vestibule.base.errors import Refused
from vestibule.contacts import rules
from vestibule.contacts.rules import Code, Contact, Event, Kind, State


def refusal(call: object, *args: object, **named: object) -> str:
    """The code of a refusal."""
    with pytest.raises(Refused) as caught:
        call(*args, **named)  # type: ignore[operator]
    return caught.value.code.name


def contact(kind: Kind = Kind.NUMBER, state: State = State.VERIFIED, at: int = 0) -> Contact:
    """A contact, verified at that moment if at all."""
    return Contact(
        id="c",
        account_id="a",
        kind=kind,
        address="+393471234589" if kind is Kind.NUMBER else "maria@example.org",
        state=state,
        verified_at=None if state is State.NEW else at,
        added_at=0,
        removed_at=0 if state is State.REMOVED else None,
        preferred=False,
    )


def code(**changes: int | None) -> Code:
    """A code sent once at 0, good until 600 s."""
    values: dict[str, object] = {
        "subject": "c",
        "contact_id": "c",
        "purpose": "verify",
        "tries": 0,
        "sends": 1,
        "resend_at": 45_000,
        "expires_at": 600_000,
        "by": "sms",
        "used_at": None,
    }
    return Code(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "typed, kept",
    [
        (" Maria.Rossi@Example.ORG ", "Maria.Rossi@example.org"),
        ("m+bank@example.co.uk", "m+bank@example.co.uk"),
        ("maria@bücher.example", "maria@xn--bcher-kva.example"),
        ("maria@example", None),
        ("maria", None),
        ("@example.org", None),
        ("maria@@example.org", None),
        ("ma ria@example.org", None),
        (".maria@example.org", None),
        ("maria@exa_mple.org", None),
        ("maria@-example.org", None),
        ("maria@example.org\r\nBcc: x@example.org", None),
        ("maria@[127.0.0.1]", None),
        ("a" * 65 + "@example.org", None),
        ("maria@" + "a" * 64 + ".org", None),
        ("marìa@example.org", None),
    ],
)
def test_mail_address_has_one_form(typed: str, kept: str | None) -> None:
    """The domain is folded and in ASCII, the name before it stays; other things are refused."""
    if kept is None:
        assert refusal(rules.mail_address, typed) == "contact_invalid"
    else:
        assert rules.mail_address(typed) == kept


@pytest.mark.parametrize(
    "typed, country, kept",
    [
        ("347 123 4589", "IT", "+393471234589"),
        ("+39 347 123 4589", "DE", "+393471234589"),
        ("0039-347-1234589", "DE", "+393471234589"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("030 901820", "DE", "+4930901820"),
        ("347 123 4589", "", None),
        ("347 123 4589", "XX", None),
        ("12", "IT", None),
        ("899 123 456", "IT", None),  # costs more than a call
        ("800 123 456", "IT", None),  # nobody's
        ("+39 347 123 4589 ext. 5", "IT", None),
        ("hello", "IT", None),
        ("+" + "9" * 60, "IT", None),
    ],
)
def test_number_is_kept_in_e164(typed: str, country: str, kept: str | None) -> None:
    """A country reads numbers without +; premium, free and impossible ones are refused."""
    if kept is None:
        assert refusal(rules.number, typed, country) == "contact_invalid"
    else:
        assert rules.number(typed, country) == kept


@given(typed=st.text(max_size=60), country=st.sampled_from(["IT", "", "ZZ"]))
def test_whatever_is_typed_is_kept_or_refused(typed: str, country: str) -> None:
    """No text makes the rules stumble, and what is kept is kept again as it is."""
    for clean, again in (
        (rules.mail_address, rules.mail_address),
        (lambda text: rules.number(text, country), lambda text: rules.number(text, "")),
    ):
        try:
            kept = clean(typed)
        except Refused as fault:
            assert fault.code.name == "contact_invalid"  # noqa: PT017
        else:
            assert again(kept) == kept


def test_masks_show_enough_to_recognise() -> None:
    """The country and two digits, or the first letter and the domain: nobody can call or write."""
    assert contact().masked == "+39 ••• 89"
    assert contact(Kind.MAIL).masked == "m•••@example.org"
    assert contact().written == "+39 347 123 4589"


@pytest.mark.parametrize("state, event", list(product(State, Event)))
def test_moves_are_those_of_the_table(state: State, event: Event) -> None:
    """Every state with every event: what the table does not know is refused."""
    if (state, event) in rules.MOVES:
        assert rules.move(state, event) is rules.MOVES[state, event]
    else:
        assert refusal(rules.move, state, event) == "contact_unknown"


@pytest.mark.parametrize("purpose", ["activate", "recover", "sign_in"])
def test_unverified_contact_gets_no_code_but_its_own(purpose: str) -> None:
    """Whoever adds a number to somebody's account does not receive that account's codes."""
    new = contact(state=State.NEW)
    assert refusal(rules.demand_way, new, purpose=purpose, by="sms") == "contact_unverified"
    rules.demand_way(new, purpose="verify", by="sms")
    gone = contact(state=State.REMOVED)
    assert refusal(rules.demand_way, gone, purpose=purpose, by="sms") == "contact_unknown"


@pytest.mark.parametrize("purpose", ["activate", "recover", "sign_in"])
def test_no_code_that_proves_somebody_goes_by_mail(purpose: str) -> None:
    """A mailbox is opened with a password alone: it is no second factor."""
    mail = contact(Kind.MAIL)
    assert refusal(rules.demand_way, mail, purpose=purpose, by="mail") == "way_unavailable"
    assert refusal(rules.demand_way, mail, purpose=purpose, by="sms") == "way_unavailable"
    assert refusal(rules.demand_way, contact(), purpose="verify", by="mail") == "way_unavailable"


def test_asking_again_takes_longer_each_time() -> None:
    """45 s, 1, 2, 5 minutes; after the fifth message only a code that ran out makes room."""
    assert [rules.resend_wait(n) for n in range(1, 7)] == [
        45_000,
        60_000,
        120_000,
        300_000,
        300_000,
        300_000,
    ]
    assert rules.demand_sendable(None, now=0) == 1
    with pytest.raises(Refused) as caught:
        rules.demand_sendable(code(), now=44_001)
    assert caught.value.facts == {"wait": 1, "sends_left": 4}
    assert rules.demand_sendable(code(), now=45_000) == 2
    spent = code(sends=5)
    assert refusal(rules.demand_sendable, spent, now=599_999) == "code_wait"
    assert rules.demand_sendable(spent, now=600_000) == 1


def test_code_counts_only_while_it_may() -> None:
    """Until its time, five wrong tries or its use, whichever comes first."""
    last = code(tries=4)
    assert rules.demand_open(last, now=599_999) is last
    assert refusal(rules.demand_open, None, now=0) == "sms_code_expired"
    assert refusal(rules.demand_open, code(), now=600_000) == "sms_code_expired"
    assert refusal(rules.demand_open, code(tries=5), now=0) == "sms_code_spent"
    assert refusal(rules.demand_open, code(used_at=1), now=2) == "sms_code_spent"


@pytest.mark.parametrize(
    "typed, six",
    [
        ("123456", "123456"),
        (" 12 34-56 ", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("12345", ""),
        ("12345a", ""),
    ],
)
def test_digits_are_read_however_they_are_typed(typed: str, six: str) -> None:
    """Spaces and hyphens do not matter, nor which alphabet's digits they are."""
    assert rules.digits(typed) == six


def test_number_recovers_only_after_a_while() -> None:
    """Who slips a number in today cannot recover the account with it today."""
    assert not rules.may_recover(contact(at=1_000), now=1_099, trust_ms=100)
    assert rules.may_recover(contact(at=1_000), now=1_100, trust_ms=100)
    assert not rules.may_recover(contact(Kind.MAIL, at=0), now=1_100, trust_ms=100)
    assert not rules.may_recover(contact(state=State.NEW), now=1_100, trust_ms=100)
    assert not rules.may_recover(contact(state=State.REMOVED), now=1_100, trust_ms=100)
