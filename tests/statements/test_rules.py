"""Names, periods and kinds, and what publishing one again means."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from vestibule.base.errors import Refused
from vestibule.statements import rules
from vestibule.statements.rules import Kind, Presence, State

DIGEST, OTHER = b"a" * 32, b"b" * 32


def refused(code: str) -> "pytest.RaisesExc[Refused]":
    """Expects a refusal of this code."""
    return pytest.RaisesExc(Refused, check=lambda fault: fault.code.name == code)


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-22.pdf",
        "U1234567_Activity 2026-11.csv",
        "Año 2026-11.pdf",
        "報告-2026-11-22.csv",
        "تقرير 2026-11-22.pdf",
        "a",
        "console.txt",
        "com10.csv",
        "3 (copy) [final], ‘quoted’ & more = 100%.pdf",
        "x" * 120,
    ],
)
def test_an_ordinary_name_is_kept(name: str) -> None:
    """Letters and digits of any script, spaces and most signs."""
    assert rules.name_from(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-rf",
        "_x",
        " x",
        "~x",
        "a/b",
        "a\\b",
        "../x",
        "a:b",
        "a*",
        "a?",
        'a"b',
        "a<b",
        "a|b",
        "a\0b",
        "a\nb",
        "a\x1b[31mb",
        "a\u007fb",
        "a\u0085b",
        "a\u202efdp.exe",
        "a\u2066b",
        "a\u200bb",
        "a\u200db",
        "a\ufeffb",
        "a\u2028b",
        "a\u00a0b",
        "a\u3000b",
        "a\ud800b",
        "a\ue000b",
        "a\ufffeb",
        "a.",
        "a ",
        "con",
        "CON.pdf",
        "Aux.tar.gz",
        "nul .txt",
        "com1",
        "COM\u00b9.csv",
        "lpt0.x",
        "CONIN$",
        "x.pgp",
        "x.PGP",
        "x.\uff30\uff27\uff30",
        "x" * 121,
        "報" * 61,
        "x" * 10_000_000,
    ],
)
def test_a_name_that_some_machine_cannot_keep_is_refused(name: str) -> None:
    """Separators, devices, invisible and misleading characters, and what is too long."""
    with refused("statement_name"):
        rules.name_from(name)


def test_a_name_is_kept_in_one_form() -> None:
    """Composed and decomposed letters are one name."""
    assert rules.name_from("Ano\u0303.pdf") == "An\u00f5.pdf"


@pytest.mark.parametrize(
    "one, other",
    [("Report.PDF", "rEPORT.pdf"), ("STRASSE.csv", "straße.csv"), ("\uff21.csv", "a.csv")],
)
def test_names_that_some_machine_cannot_tell_apart_are_one(one: str, other: str) -> None:
    """Capitals and widths make no other name."""
    assert rules.name_key(one) == rules.name_key(other)


@given(st.text(min_size=1, max_size=130))
def test_a_name_that_is_kept_is_safe_anywhere(name: str) -> None:
    """Whatever is sent: what is accepted is one path component, printable, stable and short."""
    try:
        kept = rules.name_from(name)
    except Refused:
        return
    assert rules.name_from(kept) == kept == unicodedata.normalize("NFC", name)
    assert len(kept.encode()) <= 180
    assert not set(kept) & set('/\\:*?"<>|\0')
    assert kept[0] not in ".-~ "
    assert kept[-1] not in ". "
    assert all(character == " " or character.isprintable() for character in kept)


@pytest.mark.parametrize(
    "kind, period, name, expected",
    [
        (Kind.DAILY, "2026-11-22", "x", "2026-11-22"),
        (Kind.MONTHLY, "2026-11", "2020-01", "2026-11"),
        (Kind.DAILY, "", "2026-11-22.pdf", "2026-11-22"),
        (Kind.TRADE, "", "trades_20261122_eur.csv", "2026-11-22"),
        (Kind.DAILY, "", "U20261122x 2026-11-22", "2026-11-22"),
        (Kind.DAILY, "", "20269922 then 20240229", "2024-02-29"),
        (Kind.MONTHLY, "", "2026-11.pdf", "2026-11"),
        (Kind.MONTHLY, "", "m202611.pdf", "2026-11"),
        (Kind.MONTHLY, "", "2026-11-30.pdf", "2026-11"),
        (Kind.MONTHLY, "", "x20261130y", "2026-11"),
    ],
)
def test_a_period_is_stated_or_stands_in_the_name(
    kind: Kind, period: str, name: str, expected: str
) -> None:
    """What is stated counts; else the first date of the calendar in the name."""
    assert rules.period_from(kind, period, name=name) == expected


@pytest.mark.parametrize(
    "kind, period, name",
    [
        (Kind.DAILY, "2026-11", "2026-11-22"),
        (Kind.DAILY, "2026-02-29", "2026-11-22"),
        (Kind.DAILY, "22.11.2026", "2026-11-22"),
        (Kind.DAILY, "2026-11-22 ", "x"),
        (Kind.DAILY, "٢٠٢٦-١١-٢٢", "x"),
        (Kind.MONTHLY, "2026-11-22", "x"),
        (Kind.MONTHLY, "2026-13", "x"),
        (Kind.DAILY, "", "no date"),
        (Kind.DAILY, "", "2026-11.pdf"),
        (Kind.DAILY, "", "120261122"),
        (Kind.DAILY, "", "202611220"),
        (Kind.DAILY, "", "2026-1122"),
        (Kind.MONTHLY, "", "2026-1.pdf"),
        (Kind.DAILY, "", "00000101"),
    ],
)
def test_a_period_that_is_none_is_refused(kind: Kind, period: str, name: str) -> None:
    """A date that the calendar does not have, the other kind's form, or none at all."""
    with refused("statement_period"):
        rules.period_from(kind, period, name=name)


