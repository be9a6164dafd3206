"""What holds for every capture: nothing planted is left, twice is once, the result is a HAR."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from tests.captures import planting
from vestibule.captures import CaptureRefused, Report, is_marker, sanitise, table, urls
from vestibule.captures.bodies import body, message
from vestibule.captures.headers import header

# Groups that no shape takes for words, as keys and tokens are made.
SECRETS = st.lists(
    st.from_regex("[A-Z][0-9][a-z][A-Z][0-9]", fullmatch=True), min_size=5, max_size=8
).map("".join)
DECORATIONS = st.sampled_from(planting.DECORATIONS)
# Letters that one of the readers along the way could take for something else.
ODD = st.text(
    st.one_of(
        st.sampled_from('~.&=?#/:;@"\\ \n\t%[]{}<>,-_019aZ\x00\x7f\u00e9\u2028\ufeff\U0001f600'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
MARKED = st.lists(
    st.one_of(
        st.sampled_from(["~removed.token~", "~removed.cookie.5~", "~removed.host~", "a", "1"]), ODD
    ),
    max_size=6,
).map("".join)  # fmt: skip
TEXTS = st.one_of(ODD, MARKED)


def safe(data: bytes) -> tuple[bytes, Report]:
    """A capture made safe."""
    out = io.BytesIO()
    report = sanitise(io.BytesIO(data).read, out.write)
    return out.getvalue(), report


@cache
def template() -> dict[str, Any]:
    """The capture into which secrets are put."""
    return planting.capture()


@cache
def places() -> tuple[planting.Path, ...]:
    """Every place of it."""
    return tuple(planting.leaves(template()))


def assert_har(data: bytes, like: Any) -> None:
    """Objects are objects, lists are lists, numbers are numbers, as in the capture it was."""
    made = json.loads(data)

    def compare(one: Any, other: Any, where: str) -> None:
        if isinstance(one, dict):
            assert isinstance(other, dict), where
            for name, inner in one.items():
                assert name in other, f"{where}.{name}"
                compare(inner, other[name], f"{where}.{name}")
        elif isinstance(one, list):
            assert isinstance(other, list), where
            assert len(one) == len(other), where
            for index, (mine, its) in enumerate(zip(one, other, strict=True)):
                compare(mine, its, f"{where}[{index}]")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            assert isinstance(other, int | float), where

    compare(made, like, "")
    for entry in made["log"]["entries"]:
        assert {"request", "response", "timings", "cache"} <= entry.keys()


# --- nothing that was planted is left ---------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data(), SECRETS, DECORATIONS)
def test_secret_is_gone_whatever_text_it_was_put_in(
    data: st.DataObject, secret: str, decoration: Any
) -> None:
    """In no field, in no spelling, not even half of it."""
    path = data.draw(st.sampled_from(places()))
    try:
        out, _ = safe(planting.planted(template(), path, decoration(secret)))
    except CaptureRefused as refused:
        # A text where a number belongs: the whole capture is refused, so nothing is left either.
        assert refused.code == "capture_not_har"  # noqa: PT017 - both ends are right
        return
    for spelling in planting.spellings(secret):
        assert spelling not in out
        assert spelling not in out.lower()
    assert safe(out)[0] == out


@pytest.mark.parametrize("decoration", planting.DECORATIONS)
def test_secret_is_gone_from_every_place_at_once(decoration: Any) -> None:
    """In the place of every text there is, under every header's name."""
    secret = "Q7zT0aX2kL8mP9wR4bY"
    made = planting.planted_everywhere(template(), decoration(secret))
    out, _ = safe(json.dumps(made).encode())
    assert not [one for one in planting.spellings(secret) if one in out]
    kept = planting.capture()
    for entry in kept["log"]["entries"]:
        for side in ("request", "response"):
            for one in entry[side]["headers"]:
                one["value"] = decoration(secret)
        entry["request"]["queryString"] = [{"name": decoration(secret), "value": "x"}]
        entry["request"]["cookies"] = [{"name": decoration(secret), "value": "x"}]
        entry["request"]["headers"].append({"name": decoration(secret), "value": "x"})
    out, _ = safe(json.dumps(kept).encode())
    assert not [one for one in planting.spellings(secret) if one in out]


