"""Every case of spec/vectors/captures*.json, through the Python implementation."""

from __future__ import annotations

import json

import pytest

from tests.captures.make_vectors import FILES, Case, answered, cases_of
from tests.captures.operations import OPERATIONS
from vestibule.captures import sanitise

CASES = [(name, case) for name in FILES for case in cases_of(name)]
SAFE = [case for case in cases_of("captures") if "ok" in case]


@pytest.mark.parametrize("file, case", CASES, ids=[f"{f}-{case['name']}" for f, case in CASES])
def test_case_answers_as_written(file: str, case: Case) -> None:
    """The implementation gives what the vector says, or refuses with its code."""
    written = {key: case[key] for key in ("ok", "error") if key in case}
    assert answered(case) == written, file


def test_vectors_use_every_operation() -> None:
    """No operation is written for nothing, and the cases are many."""
    used = {case["operation"] for _, case in CASES}
    assert used == OPERATIONS.keys()
    assert len(CASES) > 500


def test_vectors_have_names_of_their_own() -> None:
    """A failing case can be found by its name."""
    for name in FILES:
        names = [(case["operation"], case["name"]) for case in cases_of(name)]
        assert [one for one in names if names.count(one) > 1] == []


@pytest.mark.parametrize("case", SAFE, ids=[case["name"] for case in SAFE])
def test_safe_capture_stays_as_it_is(case: Case) -> None:
    """Twice is once: what a vector says to come out comes out of itself, and is called safe."""
    safe = case["ok"]["text"].encode("ascii")
    pieces = iter([safe])
    out: list[bytes] = []
    report = sanitise(lambda _most: next(pieces, b""), out.append)
    assert b"".join(out) == safe
    assert report.already_safe
    assert json.loads(safe)["log"]["entries"] is not None
