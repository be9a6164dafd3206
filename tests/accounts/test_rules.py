"""Usernames fold to one form, look-alikes are refused, and passwords are judged by length."""

import pytest
from hypothesis import given, strategies as st

from vestibule.accounts import rules
from vestibule.base.errors import Refused


def refusal(call: object, *args: str, **named: str) -> str:
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
