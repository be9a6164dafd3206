"""Names, kinds and moves of attachments, and what the viewer makes of a list: pure decisions."""

import itertools
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, strategies as st

from vestibule.base.errors import Refused
from vestibule.support.rules.attachments import (
    HEAD,
    IMAGES,
    MEDIA_UNKNOWN,
    MOVES,
    NAME_MOST,
    Event,
    State,
    capture_name,
    clean_name,
    demand_harmless,
    is_capture,
    media_of,
    move,
    names_log,
)
from vestibule.support.rules.recordings import (
    Listed,
    Marks,
    Order,
    Piece,
    Type,
    asked_from,
    page_of,
    phases_of,
    pieces_of,
    type_of,
)

HAR = b'{"log": {"version": "1.2", "entries": []}}'
KNOWN = ("token", "cookie", "jwt", "url-user")


def line(number: int, **more: Any) -> Listed:
    """One request in a list."""
    values: dict[str, Any] = {
        "number": number,
        "offset": 0,
        "length": 10,
        "started": 1000.0 * number,
        "ms": 10.0,
        "method": "GET",
        "url": "https://a.example/",
        "status": 200,
        "mime": "text/html",
        "size": 5,
        "error": "",
        "host": "a.example",
    }
    return Listed(**(values | more))


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed, name",
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.txt", "a b.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("line\r\nbreak.txt", "line break.txt"),
        ('a<b>"c"|d?e*f:g.txt', "a_b__c__d_e_f_g.txt"),
        ("", "file"),
        ("...", "file"),
        ("\x00\x1f\u200b", "file"),
        ("CON.txt", "_CON.txt"),
        ("con", "_con"),
        ("  spaced   out  ", "spaced out"),
        ("x" * 300 + ".har", "x" * (NAME_MOST - 4) + ".har"),
        ("résumé 日本.txt", "résumé 日本.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("\ud800.txt", "_.txt"),
    ],
)
def test_name_is_one_plain_line(typed: str, name: str) -> None:
    """Folders, marks that turn text round, line ends and what file systems forbid are gone."""
    assert clean_name(typed) == name


@given(st.text(max_size=400))
def test_any_name_becomes_a_lawful_one(typed: str) -> None:
    """Bounded, visible, no path; cleaning it again changes nothing."""
    name = clean_name(typed)
    assert 1 <= len(name) <= NAME_MOST + 1
    assert not set(name) & set('/\\<>:"|?*\r\n\t\0')
    assert not any(unicodedata.category(one)[0] == "C" for one in name)
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "name", ["a.har", "a.HAR", "a.har.gz", "a.json", "a", "a.safe.har", "a.safe.har.gz"]
)
def test_recording_is_saved_under_a_name_that_says_it_is_safe(name: str) -> None:
    """Whatever it was called, and once only."""
    assert capture_name(name) == "a.safe.har"


# --- kinds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head, media",
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", MEDIA_UNKNOWN),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", MEDIA_UNKNOWN),
        (b"<!doctype html>", MEDIA_UNKNOWN),
        (b"\x89PNG", MEDIA_UNKNOWN),
        (b"", MEDIA_UNKNOWN),
    ],
)
def test_picture_is_what_its_first_bytes_prove(head: bytes, media: str) -> None:
    """Of a few kinds that hold no script; a document never is one."""
    assert media_of(head) == media
    assert "image/svg+xml" not in IMAGES


@pytest.mark.parametrize(
    "name, head",
    [
        ("a.exe", b"text"),
        ("a.EXE", b"text"),
        ("photo.png.scr", b"\x89PNG\r\n\x1a\n"),
        ("a.txt", b"MZ\x90"),
        ("a", b"\x7fELF\x02"),
        ("a", b"\xca\xfe\xba\xbe"),
        ("a.lnk", b""),
        ("a.url", b"[InternetShortcut]"),
    ],
)
def test_program_is_refused_by_name_or_by_content(name: str, head: bytes) -> None:
    """Either suffices."""
    with pytest.raises(Refused, match="attachment_type"):
        demand_harmless(name, head)


