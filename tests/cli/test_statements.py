"""`vestibule statements` on the server's own machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.serving import PASSWORD
from vestibule.cli import terminal
from vestibule.client.terminal import Terminal, Token
from vestibule.client.token_file import keep_token
from vestibule.delivery.rules.setups import fingerprint


@pytest.fixture
def house(here: Run) -> Run:
    """A data folder with an account."""
    assert (
        here("init", "--account", "mira", "--password-stdin", stdin=f"{PASSWORD}\n").returncode == 0
    )
    return here


def written(folder: Path, files: dict[str, bytes]) -> None:
    """Files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_folder_is_published_and_the_same_again_changes_nothing(house: Run, tmp_path: Path) -> None:
    """A tree of accounts and kinds, small files and a large one; then only what is new."""
    out = tmp_path / "out"
    written(
        out,
        {
            "mira/daily/2026-11-20.csv": b"1",
            "mira/daily/20261121 report.csv": b"2",
            "mira/monthly/2026-11.pdf": b"3",
            "mira/trade/2026-11-22.bin": os.urandom(9 * 2**20),
            "mira/daily/.DS_Store": b"not ours",
        },
    )
    first = house("statements", "publish", str(out))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("4 new, 0 there already, 0 refused.")
    again = house("statements", "publish", str(out))
    assert (again.returncode, again.stdout[:28]) == (0, "0 new, 4 there already, 0 re")
    shown = house("statements", "list", "mira").stdout
    assert "monthly/2026-11.pdf  2026-11  1 byte" in shown
    assert "trade/2026-11-22.bin" in shown
    assert "daily/20261121 report.csv  2026-11-21" in shown


def test_more_files_than_go_at_a_time_all_arrive(house: Run, tmp_path: Path) -> None:
    """Three at a time, seven files: each is told of once, and each is there afterwards."""
    out = tmp_path / "out"
    written(out, {f"mira/daily/2026-11-0{day}.csv": b"%d" % day for day in range(1, 8)})
    first = house("statements", "publish", str(out), "--parallel", "3")
    assert first.stdout.startswith("7 new, 0 there already, 0 refused.")
    shown = house("statements", "list", "mira").stdout
    assert all(f"2026-11-0{day}.csv" in shown for day in range(1, 8))


def test_what_cannot_be_published_is_named_and_the_rest_goes_on(house: Run, tmp_path: Path) -> None:
    """Wrong places, kinds, names, accounts and links: exit code 1, each with its reason."""
    out = tmp_path / "out"
    written(
        out,
        {
            "mira/daily/2026-11-22.csv": b"good",
            "mira/daily/undated.csv": b"x",
            "mira/weekly/2026-11-22.csv": b"x",
            "mira/daily/2026-11-22.csv.pgp": b"x",
            "nobody/daily/2026-11-22.csv": b"x",
            "mira/2026-11-22.csv": b"x",
        },
    )
    secret = tmp_path / "secret"
    secret.write_text("not for clients")
    (out / "mira" / "daily" / "2026-11-01.csv").symlink_to(secret)
    done = house("statements", "publish", str(out))
    assert done.returncode == terminal.REFUSED
    assert done.stdout.startswith("1 new, 0 there already, 6 refused.")
    for name, reason in {
        "undated.csv": "The period is missing",
        "weekly/2026-11-22.csv": "This is no kind of statement",
        "2026-11-22.csv.pgp": "This is no name for a statement",
        "nobody/daily/2026-11-22.csv": "There is no such account",
        "mira/2026-11-22.csv": "it does not lie at",
        "2026-11-01.csv": "it is a link",
    }.items():
        assert any(name in line and reason in line for line in done.stderr.splitlines()), name


def test_dry_run_says_what_would_be_done_and_does_nothing(house: Run, tmp_path: Path) -> None:
    """Afterwards nothing is there."""
    out = tmp_path / "out"
    written(out, {"mira/daily/2026-11-22.csv": b"x", "mira/daily/undated.csv": b"x"})
    done = house("statements", "publish", "--dry-run", str(out))
    assert done.returncode == 0
    assert "1 would be published" in done.stdout
    assert "undated.csv: The period is missing" in done.stdout
    assert house("statements", "list", "mira").stdout == "There is nothing.\n"


