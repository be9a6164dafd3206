"""Clients' machines: the real programs that fetch statements, and what they say.

OpenSSH's sftp and scp, PuTTY's psftp and puttygen, and lftp run as processes of their own, with
nothing of whoever runs the tests: no agent, no configuration, no known hosts.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

PASSPHRASE = "eight geese and a lantern"
HOST = "127.0.0.1"
_PATIENCE = 120.0


@dataclass(frozen=True)
class Done:
    """How a program ended, and all that it has said."""

    code: int
    said: str

    def well(self) -> str:
        """What it has said; the test fails where it failed."""
        assert self.code == 0, self.said
        return self.said


def wait_for_sftp(port: int, seconds: float = 60) -> None:
    """Wait until an SFTP server greets there. The test fails when none does."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            with socket.create_connection((HOST, port), timeout=5) as probe:
                if probe.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"nobody greets on port {port}")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    summed = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            summed.update(block)
    return summed.hexdigest()


@dataclass
class Machine:
    """One client's machine: a folder with keys, and programs that connect to a server."""

    folder: Path
    port: int
    username: str = ""
    source: str = HOST
    """The address that it connects from."""
    key: Path = field(default=Path())

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.key == Path():
            self.key = self.folder / "id_ed25519"

    # --- keys -----------------------------------------------------------------------------

    def make_key(self, kind: str = "ed25519", bits: int | None = None, name: str = "") -> bytes:
        """Make a pair of keys with `ssh-keygen`, use it from now on; the public key's line."""
        self.key = self.folder / (name or f"id_{kind}")
        size = ("-b", str(bits)) if bits else ()
        words = ("-q", "-t", kind, *size, "-N", "", "-C", "client", "-f", str(self.key))
        self.run("ssh-keygen", *words).well()
        return self.key.with_name(f"{self.key.name}.pub").read_bytes()

    def fingerprint(self, public: Path | None = None) -> str:
        """The fingerprint of a public key, as `ssh-keygen -l` shows it."""
        public = public or self.key.with_name(f"{self.key.name}.pub")
        return self.run("ssh-keygen", "-l", "-f", str(public)).well().split()[1]

    def make_putty_key(self) -> bytes:
        """The two commands of the help article, and its passphrase typed twice; the public key."""
        made = ("puttygen", "-t", "rsa", "-b", "2048", "-o", "privatekey.ppk")
        self.typed(
            *made, answers={"Enter passphrase to save key": PASSPHRASE, "Re-enter": PASSPHRASE}
        )
        self.run("puttygen", "-L", "privatekey.ppk", "-o", "public.key").well()
        self.key = self.folder / "privatekey.ppk"
        return (self.folder / "public.key").read_bytes()

    # --- the server -----------------------------------------------------------------------

    @cached_property
    def host_line(self) -> str:
        """The server's line of known_hosts."""
        said = self.run("ssh-keyscan", "-t", "ed25519", "-p", str(self.port), HOST)
        # Beside it, it tells how the server calls itself.
        return next(line for line in said.well().splitlines() if line.startswith("["))

    @cached_property
    def host_fingerprint(self) -> str:
        """The server's fingerprint: `SHA256:…`."""
        self._know()
        words = ("-l", "-f", str(self._known))
        return self.run("ssh-keygen", *words).well().split()[1]

    @property
    def _known(self) -> Path:
        return self.folder / "known_hosts"

    def _know(self) -> None:
        if not self._known.exists():
            self._known.write_text(self.host_line + "\n")

    # --- programs -------------------------------------------------------------------------

    def run(self, *words: str, said: str = "", seconds: float = _PATIENCE) -> Done:
        """Run a program in this machine's folder."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            input=said,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    @property
    def environment(self) -> dict[str, str]:
        """Of its programs: a home of its own, and no agent."""
        path = os.environ.get("PATH", "")
        return {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}

    def options(self, **more: str) -> list[str]:
        """Options of OpenSSH's programs."""
        self._know()
        settings = {
            "UserKnownHostsFile": str(self._known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.key),
            "BindAddress": self.source,
            "BatchMode": "yes",
            **more,
        }
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return ["-F", "none", *words, "-P", str(self.port)]

    @property
    def address(self) -> str:
        """Whom to connect to."""
        return f"{self.username}@{HOST}"

    def sftp_words(self, *options: str, **settings: str) -> list[str]:
        """The command line of OpenSSH's sftp, which reads its commands from its input."""
        return ["sftp", *self.options(**settings), *options, "-b", "-", self.address]

    def sftp(self, *commands: str, seconds: float = _PATIENCE, **settings: str) -> Done:
        """OpenSSH's sftp."""
        lines = "".join(f"{command}\n" for command in commands)
        return self.run(*self.sftp_words(**settings), said=lines, seconds=seconds)

    def scp(self, *paths: str, into: str = ".", old: bool = False) -> Done:
        """OpenSSH's scp, by the SFTP protocol unless `old`."""
        far = [f"{self.address}:{path}" for path in paths]
        return self.run("scp", *self.options(), *(["-O"] if old else []), "-r", *far, into)

    def psftp(self, *commands: str, key: Path | None = None, password: str = "") -> Done:
        """PuTTY's psftp, which knows the server by its fingerprint; somebody types the passphrase.

        With a password in place of a key, it does what a client does who forgot the key file.
        """
        script = self.folder / "commands.psftp"
        script.write_text("".join(f"{command}\n" for command in commands))
        words = ["psftp", "-P", str(self.port), "-hostkey", self.host_fingerprint]
        words += ["-b", str(script)]
        if password:
            secret = self.folder / "password"
            secret.write_text(password)
            return self.run(*words, "-batch", "-pwfile", str(secret), self.address)
        words += ["-i", str(key or self.key), self.address]
        return self.typed(*words, answers={"Passphrase for key": PASSPHRASE})

    def typed(self, *words: str, answers: dict[str, str]) -> Done:
        """Run a program at a terminal, where each question is answered once."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(words[0], words, self.environment)  # noqa: S606
        left, seen, limit = dict(answers), "", time.monotonic() + _PATIENCE
        with suppress(OSError):  # the kernel's way to say that nobody holds the other end
            while chunk := _read(terminal, limit):
                seen += chunk
                for question in [asked for asked in left if asked in seen]:
                    os.write(terminal, f"{left.pop(question)}\n".encode())
        os.close(terminal)
        return Done(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen)

    def lftp(self, *commands: str, seconds: float = _PATIENCE) -> Done:
        """Lftp, which connects by OpenSSH's ssh."""
        words = self.lftp_words(*commands)
        return self.run(*words, seconds=seconds)

    def lftp_words(self, *commands: str) -> list[str]:
        """The command line of lftp."""
        options = " ".join(self.options()[:-2])
        setting = (
            f'set sftp:connect-program "ssh -a -x {options}"',
            "set cmd:fail-exit true",
            "set net:max-retries 1",
            f"open -p {self.port} sftp://{self.username}:@{HOST}",
        )
        return ["lftp", "--norc", "-c", "; ".join([*setting, *commands])]

    @contextmanager
    def started(self, *words: str, said: str = "") -> Iterator[subprocess.Popen[str]]:
        """A program that runs beside the test, and is killed when this ends."""
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # sftp and lftp have an ssh of their own
        )
        assert process.stdin is not None
        process.stdin.write(said)
        process.stdin.flush()
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
            process.communicate()


def _read(terminal: int, limit: float) -> str:
    """What a program says next; raises TimeoutError when it says nothing until then."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, limit - time.monotonic()))
    if not ready:
        raise TimeoutError("a program at a terminal says nothing")
    return os.read(terminal, 4096).decode(errors="replace")
