"""Usernames fold to one form, look-alikes are refused, and passwords are judged by length."""

from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from vestibule.accounts import rules
from vestibule.base.errors import Refused


def refusal(call: object, *args: object, **named: object) -> str:
    """The code of a refusal."""
    with pytest.raises(Refused) as caught:
        call(*args, **named)  # type: ignore[operator]
    return caught.value.code.name


@pytest.mark.parametrize(
    "typed, key",
    [
        ("Maria", "maria"),
        ("  m.rossi ", "m.rossi"),
        ("ｍａｒｉａ", "maria"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("Jürgen", "jürgen"),
        ("İbrahim1", None),
        ("user+tag@example.org", "user+tag@example.org"),
        ("田中たろう", "田中たろう"),
        ("мария", "мария"),
        ("maria٣", "maria3"),
    ],
)
def test_username_key_is_one_form_of_a_name(typed: str, key: str | None) -> None:
    """Case, width and digits are folded; what folds to two scripts or marks is no name."""
    if key is None:
        assert refusal(rules.username_key, typed) == "username_invalid"
    else:
        assert rules.username_key(typed) == key


@pytest.mark.parametrize(
    "typed",
    [
        "m",
        "m" * 65,
        "",
        "m\u0430ria",  # Cyrillic
        "m\u03b1ria",  # Greek
        "\u0251lice",  # a phonetic letter
        "al\u0131ce",  # without its dot
        "al ice",
        "al\u200bice",
        "al\u202eice",
        "al\x00ice",
        "alice\ufe0f",
        "ali\u0363ce",
        "alice\U0001f600",
        "alice'--",
        "\u3164\u3164\u3164",
    ],
)
def test_username_key_refuses_look_alikes_and_hidden_characters(typed: str) -> None:
    """What could be mistaken for another name, or hides something, is an invalid character."""
    assert refusal(rules.username_key, typed) == "username_invalid"


@given(st.text(max_size=70))
def test_username_key_is_stable(typed: str) -> None:
    """A key's key is itself, whatever was typed; otherwise it is refused, never another error."""
    try:
        key = rules.username_key(typed)
    except Refused:
        return
    assert rules.username_key(key) == key
    assert rules.username_key(key.upper()) in {key, rules.username_key(key.upper())}


@pytest.mark.parametrize(
    "password, code",
    [
        ("seven77", "password_too_short"),
        ("x" * 7 + "é", "password_common"),
        ("y" * 129, "password_too_long"),
        ("Password1", "password_common"),
        ("QWERTYUIOP", "password_common"),
        ("aaaabbbb", "password_common"),
        ("m.rossi123", "password_common"),
    ],
)
def test_bad_password_is_refused_with_its_reason(password: str, code: str) -> None:
    """Too short, too long, or among the first that are guessed."""
    assert refusal(rules.demand_good_password, password, username="m.rossi") == code


@pytest.mark.parametrize(
    "password",
    [
        "four words are good",
        "z8#kQp2m",
        "\u043f\u0430\u0440\u043e\u043b\u044c \u0438\u0437 \u0441\u043b\u043e\u0432",
        "e" * 5 + "🦆🦆🦆abc",
    ],
)
def test_good_password_needs_no_kinds_of_characters(password: str) -> None:
    """Length is all that is asked of what is not on a list."""
    rules.demand_good_password(password, username="m.rossi")


def test_password_bytes_are_composed_and_whole() -> None:
    """Two ways to type é are one password; nothing is cut off at any length."""
    assert rules.password_bytes("cafe\u0301") == rules.password_bytes("caf\u00e9")
    long = "x" * 128
    assert rules.password_bytes(long + "a") != rules.password_bytes(long + "b")


def test_display_name_is_one_clean_line() -> None:
    """Control characters and line breaks never reach a page; the username stands in for none."""
    assert rules.display_name(" Maria\n Rossi\x00\u202e ", username="maria") == "Maria Rossi"
    assert rules.display_name("  ", username="maria") == "maria"


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("203.0.113.7", ("203.0.113.7/32",)),
        ("203.0.113.7/24\n 2001:db8::1/64", ("203.0.113.0/24", "2001:db8::/64")),
        ("10.0.0.1, 10.0.0.1;10.0.0.2", ("10.0.0.1/32", "10.0.0.2/32")),
        ("::ffff:203.0.113.7", ("203.0.113.7/32",)),
        ("", ()),
        ("203.0.113.256", None),
        ("10.0.0.0/33", None),
        ("office", None),
        (" ".join(f"10.0.{n}.0/24" for n in range(51)), None),
    ],
)
def test_networks_are_read_as_people_paste_them(typed: str, kept: tuple[str, ...] | None) -> None:
    """Lone addresses, bits beside the prefix and doubles are put right; others are named."""
    if kept is None:
        assert refusal(rules.networks_from, typed) == "network_invalid"
    else:
        assert rules.networks_from(typed) == kept


