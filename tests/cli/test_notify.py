"""`vestibule notify`: the operator's own words, to one or to all."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.serving import PASSWORD

WORDS = ("--title", "The  portal rests", "--text", "On Saturday from 22:00.")


@pytest.fixture
def told(here: Run, tmp_path: Path) -> Run:
    """A house with two people, one of them shut out."""
    assert here("init").returncode == 0
    for name in ("mira", "nadia", "omar"):
        added = here("account", "add", name, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert added.returncode == 0, added.stderr
    assert here("account", "disable", "omar", "--yes").returncode == 0
    return here


def notices(folder: Path) -> list[tuple[str, str]]:
    """Whose list holds what."""
    with sqlite3.connect(folder / "var" / "vestibule.db") as database:
        return database.execute(
            "SELECT username, detail FROM notice JOIN account ON account.id = account_id "
            "WHERE event = 'notice.sent' ORDER BY username"
        ).fetchall()


def test_one_is_told(told: Run, tmp_path: Path) -> None:
    """The notice is in the database at once; the running server sends it."""
    done = told("notify", "Mira", *WORDS)
    assert done.returncode == 0, done.stderr
    assert "Told Mira." in done.stdout
    wanted = '{"title":"The portal rests","text":"On Saturday from 22:00."}'
    assert notices(tmp_path) == [("mira", wanted)]


def test_everybody_is_told_who_may_sign_in(told: Run, tmp_path: Path) -> None:
    """All but those whose account is closed; asked first, unless told not to."""
    done = told("notify", "--all", "--yes", *WORDS)
    assert done.returncode == 0, done.stderr
    assert "Told 2 accounts." in done.stdout
    assert [name for name, _ in notices(tmp_path)] == ["mira", "nadia"]


@pytest.mark.parametrize(
    "words",
    [
        ("notify", *WORDS),
        ("notify", "mira", "--all", *WORDS),
        ("notify", "mira", "--title", " ", "--text", "x"),
        ("notify", "mira", "--title", "x" * 101, "--text", "x"),
        ("notify", "mira", "--title", "x"),
        ("notify", "nobody", *WORDS),
    ],
)
def test_half_an_order_tells_nobody(told: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Neither nobody nor both, no empty or endless words, no unknown name."""
    done = told(*words)
    assert done.returncode != 0
    assert notices(tmp_path) == []