def test_secret_is_gone_as_a_name_of_members() -> None:
    """A member that nobody knows is not kept, and neither is its name."""
    secret = "Q7zT0aX2kL8mP9wR4bY"
    made = planting.under_other_names(template(), secret)
    out, report = safe(json.dumps(made).encode())
    assert not [one for one in planting.spellings(secret) if one in out]
    assert report.removed["unknown"] > 100


def test_card_number_is_gone_from_every_number() -> None:
    """A number can be a secret too: what is longer than its field may be is replaced."""

    def with_cards(made: Any) -> Any:
        if isinstance(made, dict):
            return {name: with_cards(inner) for name, inner in made.items()}
        if isinstance(made, list):
            return [with_cards(inner) for inner in made]
        return 4111111111111111 if isinstance(made, int) and not isinstance(made, bool) else made

    out, _ = safe(json.dumps(with_cards(template())).encode())
    assert b"4111111111111111" not in out
    assert_har(out, template())


# --- twice is once, and the result is a HAR ---------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data(), TEXTS)
def test_twice_is_once_for_any_text_anywhere(data: st.DataObject, text: str) -> None:
    """Whatever stands anywhere: made safe again, the bytes are the same and nothing counts."""
    path = data.draw(st.sampled_from(places()))
    try:
        out, _ = safe(planting.planted(template(), path, text))
    except CaptureRefused:
        return
    again, report = safe(out)
    assert again == out
    assert report.already_safe
    assert_har(out, template())
    assert set(out) <= {0x0A, *range(0x20, 0x7F)}


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("https://~removed.host~.~removed.host~/")
@example("//~removed.url-user~@~removed.host~:80")
@example("~removed.path~:x")
def test_twice_is_once_for_any_address(text: str) -> None:
    """Addresses, hosts and parameters."""
    for judge in (urls.url, urls.host, lambda one, lost: urls.pairs(one, "form", lost)):
        once = judge(text, [])
        lost: list[str] = []
        assert judge(once, lost) == once
        assert lost == []


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.sampled_from(sorted(table.HEADERS)), TEXTS), TEXTS)
def test_twice_is_once_for_any_header(name: str, value: str) -> None:
    """Headers, with and without a rule."""
    once = header(name, value, [])
    lost: list[str] = []
    assert header(*once, lost) == once
    assert lost == []


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS,
              st.sampled_from(["ok", "2", "en"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(TEXTS, st.sampled_from(["page", "status", "localStorage", "otp"])),
            inner, max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(JSON.map(json.dumps), TEXTS),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/html", "",
                     "multipart/form-data", "text/plain"]),
)  # fmt: skip
def test_twice_is_once_for_any_body(text: str, kind: str) -> None:
    """Bodies and messages; what was JSON is JSON still."""
    for judge in (lambda one, lost: body(one, kind, lost), message):
        once = judge(text, [])
        lost: list[str] = []
        assert judge(once, lost) == once
        assert lost == []
        if not is_marker(once) and once and once[0] in "[{":
            json.loads(once)


def test_timings_sizes_and_statuses_are_unchanged() -> None:
    """What support needs is there to the last digit."""
    made = template()
    entry = made["log"]["entries"][0]
    entry["time"] = 123.45600000000013
    entry["startedDateTime"] = "2026-11-23T04:16:55.123Z"
    entry["response"]["status"] = 503
    entry["response"]["content"]["size"] = 123456
    out, _ = safe(json.dumps(made).encode())
    kept = json.loads(out)["log"]["entries"][0]
    assert kept["time"] == 123.45600000000013
    assert kept["startedDateTime"] == entry["startedDateTime"]
    assert kept["timings"].items() <= entry["timings"].items()
    assert kept["response"]["status"] == 503
    assert kept["response"]["content"]["size"] == 123456
