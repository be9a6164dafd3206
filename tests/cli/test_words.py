"""What the command says: help, refusals with a next step, exit codes."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from vestibule import __version__
from vestibule.base.errors import Refused, Unavailable
from vestibule.cli import VERBS, terminal
from vestibule.client import errors as client
from vestibule.protocol import errors as faults
from vestibule.protocol.errors import CodeRefused, LinkRefused, PinRefused, ServerForeign


def test_help_names_every_verb_and_a_way_to_begin(run: Run) -> None:
    """The first thing a newcomer types."""
    done = run("--help")
    assert done.returncode == 0
    assert "serve --demo" in done.stdout
    for verb in VERBS:
        assert f" {verb} " in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_verb_explains_itself(here: Run, verb: str) -> None:
    """Each verb has help of its own, without a trace or an escape sequence."""
    done = here(verb, "--help")
    assert done.returncode == 0
    assert verb in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_version_is_shown(here: Run) -> None:
    """For bug reports."""
    assert here("--version").stdout == f"vestibule {__version__}\n"


@pytest.mark.parametrize(
    "words", [["serv"], ["--nonsense"], ["account", "nonsense"], ["phone", "respond"]]
)
def test_wrong_usage_is_told_apart_by_its_exit_code(here: Run, words: list[str]) -> None:
    """Two for usage, as everywhere, and nothing on standard output."""
    done = here(*words)
    assert done.returncode == terminal.USAGE
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_wrong_setting_is_named_with_the_next_step(here: Run) -> None:
    """One line of what is wrong, one of what to do, no trace."""
    done = here("settings", "check", VESTIBULE_WORKRES="2")
    assert done.returncode == terminal.MISSING
    assert "VESTIBULE_WORKRES is not a setting; did you mean VESTIBULE_WORKERS?" in done.stderr
    assert "vestibule settings list" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_are_listed_with_help_and_without_passwords(here: Run) -> None:
    """Every setting with what it is here; a database's password is never printed."""
    secret = {"VESTIBULE_DATABASE_URL": "postgresql://me:hunter2@db/vestibule"}
    listed = here("settings", "list", **secret)
    assert "VESTIBULE_WORKERS = 1" in listed.stdout
    assert "How long a request waits on the phone." in listed.stdout
    assert "hunter2" not in listed.stdout
    values = json.loads(here("settings", "list", "--json", **secret).stdout)
    assert values["database_url"] == "postgresql://\u2026@db/vestibule"
    assert values["login_request_seconds"] == 180


def test_settings_check_shows_what_is_not_the_default(here: Run) -> None:
    """What an operator changed, and nothing else."""
    done = here("settings", "check", VESTIBULE_PIN_MIN="5")
    changed = [line.split(" = ")[0] for line in done.stdout.splitlines()]
    assert changed == ["VESTIBULE_DATA", "VESTIBULE_PIN_MIN", "The settings are lawful."]


@pytest.mark.parametrize(
    "error,code",
    [
        (Refused("username_taken"), terminal.REFUSED),
        (Unavailable("database_unavailable"), terminal.MISSING),
        (PinRefused("pin_sequence"), terminal.REFUSED),
        (LinkRefused("link_version"), terminal.REFUSED),
        (CodeRefused("code_length"), terminal.REFUSED),
        (ServerForeign(), terminal.REFUSED),
        (client.Refused("proof_wrong", facts={"left": 2}), terminal.REFUSED),
        (client.Unreachable("nobody there"), terminal.MISSING),
        (client.StateWrong("no"), terminal.REFUSED),
    ],
)
def test_every_kind_of_refusal_has_words(error: Exception, code: int) -> None:
    """A sentence for people, never a bare code."""
    stopped = terminal.explain(error)
    assert stopped is not None
    assert stopped.code == code
    assert "_" not in stopped.message


def test_every_code_of_the_protocol_has_words() -> None:
    """Whatever the protocol refuses, the terminal says in a sentence."""
    kinds = [kind for kind in vars(faults).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, faults.ProtocolFault)}
    assert len(codes) > 6
    for code in codes:
        title, advice = terminal._of_code(code, {})
        assert title != code
        assert advice


def test_fault_of_ours_is_not_explained_away() -> None:
    """A bug keeps its trace."""
    assert terminal.explain(KeyError("x")) is None
