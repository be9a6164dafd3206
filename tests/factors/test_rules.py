"""Second factors by themselves: codes, cards, states, and what follows from what."""

import re
from itertools import product

import pytest
from hypothesis import given, strategies as st

from vestibule.base.clock import DAY
from vestibule.base.errors import Refused
from vestibule.factors import rules
from vestibule.factors.rules import MOVES, Event, Factor, Kind, State, card, codes, passes, totp
from vestibule.protocol.typed_code import ALPHABET
from vestibule.sessions.rules import Assurance

# RFC 6238 appendix B, SHA-1, cut to the six digits that apps show.
SEED = b"12345678901234567890"
PUBLISHED = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize("second, code", PUBLISHED.items())
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    """The vectors of RFC 6238."""
    assert totp.code_at(SEED, totp.step_at(second * 1000)) == code
    assert totp.find_step(SEED, code, now=second * 1000) == second // 30


def test_a_code_counts_for_its_step_and_one_on_either_side() -> None:
    """A clock sweep of ten minutes either way in steps of a second: ninety seconds count."""
    at = 1_800_000_000_000
    step = totp.step_at(at)
    code = totp.code_at(SEED, step)
    counted = [
        second
        for second in range(-600, 600)
        if totp.find_step(SEED, code, now=at + second * 1000) == step
    ]
    assert counted == list(range(-30, 60))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "２８７０８２", "28708é"])
def test_what_is_no_code_is_no_code(code: str) -> None:
    """Anything but the six digits, without complaint."""
    assert totp.find_step(SEED, code, now=59_000) is None


def test_the_link_survives_odd_names() -> None:
    """A colon or a space in a name cannot be taken for the end of it."""
    link = totp.link(SEED, issuer="A: B & Co", account="m:o?i#")
    assert link.startswith("otpauth://totp/A%20%20B%20%26%20Co:m%20o%3Fi%23?secret=GEZDGNBV")
    assert "&issuer=A%20%20B%20%26%20Co&algorithm=SHA1&digits=6&period=30" in link


@given(random=st.binary(min_size=10, max_size=10))
def test_codes_on_paper_are_read_as_they_are_shown(random: bytes) -> None:
    """Whatever is spelled is read again: in small letters, and with O, I and L for 0 and 1."""
    code = codes.spell(random, codes.RECOVERY_LENGTH)
    assert int.from_bytes(random, "big") == int(
        "".join(f"{ALPHABET.index(letter):05b}" for letter in code), 2
    )
    shown = codes.shown(code)
    assert re.fullmatch(r"(?:\w{4}-){3}\w{4}", shown)
    for typed in (shown, shown.lower(), code.replace("0", "O").replace("1", "l"), f" {shown}\n"):
        assert codes.read(typed, codes.RECOVERY_LENGTH) == code


@pytest.mark.parametrize(
    "text", ["", "ABCD", "ABCD-EFGH-JKMN-PQR", "ABCD-EFGH-JKMN-PQRU", "é" * 16]
)
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    """Too short, or with letters that no code has."""
    assert codes.read(text, codes.RECOVERY_LENGTH) is None


def test_a_card_has_eighty_different_looking_cells() -> None:
    """Each is three characters; two cards have nothing in common but the numbers."""
    one, other = card.cells(bytes(32)), card.cells(bytes(31) + b"\x01")
    assert [cell.index for cell in one] == list(range(1, 81))
    assert all(codes.read(cell.value, 3) == cell.value for cell in one)
    assert len({cell.value for cell in one}) > 70
    assert sum(a.value == b.value for a, b in zip(one, other, strict=True)) < 5


def test_no_cell_is_asked_for_again_before_all_others_were() -> None:
    """Forty answers ask for all eighty cells; the next forty do so in another order."""
    secret = bytes(32)
    rounds = [
        [index for uses in range(start, start + 40) for index in card.challenge(secret, uses)]
        for start in (0, 40)
    ]
    assert [sorted(asked) for asked in rounds] == [list(range(1, 81))] * 2
    assert rounds[0] != rounds[1]


def test_a_card_answers_with_both_values_in_order() -> None:
    """Grouped or not, in small letters too; the other way round is wrong."""
    secret = bytes(32)
    first, second = (card.value(secret, index) for index in card.challenge(secret, 3))
    assert card.answers(secret, 3, first + second)
    assert card.answers(secret, 3, f"{first.lower()} - {second.lower()}")
    for wrong in (second + first, first, "", first + second + "A", first + "UUU"):
        assert not card.answers(secret, 3, wrong)
    assert not card.answers(secret, 4, first + second)


