"""GnuPG as the peer: it makes keys, exports certificates, and decrypts what we encrypt."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEVER = "never"


class GnuPG:
    """One home folder of GnuPG. ``at`` lets it believe that it is then (ISO 8601, basic form)."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str | Path, typed: bytes = b"", at: str = "") -> bytes:
        """What one call of gpg prints; CalledProcessError, with its words, where it fails."""
        faked = ["--faked-system-time", at] if at else []
        quiet = [
            "--batch",
            "--quiet",
            "--no-tty",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        command = ["gpg", "--homedir", self.home, *quiet, *faked, *arguments]
        return subprocess.run(command, input=typed, capture_output=True, check=True).stdout

    def primary(
        self, name: str, kind: str = "ed25519", *, lasts: str = _NEVER, at: str = ""
    ) -> str:
        """Make a key that signs; its fingerprint."""
        self("--quick-gen-key", f"{name} <{name}@keys.example>", kind, "sign", lasts, at=at)
        listed = self("--list-keys", "--with-colons", f"{name}@keys.example").decode()
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))

    def subkey(
        self,
        of: str,
        kind: str = "cv25519",
        use: str = "encr",
        *,
        lasts: str = _NEVER,
        at: str = "",
    ) -> None:
        """Give a key another one."""
        self("--quick-add-key", of, kind, use, lasts, at=at)

    def pair(self, name: str, kind: str = "ed25519", sub: str = "cv25519") -> str:
        """Make a key that signs, and one that encrypts; the fingerprint of the first."""
        fingerprint = self.primary(name, kind)
        self.subkey(fingerprint, sub)
        return fingerprint

    def edit(self, fingerprint: str, *lines: str) -> None:
        """Answer its dialogue line by line."""
        quiet = ["--no-tty", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
        command = ["gpg", "--homedir", str(self.home), *quiet, "--command-fd", "0", "--edit-key"]
        typed = "\n".join([*lines, "save", ""]).encode()
        subprocess.run([*command, fingerprint], input=typed, capture_output=True, check=True)

    def certificate(self, fingerprint: str, *options: str) -> bytes:
        """The public key, binary unless ``--armor``."""
        return self(*options, "--export", fingerprint)

    def decrypt(self, message: bytes) -> bytes:
        """The plain text. CalledProcessError for anything less than a whole message."""
        return self("--decrypt", typed=message)


@contextmanager
def gnupg() -> Iterator[GnuPG]:
    """A home of its own, short enough for a socket's path; its agent ends with it."""
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        yield GnuPG(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)