@pytest.mark.parametrize(
    "name", ["a.txt", "exe", "notes.exe.txt", "a.pdf", "archive.zip", "a.html"]
)
def test_document_is_not_taken_for_a_program(name: str) -> None:
    """What clients do attach passes."""
    demand_harmless(name, b"hello")


@pytest.mark.parametrize(
    "name, head",
    [
        ("a.har", b"anything"),
        ("A.HAR", b""),
        ("a.har.gz", b"\x1f\x8b"),
        ("a.txt", HAR),
        ("a.txt", b"\xef\xbb\xbf" + HAR),
        ("a.txt", b" \r\n\t" + HAR),
        ("a.txt", b'{"\\u006cog" : {"entries": []}}'),
        ("a.txt", b'{"log":{}}'),
        ("a.txt", b'{"log":'),
        ("a.txt", HAR.decode().encode("utf-16")),
        ("a.txt", HAR.decode().encode("utf-16-le")),
        ("a.txt", HAR.decode().encode("utf-16-be")),
        ("a.txt", HAR.decode().encode("utf-32")),
        ("a.txt", b'{"before":[1,2],' + HAR[1:]),
        ("a.zip", b"PK\x03\x04" + bytes(22) + b"\x05\x00\x00\x00x.HAR"),
        ("a.txt", b" " * HEAD),
    ],
)
def test_recording_is_known_by_name_or_by_content(name: str, head: bytes) -> None:
    """In any coding, with its member written in any way: what may be one counts as one."""
    assert is_capture(name, head)


@pytest.mark.parametrize(
    "name, head",
    [
        ("a.txt", b"hello"),
        ("a.json", b'{"error": {"code": 5}}'),
        ("a.json", b'{"log": "a line"}'),
        ("a.json", b'{"log": {"level": "info"}}'),
        ("a.json", b"[" + HAR + b"]"),
        ("a.zip", b"PK\x03\x04" + bytes(22) + b"\x05\x00\x00\x00x.txt"),
        ("har.txt", b"about .har files"),
        ("a.txt", b" "),
        ("a.gz", b"\x1f\x8b"),
    ],
)
def test_other_files_are_no_recordings(name: str, head: bytes) -> None:
    """Logs and answers in JSON are attached as they are."""
    assert not is_capture(name, head)


def test_recording_packed_with_gzip_is_known_by_what_is_inside() -> None:
    """Its own name need not say so."""
    assert is_capture("a.gz", b"\x1f\x8b....", HAR)
    assert not is_capture("a.gz", b"\x1f\x8b....", b"hello")


@given(st.lists(st.sampled_from(["version", "creator", "browser", "pages", "entries"]), min_size=1))
def test_recording_is_known_whatever_its_first_member(names: list[str]) -> None:
    """The order of members means nothing in JSON."""
    text = json.dumps({"log": {name: [] for name in names}})
    assert names_log(text.encode())


# --- moves ------------------------------------------------------------------------------------


def test_nothing_that_is_gone_comes_back() -> None:
    """Every state and event: the table, or a refusal."""
    for state, event in itertools.product(State, Event):
        if (state, event) in MOVES:
            assert move(state, event) is MOVES[state, event]
        else:
            with pytest.raises(Refused, match="attachment_unknown"):
                move(state, event)
    assert not any(state in (State.REMOVED, State.GONE) for state, _ in MOVES)