def test_single_file_takes_its_account_and_period_from_the_options(
    house: Run, tmp_path: Path
) -> None:
    """Without them it is not guessed; another content needs --replace."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"1")
    assert house("statements", "publish", str(path)).returncode == terminal.USAGE
    words = ("--account", "mira", "--kind", "monthly")
    assert "period is missing" in house("statements", "publish", str(path), *words).stderr
    dated = (*words, "--period", "2026-11")
    assert house("statements", "publish", str(path), *dated).stdout.startswith("1 new")
    path.write_bytes(b"2")
    other = house("statements", "publish", str(path), *dated)
    assert (other.returncode, "Another file has this name" in other.stderr) == (1, True)
    replaced = house("statements", "publish", str(path), *dated, "--replace")
    assert replaced.stdout.startswith("0 new, 0 there already, 1 replaced, 0 refused.")


def test_publishers_are_added_listed_and_revoked(house: Run) -> None:
    """The token is alone on standard output, and is shown once."""
    added = house("statements", "publisher", "add", "nightly")
    assert added.stdout.startswith("vsp_")
    assert len(added.stdout.strip()) == 47
    assert "Keep it secret" in added.stderr
    assert house("statements", "publisher", "add", "nightly").returncode == 1
    assert house("statements", "publisher", "add", "no name").returncode == 1
    assert "nightly" in house("statements", "publisher", "list").stdout
    assert added.stdout.strip() not in house("statements", "publisher", "list").stdout
    assert house("statements", "publisher", "revoke", "nightly").returncode == 0
    assert "revoked" in house("statements", "publisher", "list").stdout
    assert house("statements", "publisher", "revoke", "nobody").returncode == 1


def test_store_is_copied_and_used_from_its_new_place(house: Run, tmp_path: Path) -> None:
    """What was published is fetched from the other store; copying again copies nothing."""
    out, target = tmp_path / "out", tmp_path / "elsewhere"
    written(out, {"mira/daily/2026-11-22.csv": b"x" * 100, "mira/daily/2026-11-21.csv": b"y"})
    house("statements", "publish", str(out))
    assert house("statements", "copy", str(target)).stdout.startswith("2 copied (101 bytes), 0")
    assert house("statements", "copy", str(target)).stdout.startswith("0 copied (0 bytes), 2")
    copied = sorted(p.read_bytes() for p in target.rglob("*") if p.is_file())
    assert copied == [b"x" * 100, b"y"]
    assert house("statements", "copy", "ftp://elsewhere/").returncode == terminal.USAGE


def test_purge_says_what_it_did(house: Run, tmp_path: Path) -> None:
    """Nothing is old yet."""
    written(tmp_path / "out", {"mira/daily/2026-11-22.csv": b"x"})
    house("statements", "publish", str(tmp_path / "out"))
    assert house("statements", "purge").stdout == "0 statements purged, 0 uploads abandoned.\n"


def test_token_file_that_others_may_read_is_refused(house: Run, tmp_path: Path) -> None:
    """Before anything is sent anywhere."""
    written(tmp_path / "out", {"mira/daily/2026-11-22.csv": b"x"})
    words = ("statements", "publish", str(tmp_path / "out"), "--portal", "http://127.0.0.1:9")
    assert house(*words).returncode == terminal.USAGE
    token = tmp_path / "token"
    token.write_text("vsp_x")
    token.chmod(0o644)
    open_to_all = house(*words, "--token-file", str(token))
    assert (open_to_all.returncode, "may be read by others" in open_to_all.stderr) == (1, True)


# --- set-up -----------------------------------------------------------------------------------

LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5VtOXHwO3+bnZ1Qq5bB1G6Y7ZaF5JvYw2cVvN6V9xk"
TOLD = {
    "organisation": "Bank of Nowhere",
    "username": "kq7abcdefg",
    "enabled": True,
    "host": "sftp.example",
    "port": 8602,
    "host_keys": [LINE],
    "keys": [],
    "networks": ["192.0.2.0/24"],
    "more": "to come",
}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A signed-in terminal, and a portal that tells this."""
    token = Token(portal="https://portal.example", access_token="t", expires_at=0, acr="", proof="")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    keep_token(tmp_path / "config" / "vestibule" / "token.json", token)
    answer: dict[str, object] = json.loads(json.dumps(TOLD))

    async def delivery(_calls: object, _token: str) -> dict[str, object]:
        return answer

    monkeypatch.setattr(Terminal, "delivery", delivery)
    return answer


