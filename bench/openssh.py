"""OpenSSH's own server, to be measured beside ours: on a port, with keys and a config of its own.

Nothing of the machine's own sshd is touched. It runs as its manual has it for servers that hand out
files only, `internal-sftp`: no shell, whose start would be measured with every sign-in.
"""

from __future__ import annotations

import ctypes
import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fetching import CIPHER, Target, greets, host_line, make_key
from tests.serving import reserved_port

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)
_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
UseDNS no
LogLevel ERROR
MaxStartups 2000
MaxSessions 2000
LoginGraceTime 120
Ciphers {cipher}
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


def sshd_program() -> str | None:
    """OpenSSH's server on this machine; system programs are not on everybody's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("sshd", path=path)


@contextmanager
def openssh_server(folder: Path, files: Path, client: Path) -> Iterator[Target]:
    """A running sshd that lets whoever runs this in, by the key pair `client`, to `files`.

    Raises RuntimeError where there is no sshd, or when it does not start.
    """
    program = sshd_program()
    if program is None:
        raise RuntimeError("no sshd here: run `python3 tools/bootstrap.py bench`")
    folder.mkdir(parents=True, exist_ok=True)
    make_key(folder / "host")
    shutil.copy(client.with_suffix(".pub"), folder / "authorized")
    with reserved_port() as port:
        config = folder / "config"
        config.write_text(_CONFIG.format(port=port, folder=folder, cipher=CIPHER))
        process = _start(program, config, port)
        try:
            yield Target(
                "OpenSSH",
                port,
                getpass.getuser(),
                client,
                host_line(port),
                process.pid,
                files,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _start(program: str, config: Path, port: int) -> subprocess.Popen[bytes]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # compiled in; nothing is put there
    process = subprocess.Popen(
        [program, "-D", "-e", "-f", str(config)],
        stdin=subprocess.DEVNULL,
        preexec_fn=_reap_all,  # noqa: PLW1509  -- this process has no threads then
    )
    if greets(port, process):
        return process
    process.kill()
    raise RuntimeError(f"sshd did not start (exit {process.wait()})")


def _reap_all() -> None:
    """Have orphans of sshd's handed back to it, so that its account holds all of their CPU."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
