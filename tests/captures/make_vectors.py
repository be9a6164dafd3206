"""Answers the cases of spec/vectors/captures*.json: `python -m tests.captures.make_vectors`.

A new case is written into those files by hand, without answer. What is filled in is what our own
code says, so a case is true only once somebody has read it. What holds for every capture, whoever
wrote the answers, is in test_properties.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.captures.operations import OPERATIONS
from vestibule.captures import CaptureRefused

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"
FILES = ("captures", "captures_texts")

Case = dict[str, Any]


def path_of(name: str) -> Path:
    """Where a file of vectors stands."""
    return FOLDER / f"{name}.json"


def cases_of(name: str) -> list[Case]:
    """The cases of a file."""
    cases: list[Case] = json.loads(path_of(name).read_text(encoding="ascii"))["cases"]
    return cases


def answered(case: Case) -> Case:
    """What comes out of a case, or the code of the refusal."""
    try:
        return {"ok": OPERATIONS[case["operation"]](case["input"])}
    except CaptureRefused as refused:
        return {"error": refused.code}


def main() -> int:
    """Write all answers."""
    for name in FILES:
        content = json.loads(path_of(name).read_text(encoding="ascii"))
        content["cases"] = [
            {key: case[key] for key in ("name", "operation", "input")} | answered(case)
            for case in content["cases"]
        ]
        path_of(name).write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")
        sys.stdout.write(f"{name}.json: {len(content['cases'])} cases\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