def made(**values: int | None) -> Factor:
    """A factor with these times."""
    times: dict[str, int | None] = {"confirmed_at": 10, "used_at": None, "expires_at": None}
    return Factor(
        id="f", account_id="a", kind=Kind.TOTP, label="x", created_at=5, **(times | values)
    )


def test_states_follow_from_the_times() -> None:
    """Unconfirmed waits; past its end is spent, at the very millisecond."""
    assert made(confirmed_at=None).state(99) is State.WAITING
    assert made().state(99) is State.USABLE
    assert made(expires_at=100).usable(99)
    assert made(expires_at=100).state(100) is State.SPENT


def test_every_move_is_in_the_table() -> None:
    """What the table does not name is refused, with a code that says where the factor stands."""
    for state, event in product(State, Event):
        if (state, event) in MOVES:
            assert rules.move(state, event) is MOVES[state, event]
        else:
            with pytest.raises(Refused, match="factor_"):
                rules.move(state, event)
    assert all(MOVES.get((State.REMOVED, event)) is None for event in Event)
    assert (State.WAITING, Event.USE) not in MOVES
    assert (State.SPENT, Event.USE) not in MOVES


def test_each_kind_proves_something() -> None:
    """No kind reaches less than the lowest level of a second factor; keys reach the highest."""
    from_kind = {
        kind: Factor(
            id="f",
            account_id="a",
            kind=kind,
            label="x",
            created_at=1,
            confirmed_at=1,
            used_at=None,
            expires_at=None,
        ).assurance
        for kind in Kind
    }
    assert min(from_kind.values()) is Assurance.BASIC
    assert from_kind[Kind.PASSKEY] is Assurance.HIGH
    assert from_kind[Kind.TOTP] is Assurance.STANDARD


@pytest.mark.parametrize("label", ["", "   ", "x" * 41, "a\x00b", "a\u202eb"])
def test_bad_names_are_refused(label: str) -> None:
    """Empty, too long, or with characters that turn a line around."""
    with pytest.raises(Refused, match="factor_name_invalid"):
        rules.clean_label(label)


def test_names_are_tidied() -> None:
    """Spaces at the ends and runs of them are nobody's intention."""
    assert rules.clean_label("  My \t phone ") == "My phone"


@pytest.mark.parametrize(
    "on, phones, allowed", [(True, 0, True), (True, 1, False), (False, 0, False)]
)
def test_text_messages_end_with_the_first_phone(*, on: bool, phones: int, allowed: bool) -> None:
    """A code by text is a second factor until there is a better one."""
    assert rules.sms_allowed(on=on, phones=phones) is allowed


def test_requests_for_passes_move_once() -> None:
    """From open only; one that ran out cannot be confirmed any more."""
    for state, event in product(passes.State, passes.Event):
        if state is passes.State.OPEN:
            assert passes.move(state, event) is not passes.State.OPEN
        else:
            with pytest.raises(Refused, match="pass_decided"):
                passes.move(state, event)
    late = passes.state_of(passes.State.OPEN, expires_at=100, now=100)
    assert late is passes.State.EXPIRED
    done = passes.state_of(passes.State.CONFIRMED, expires_at=100, now=200)
    assert done is passes.State.CONFIRMED


@pytest.mark.parametrize(
    "last, lasting, refused",
    [
        (None, False, False),
        (1000 * DAY - 1, False, True),
        (1000 * DAY - 1, True, False),
        (1000 * DAY - passes.REMEMBERED_MS, False, False),
    ],
)
def test_no_two_passes_in_a_row(*, last: int | None, lasting: bool, refused: bool) -> None:
    """Between two there is something that lasts, or a year."""
    if not refused:
        passes.demand_not_in_a_row(last_pass=last, lasting_since=lasting, now=1000 * DAY)
        return
    with pytest.raises(Refused, match="pass_in_a_row"):
        passes.demand_not_in_a_row(last_pass=last, lasting_since=lasting, now=1000 * DAY)


@pytest.mark.parametrize("reason", ["", "short", "x" * 301, "a line\x00that is long"])
def test_a_pass_needs_a_reason(reason: str) -> None:
    """One that somebody can follow later."""
    with pytest.raises(Refused, match="pass_reason_invalid"):
        passes.clean_reason(reason)