def test_kinds_are_three() -> None:
    """By their exact names."""
    assert [rules.kind_from(kind) for kind in ("daily", "monthly", "trade")] == list(Kind)
    for other in ("", "Daily", "yearly", "daily "):
        with refused("statement_kind"):
            rules.kind_from(other)


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("application/pdf", "application/pdf"),
        ("Text/CSV; charset=utf-8", "text/csv"),
        ("", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("text/html\r\nX: y", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
    ],
)
def test_a_media_type_is_one_or_unknown(typed: str, kept: str) -> None:
    """It goes into a header later: nothing but two words and a slash."""
    assert rules.media_from(typed) == kept


@pytest.mark.parametrize("replace", [False, True])
def test_publishing_is_judged_by_what_is_there(*, replace: bool) -> None:
    """Nothing: new. The same: the same, also with replace. Another: only with replace."""
    assert rules.judge(None, (DIGEST, 1), replace=replace) is State.NEW
    assert rules.judge((DIGEST, 1), (DIGEST, 1), replace=replace) is State.SAME
    if replace:
        assert rules.judge((OTHER, 1), (DIGEST, 1), replace=True) is State.REPLACED
    else:
        with refused("statement_differs"):
            rules.judge((OTHER, 1), (DIGEST, 1), replace=False)


def test_presence_is_told_by_the_digest() -> None:
    """Absent, the same, or another."""
    assert rules.presence(None, DIGEST) is Presence.ABSENT
    assert rules.presence(DIGEST, DIGEST) is Presence.SAME
    assert rules.presence(OTHER, DIGEST) is Presence.DIFFERS


def test_a_statement_larger_than_the_setting_is_refused() -> None:
    """To the byte."""
    rules.demand_size(5 << 20, most_mib=5)
    with refused("statement_too_large"):
        rules.demand_size((5 << 20) + 1, most_mib=5)


@pytest.mark.parametrize("name", ["reports", "A.b-c_9", "x" * 40])
def test_a_publishers_name_is_a_word(name: str) -> None:
    """Letters, digits, dots, dashes and underscores."""
    assert rules.publisher_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", "x" * 41, "a b", "é", "a/b", "a\n"])
def test_a_publishers_name_of_anything_else_is_refused(name: str) -> None:
    """It stands in logs and events."""
    with refused("publisher_name_invalid"):
        rules.publisher_name(f"{name}/")
