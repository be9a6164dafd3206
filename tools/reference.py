"""Write the reference documents from the program itself: `make docs`.

What the program already says of its settings is said once, so the document cannot drift;
tests/test_docs.py compares.
"""

import json
import sys
from enum import Enum
from pathlib import Path

import typer
from pydantic.fields import FieldInfo
from typer.cli import get_docs_for_click

from vestibule import cli
from vestibule.base.errors import CODES
from vestibule.base.i18n import catalogue
from vestibule.base.reaching import PREFIX
from vestibule.base.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = """\
# Settings

<!-- Written by `make docs` from src/vestibule/base/settings.py; change it there. -->

Read once, at the start. The first source that speaks wins:

1. environment variables, `VESTIBULE_` and the name in capitals;
2. secret files, named like the settings, in the folder that `VESTIBULE_SECRETS` names;
3. a TOML file: the one that `VESTIBULE_CONFIG` names, else `vestibule.toml` where the program
   is started.

A name that is not in this table is refused, and so is a value outside of its limits. In the
environment, lists and tables are JSON; host names may also be words with spaces between.
"""

ERRORS = """\
# Errors

<!-- Written by `make docs` from src/vestibule/base/locale/en/error.json; change it there. -->

Whatever goes wrong has a code that does not change. A page shows what happened, why it may be
and what to do now, with a reference that the log has too. A program gets the same as
`application/problem+json` (RFC 9457) with the members `status`, `code`, `title`, `detail`, `next`
and `reference`. In the texts below, `{words}` in braces are filled in.
"""

COMMANDS = """\
# Commands

<!-- Written by `make docs` from src/vestibule/cli; change it there. -->

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 something is missing or cannot be reached,
130 interrupted.
"""


def default(field: FieldInfo) -> str:
    """How the default reads in a document."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Enum):
        value = value.value
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{json.dumps(value)}`" if isinstance(value, bool) else f"`{value}`"


def limits(field: FieldInfo) -> str:
    """The range of a number, empty where there is none."""
    bounds = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    if not bounds:
        return ""
    low, high = bounds.get("ge"), bounds.get("le")
    return f", {low} to {high}" if high is not None else f", at least {low}"


def settings() -> str:
    """A heading for every setting."""
    parts = [SETTINGS]
    for name, field in Settings.in_order():
        variable = f"{PREFIX}{name}".upper()
        parts.append(
            f"\n## `{name}`\n\n{field.description}\n\n"
            f"`{variable}`, default {default(field)}{limits(field)}.\n"
        )
    return "".join(parts)


def errors() -> str:
    """A heading for every code."""
    texts = catalogue("en")
    parts = [ERRORS]
    for name, code in CODES.items():
        said = [texts[key].rstrip(".") for key in (code.title, code.cause, code.next)]
        parts.append(
            f"\n## `{name}`\n\n{said[0]}. Status {code.status}.\n\n"
            f"- Why: {said[1]}.\n- What to do: {said[2]}.\n"
        )
    return "".join(parts)


def commands() -> str:
    """A heading for every verb of the command line."""
    parts = [COMMANDS]
    for verb in cli.VERBS:
        command = typer.main.get_group(cli.build([verb])).commands[verb]
        asked = typer.Context(command)
        text = get_docs_for_click(
            obj=command, ctx=asked, indent=1, name=verb, call_prefix="vestibule"
        )
        parts.append(text.strip())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def documents() -> dict[Path, str]:
    """Every generated document and what it has to say."""
    docs = ROOT / "docs"
    return {
        docs / "operate" / "commands.md": commands(),
        docs / "operate" / "settings.md": settings(),
        docs / "use" / "errors.md": errors(),
    }


def main() -> int:
    """Write them all."""
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
