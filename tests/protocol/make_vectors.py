"""Writes spec/vectors/*.json from fixed seeds: `python -m tests.protocol.make_vectors`.

The expected values come from our own code; test_oracles.py holds them against others'.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.protocol import vectors_of_bytes, vectors_of_calls, vectors_of_messages

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"


def files() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of every file, in memory."""
    for module in (vectors_of_bytes, vectors_of_calls, vectors_of_messages):
        for name, make in module.FILES.items():
            about, cases = make.__doc__ or "", list(make())
            yield name, {"about": about.strip(), "cases": cases}


def rendered(content: dict[str, Any]) -> str:
    """The text of a file: stable, and one that a difference can be read in."""
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def main() -> int:
    """Write all files."""
    for name, content in files():
        (FOLDER / f"{name}.json").write_text(rendered(content), encoding="ascii")
        sys.stdout.write(f"{name}.json: {len(content['cases'])} cases\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