def test_setup_writes_private_files_for_the_programs_named(
    here: Run, told: dict[str, object], tmp_path: Path
) -> None:
    """Only their owner may read them; lftp brings along what it goes by way of."""
    folder = tmp_path / "new" / "setup"
    done = here("statements", "setup", "--into", str(folder), "--program", "lftp")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in folder.iterdir())
    assert [name.partition(".")[2] for name in names] == ["batch", "conf", "known_hosts", "lftp"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert "ssh-keygen -t ed25519" in done.stdout
    assert "lftp -f " in done.stdout
    assert str(told["username"]) in (folder / names[1]).read_text()


def test_setup_overwrites_nothing_unless_told_to(
    here: Run, told: dict[str, object], tmp_path: Path
) -> None:
    """The same again is fine; other content stays, and so do all the other files."""
    folder = tmp_path / "setup"
    words = ("statements", "setup", "--into", str(folder))
    assert here(*words).returncode == 0
    assert here(*words).returncode == 0
    config = next(folder.glob("*.conf"))
    config.write_text("mine")
    told["port"] = 22
    before = {path.name: path.read_text() for path in folder.iterdir()}
    kept = here(*words)
    assert (kept.returncode, "Nothing was written" in kept.stderr) == (1, True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert here(*words, "--force").returncode == 0
    assert "Port 22\n" in config.read_text()


def test_setup_writes_over_no_link(here: Run, told: dict[str, object], tmp_path: Path) -> None:
    """A link in the folder is replaced, not followed."""
    assert told
    folder, target = tmp_path / "setup", tmp_path / "target"
    words = ("statements", "setup", "--into", str(folder), "--force")
    here(*words)
    config = next(folder.glob("*.conf"))
    config.unlink()
    target.write_text("untouched")
    config.symlink_to(target)
    assert here(*words).returncode == 0
    assert target.read_text() == "untouched"
    assert not config.is_symlink()


def test_setup_refuses_unsafe_folders_and_keys(
    here: Run, told: dict[str, object], tmp_path: Path
) -> None:
    """Where others may write, they could have programs run; an open key is taken by none."""
    assert told
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    done = here("statements", "setup", "--into", str(folder))
    assert (done.returncode, "Others may write" in done.stderr) == (1, True)
    key = tmp_path / "key"
    key.write_text("k")
    key.chmod(0o644)
    words = ("statements", "setup", "--into", str(tmp_path / "setup"), "--key")
    assert "may be read by others" in here(*words, str(key)).stderr
    assert "There is no key" in here(*words, str(tmp_path / "none")).stderr
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAA")
    assert "is the public key" in here(*words, str(tmp_path / "key.pub")).stderr
    assert not (tmp_path / "setup").exists()


def test_setup_says_what_is_still_missing_on_the_portal(
    here: Run, told: dict[str, object], tmp_path: Path
) -> None:
    """An unknown key, no network, delivery switched off: each with the page to go to."""
    (tmp_path / ".ssh").mkdir()
    key = tmp_path / ".ssh" / "id_ed25519"
    key.write_text("k")
    line = LINE
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text(f"{line} me\n")
    told |= {"enabled": False, "networks": []}
    said = here("statements", "setup").stdout
    assert "is not registered yet" in said
    assert "switched off" in said
    assert "No address is allowed yet" in said
    assert said.count("https://portal.example/settings/delivery") == 3
    print_ = fingerprint(line)
    told |= {"enabled": True, "keys": [{"label": "laptop", "fingerprint": print_}]}
    assert f"is registered: {print_}" in here("statements", "setup").stdout


def test_setup_of_a_false_portal_writes_nothing(
    here: Run, told: dict[str, object], tmp_path: Path
) -> None:
    """What could become a command in a configuration is refused."""
    told["host"] = "x\n    ProxyCommand id"
    folder = tmp_path / "setup"
    assert here("statements", "setup", "--into", str(folder)).returncode == 1
    assert not folder.exists()
    told["host"] = 5
    assert here("statements", "setup", "--into", str(folder)).returncode == terminal.MISSING


def test_setup_without_a_sign_in_says_how_to_sign_in(here: Run, tmp_path: Path) -> None:
    """Nobody is asked for a password here."""
    done = here("statements", "setup", XDG_CONFIG_HOME=str(tmp_path / "nothing"))
    assert (done.returncode, "vestibule login" in done.stderr) == (1, True)
