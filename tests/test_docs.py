"""The documents say what the program does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import reference
from vestibule.base.i18n import catalogue

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "vestibule"
EVENT = re.compile(
    r"(?:account|codes|contact|delivery|enrollment|factor"
    r"|login|pass|session|staff|ticket)\.[a-z_]+"
)


def headings(path: Path) -> set[str]:
    """What a document's headings name in code type."""
    return set(re.findall(r"^#{2,} `([^`]+)`", path.read_text(), re.MULTILINE))


def events() -> Iterator[str]:
    """Every name of an audit event that the program writes out."""
    texts = catalogue("en")
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and EVENT.fullmatch(text) and text not in texts:
                yield text


@pytest.mark.parametrize("path", list(reference.documents()), ids=lambda path: path.name)
def test_reference_is_what_the_program_says(path: Path) -> None:
    """Settings, errors and commands are documented as they are: `make docs` writes them."""
    assert path.read_text() == reference.documents()[path]


def test_events_are_all_documented() -> None:
    """An operator can look up each name that stands in the audit journal."""
    documented = headings(ROOT / "docs" / "operate" / "events.md")
    written = set(events())
    assert len(written) > 20
    assert written - documented == set()


def test_documented_events_all_exist() -> None:
    """The list of events holds none that is never written."""
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    listed = headings(ROOT / "docs" / "operate" / "events.md")
    assert [name for name in listed if name.split(".")[1] not in source] == []
