"""How the command line talks: two streams, one clear line for what went wrong, and a next step."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from vestibule.base.errors import Fault, Unavailable
from vestibule.base.i18n import DEFAULT, catalogue, spoken, t
from vestibule.base.reaching import PREFIX
from vestibule.base.sealing import KeysRefused
from vestibule.base.settings import Settings, SettingsRefused, load
from vestibule.client.errors import ClientFault, Refused as PhoneRefused, Unreachable
from vestibule.protocol.errors import ProtocolFault

REFUSED, USAGE, MISSING, INTERRUPTED = 1, 2, 3, 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

T = TypeVar("T")

# Codes that no server answers with: they are about what was typed or scanned here.
_TYPED = {
    "pin_characters": "A PIN has no spaces and no control characters.",
    "pin_short": "That PIN is too short.",
    "pin_long": "That PIN is too long.",
    "pin_repeated": "That PIN is one character repeated.",
    "pin_sequence": "That PIN is a run like 1234.",
    "pin_year": "That PIN is a year.",
    "pin_pattern": "That PIN is a pattern repeated, like 1212.",
    "pin_name": "That PIN is part of the account's name.",
    "link_foreign": "That is no activation link.",
    "link_version": "That link is of another version of Vestibule.",
    "link_malformed": "That activation link is damaged.",
    "server_foreign": "That server is not the one that the link was made by.",
    "suite_unsupported": "The portal asks for a kind of response that is not known here.",
}
_TYPED_NEXT = {
    "pin": "Choose another one: 4 to 6 letters, digits or signs that nobody would guess.",
    "server": "Do not go on. Sign in to the portal again and use the link that it shows then.",
    "suite": "Update this program.",
    "link": "Copy the whole link from the portal's page, or type the code below it.",
}


class StoppedError(Exception):
    """The command cannot go on. `advice` is the next step, `code` the exit code."""

    def __init__(self, message: str, advice: str = "", *, code: int = REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code


def typer_app() -> typer.Typer:
    """A group of verbs in the house's style."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; what went wrong is one line and a next step."""
    try:
        command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else REFUSED
    except KeyboardInterrupt:
        err.print("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has read enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        stopped = explain(error)
        if stopped is None:
            raise
        err.print(f"[bold red]vestibule:[/] {escape(stopped.message)}")
        if stopped.advice:
            err.print(escape(stopped.advice))
        return stopped.code
    return 0


def explain(error: Exception) -> StoppedError | None:
    """Turn what this project raises into words; None for what should never happen."""
    if isinstance(error, StoppedError):
        return error
    if isinstance(error, SettingsRefused):
        return StoppedError(str(error), "`vestibule settings list` shows them all.", code=MISSING)
    if isinstance(error, KeysRefused):
        return StoppedError(str(error), code=MISSING)
    if isinstance(error, Fault):
        code = MISSING if isinstance(error, Unavailable) else REFUSED
        return StoppedError(*_of_code(error.code.name, error.facts), code=code)
    if isinstance(error, ProtocolFault):
        return StoppedError(*_of_code(error.code, {}))
    if isinstance(error, PhoneRefused):
        title, advice = _of_code(error.code, _plain(error.facts))
        return StoppedError(str(error) if title == error.code else title, error.next or advice)
    if isinstance(error, ClientFault):
        return StoppedError(str(error), code=MISSING if isinstance(error, Unreachable) else REFUSED)
    return None


def _of_code(code: str, facts: dict[str, str | int]) -> tuple[str, str]:
    if code in _TYPED:
        return _TYPED[code], _TYPED_NEXT[code.partition("_")[0]]
    if f"error.{code}.title" in catalogue("en"):
        told = spoken(facts, DEFAULT)
        said = [t(f"error.{code}.{part}", **told) for part in ("title", "cause", "next")]
        return f"{said[0]}. {said[1]}", said[2]
    return code, ""


def _plain(facts: dict[str, object]) -> dict[str, str | int]:
    return {name: value for name, value in facts.items() if isinstance(value, str | int)}


def settings(**given: str | int | None) -> Settings:
    """Read the settings. An option that was given stands for its environment variable."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"{PREFIX}{name}".upper()] = str(value)
    return load()


def ask_secret(prompt: str, *, from_stdin: bool, flag: str, twice: bool = False) -> str:
    """Ask for a password or a PIN without showing it, or read one line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise StoppedError(
            f"{prompt} cannot be asked for: this is no terminal.",
            f"Send it on standard input with {flag}.",
            code=USAGE,
        )
    secret: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return secret


def confirm(question: str, *, yes: bool) -> None:
    """Ask before doing what cannot be undone; `yes` answers beforehand."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise StoppedError(question, "Answer beforehand with --yes.", code=USAGE)
    if not typer.confirm(question, err=True):
        raise StoppedError("Nothing was changed.")