# --- the viewer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mime, kind",
    [
        ("text/html; charset=utf-8", Type.DOCUMENT),
        ("application/json", Type.DATA),
        ("application/problem+json", Type.DATA),
        ("text/javascript", Type.SCRIPT),
        ("text/css", Type.STYLE),
        ("IMAGE/PNG", Type.IMAGE),
        ("image/svg+xml", Type.IMAGE),
        ("font/woff2", Type.FONT),
        ("video/mp4", Type.MEDIA),
        ("", Type.OTHER),
        ("x-unknown", Type.OTHER),
    ],
)
def test_kind_of_a_request_is_told_by_its_media_type(mime: str, kind: Type) -> None:
    """Roughly, as people sort them who look for trouble."""
    assert type_of(mime) is kind


def test_failures_come_first_each_part_in_its_time() -> None:
    """No answer, a refusal and what the browser gave up are failures."""
    entries = [
        line(1),
        line(2, status=404),
        line(3, status=0),
        line(4, error="net::ERR_ABORTED"),
        line(5, status=302),
    ]
    page = page_of(
        entries, asked_from(order="", host="", type="", group="", find="", page=""), most=10
    )
    assert [one.one.number for one in page.lines] == [2, 3, 4, 1, 5]
    assert page.failed == 3


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e15), st.floats(0, 1e9), st.sampled_from([0, 200, 404]), st.integers(0, 9)
        ),
        max_size=60,
    ),
    st.sampled_from(list(Order)),
    st.integers(-1, 9),
)
def test_every_request_is_on_exactly_one_page_and_its_bar_within_the_drawing(
    told: list[tuple[float, float, int, int]], order: Order, most: int
) -> None:
    """Whatever times a recording claims."""
    most = max(1, most)
    entries = [
        line(number, started=start, ms=ms, status=status, size=size)
        for number, (start, ms, status, size) in enumerate(told, 1)
    ]
    seen: list[int] = []
    number, pages = 1, 1
    while number <= pages:
        wanted = asked_from(
            order=order.value, host="", type="", group="", find="", page=str(number)
        )
        page = page_of(entries, wanted, most=most)
        pages, number = page.pages, number + 1
        seen += [one.one.number for one in page.lines]
        for one in page.lines:
            assert 0 <= one.bar.start <= 100
            assert 0 < one.bar.width <= 100
            assert one.bar.start + one.bar.width <= 100.02
    assert sorted(seen) == list(range(1, len(told) + 1))


def test_time_of_encryption_is_told_once() -> None:
    """HAR counts it within connecting; what did not happen is -1, and nonsense is nothing."""
    told = {"blocked": -1, "dns": 2, "connect": 10, "ssl": 6, "send": 0, "wait": "x", "receive": 2}
    phases = phases_of(told)
    assert [(one.name, one.ms) for one in phases] == [
        ("dns", 2.0),
        ("connect", 4.0),
        ("ssl", 6.0),
        ("receive", 2.0),
    ]
    assert phases_of(None) == ()
    assert phases_of({"wait": -1}) == ()


def test_marks_are_named_in_their_place() -> None:
    """With what may be told; what only looks like one is text."""
    text = "a=~removed.token~&b=~removed.cookie.28~; ~removed.jwt.9.RS256.iss-sub~ ~removed.zzz~"
    assert pieces_of(text, KNOWN) == [
        Piece("a="),
        Piece("", "token"),
        Piece("&b="),
        Piece("", "cookie", 28),
        Piece("; "),
        Piece("RS256.iss-sub", "jwt", 9),
        Piece(" ~removed.zzz~"),
    ]


@given(st.lists(st.sampled_from(["~removed.token~", "~removed.url-user~", "x", "~", "~removed."])))
def test_marks_are_counted_once_wherever_the_bytes_are_cut(parts: list[str]) -> None:
    """A mark may lie across two pieces, and be counted by neither twice."""
    text = "".join(parts)
    whole = Marks()
    whole.see(text.encode())
    for size in (1, 2, 7, 16):
        cut = Marks()
        for start in range(0, len(text), size):
            cut.see(text[start : start + size].encode())
        assert cut.counted(KNOWN) == whole.counted(KNOWN)
    assert whole.counted(KNOWN).get("token", 0) >= parts.count("~removed.token~")
