"""An operator's verbs for addresses and numbers."""

import pytest

from tests.cli.conftest import Run
from tests.serving import PASSWORD

pytestmark = pytest.mark.processes


@pytest.fixture
def mira(here: Run) -> Run:
    """A house with one account."""
    words = ("init", "--account", "mira", "--password-stdin")
    assert here(*words, stdin=f"{PASSWORD}\n").returncode == 0
    return here


def test_addresses_and_numbers_are_kept(mira: Run) -> None:
    """Added, listed and removed; what the operator does not vouch for says so."""
    assert mira("account", "contact", "add", "mira", "+39 347 123 4589").returncode == 0
    added = mira("account", "contact", "add", "mira", "Mira@Example.org", "--unverified")
    assert added.stdout == "Added Mira@example.org  not verified.\n"
    listed = mira("account", "contact", "list", "mira").stdout.splitlines()
    assert listed == ["+39 347 123 4589  used first", "Mira@example.org  not verified"]
    removed = mira("account", "contact", "remove", "mira", "+393471234589", "--yes")
    assert removed.stdout == "Removed +39 347 123 4589.\n"
    assert mira("account", "contact", "list", "mira").stdout.count("\n") == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (("add", "mira", "347 123"), "We cannot use this address or number"),
        (("add", "nobody", "a@example.org"), "There is no account nobody"),
        (("remove", "mira", "a@example.org", "--yes"), "Known: none"),
    ],
)
def test_slips_are_said(mira: Run, words: tuple[str, ...], said: str) -> None:
    """One line, and exit code 1."""
    done = mira("account", "contact", *words)
    assert done.returncode == 1
    assert said in done.stderr
