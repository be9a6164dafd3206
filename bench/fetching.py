"""An SFTP server as a client's program meets it, and what that costs the server.

The program is OpenSSH's `sftp` with its defaults, the same for every server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench import machine

CIPHER = "aes128-gcm@openssh.com"
"""What every server is measured with: the quickest that all of them offer."""
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60.0
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True)
class Target:
    """A running SFTP server and how to get in."""

    name: str
    port: int
    user: str
    key: Path
    host_line: str
    """Its line of known_hosts."""
    pid: int
    """The process that listens; its children are the server, too."""
    root: Path
    """Where the files are, as the client names it."""

    def options(self, folder: Path) -> list[str]:
        """Options of `sftp` that let it in without asking anything; `folder` is the client's."""
        known = folder / f"known-{self.port}"
        if not known.exists():
            known.write_text(self.host_line + "\n")
        settings = {
            "UserKnownHostsFile": str(known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.key),
            "Ciphers": CIPHER,
            "BatchMode": "yes",
        }
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return ["-q", "-F", "none", *words, "-P", str(self.port)]

    @property
    def address(self) -> str:
        """Whom to connect to."""
        return f"{self.user}@127.0.0.1"

    def spent(self) -> float:
        """CPU seconds of the server until now: its own, and of all children that have ended."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        children = sum(map(int, after_name[13:15])) / _TICKS
        return sum(machine.spent(self.pid).values()) + children

    def settle(self) -> None:
        """Wait until no child is left, so that `spent` knows all of them."""
        limit = time.monotonic() + _SETTLED_SECONDS
        while self.processes()[1:] and time.monotonic() < limit:
            time.sleep(0.005)

    def processes(self) -> list[int]:
        """The process that listens, and its descendants."""
        found = [self.pid]
        for pid in found:
            # Of a process that ends while it is looked at, nothing is left to find.
            with suppress(FileNotFoundError, ProcessLookupError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found

    def memory_kib(self) -> float:
        """Memory of the whole server; what processes share is counted once among them."""
        return sum(map(_proportional_kib, self.processes()))


@dataclass(frozen=True)
class Spent:
    """What something cost: seconds by the clock, and of the server's CPU."""

    wall: float
    cpu: float


def run(target: Target, folder: Path, commands: Sequence[str], clients: int = 1) -> Spent:
    """Have `clients` programs at a time do these commands. Raises RuntimeError when one fails."""
    return run_each(target, folder, [commands] * clients)


def run_each(target: Target, folder: Path, shares: Sequence[Sequence[str]]) -> Spent:
    """A program for each share of commands, all at a time. Raises RuntimeError when one fails."""
    target.settle()
    before, began = target.spent(), time.perf_counter()
    words = ["sftp", *target.options(folder), "-b", "-", target.address]
    started = [_start(words, commands) for commands in shares]
    for process in started:
        if process.wait() != 0:
            said = process.stderr.read().decode() if process.stderr else ""
            raise RuntimeError(f"sftp from {target.name} failed: {said}")
    wall = time.perf_counter() - began
    target.settle()
    return Spent(wall, target.spent() - before)


def _start(words: list[str], commands: Sequence[str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"{command}\n" for command in commands).encode())
    process.stdin.close()
    return process


def greets(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server greets there; False when it ended or takes too long."""
    limit = time.monotonic() + _START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as probe:
            if probe.recv(4) == b"SSH-":
                return True
        time.sleep(0.05)
    return False


def make_key(path: Path) -> None:
    """An Ed25519 key pair, without a passphrase."""
    if not path.exists():
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", str(path)]
        subprocess.run(words, check=True)


def host_line(port: int) -> str:
    """The line of known_hosts for the server that listens there."""
    words = ["ssh-keyscan", "-t", "ed25519", "-p", str(port), "127.0.0.1"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _proportional_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise ProcessLookupError(pid)