def test_nobody_locks_themselves_out() -> None:
    """A list without one's own address is refused; an empty one allows everything."""
    assert (
        refusal(rules.demand_not_locked_out, ("10.0.0.0/8",), "192.0.2.7")
        == "networks_lock_you_out"
    )
    rules.demand_not_locked_out(("10.0.0.0/8", "192.0.2.0/24"), "192.0.2.7")
    rules.demand_not_locked_out((), "192.0.2.7")


def test_what_matters_rests_until_its_moment() -> None:
    """Up to the millisecond."""
    assert not rules.cooling(None, now=5)
    assert rules.cooling(6, now=5)
    assert not rules.cooling(5, now=5)


@pytest.mark.parametrize(
    "typed, minute", [("", None), ("00:00", 0), ("06:30", 390), ("23:59", 1439), ("24:00", -1)]
)
def test_times_of_day_are_minutes(typed: str, minute: int | None) -> None:
    """As form fields write them, and back."""
    if minute == -1:
        assert refusal(rules.minute_from, typed) == "preference_invalid"
    else:
        assert rules.minute_from(typed) == minute
        assert rules.minute_written(minute) == typed


def at(text: str) -> int:
    """Milliseconds of a moment."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    "now, quiet",
    [
        ("2027-01-10T22:59:00+01:00", False),
        ("2027-01-10T23:00:00+01:00", True),
        ("2027-01-11T06:59:59+01:00", True),
        ("2027-01-11T07:00:00+01:00", False),
    ],
)
def test_quiet_hours_span_midnight(now: str, quiet: bool) -> None:  # noqa: FBT001
    """From 23:00 to 7:00 on the clocks of the account's zone."""
    assert rules.quiet(23 * 60, 7 * 60, "Europe/Rome", now=at(now)) is quiet
    assert not rules.quiet(None, None, "Europe/Rome", now=at(now))
    assert not rules.quiet(60, 60, "Europe/Rome", now=at(now))


@pytest.mark.parametrize(
    "zone, now, ends",
    [
        ("Europe/Rome", "2027-01-10T09:00:00+01:00", "2027-01-11T06:30:00+01:00"),
        # Within the last hour before it, the next day's counts: never a session of minutes.
        ("Europe/Rome", "2027-01-11T05:31:00+01:00", "2027-01-12T05:31:00+01:00"),
        ("Asia/Tokyo", "2027-01-10T09:00:00+09:00", "2027-01-11T06:30:00+09:00"),
        (None, "2027-01-10T09:00:00+00:00", "2027-01-11T06:30:00+00:00"),
        ("No/Where", "2027-01-10T09:00:00+00:00", "2027-01-11T06:30:00+00:00"),
        # Over the night in which clocks are put forward.
        ("Europe/Rome", "2027-03-27T09:00:00+01:00", "2027-03-28T06:30:00+02:00"),
    ],
)
def test_sessions_end_at_the_hour_of_renewal(zone: str | None, now: str, ends: str) -> None:
    """On the clocks of the account's zone, and never later than sessions end anyway."""
    longest = at(now) + 24 * 3_600_000
    renewed = rules.session_ends(longest, renew_at=6 * 60 + 30, timezone=zone, now=at(now))
    assert renewed == at(ends)
    assert rules.session_ends(longest, renew_at=None, timezone=zone, now=at(now)) == longest


@given(
    minute=st.integers(0, 1439),
    now=st.integers(1_700_000_000_000, 2_000_000_000_000),
    zone=st.sampled_from(
        ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
    ),
)
def test_a_session_is_never_short_nor_longer_than_all(minute: int, now: int, zone: str) -> None:
    """Whatever the hour, the zone and the day."""
    longest = now + 24 * 3_600_000
    ends = rules.session_ends(longest, renew_at=minute, timezone=zone, now=now)
    assert now + rules.SHORTEST_SESSION_MS < ends <= longest
