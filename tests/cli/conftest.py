"""The command as people run it: its own process, no terminal, a folder of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vestibule.cli import build, terminal

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("account", "list", stdin=..., **environment)` in an empty folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}

    def command(
        *words: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vestibule.cli", *words],
            cwd=tmp_path,
            env=clean | {"HOME": str(tmp_path), "COLUMNS": "100"} | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """The same without a process of its own, which takes a second or more to start."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VESTIBULE_DATA", str(tmp_path / "var"))

    def command(
        *words: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = terminal.run(lambda: build(list(words))(list(words)))
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    yield command
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
