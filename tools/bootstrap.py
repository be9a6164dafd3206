"""Set everything up, once: `python3 tools/bootstrap.py run`, `... test` or `... bench`.

Standard library only, because it runs before anything is installed. Every step is keyed by a
hash of what it was made from, so a second start skips all of them in a few milliseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMPS = VENV / "bootstrap.json"
LOG = VENV / "bootstrap.log"
PHONE_APP = ROOT / "authenticator"
VERBS = ("run", "test", "bench")
WITH_TESTS = ("test", "bench")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)
CLIENTS = {
    "openssh-client": ("ssh", "sftp", "scp", "ssh-keygen"),
    "putty-tools": ("psftp", "puttygen"),
    "lftp": ("lftp",),
    "gnupg": ("gpg",),
    "acl": ("setfacl",),
}
"""What clients and operators run beside us, by package: the tests run the real programs."""
CHROMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Stop(Exception):  # noqa: N818 -- reads as what it orders
    """Set-up cannot go on; the message says in one line what to do."""


# --- progress ---------------------------------------------------------------------------------


class Progress:
    """One line for each step: its name, a moving sign on a terminal, the time it took."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.note = ""
        self.started = time.monotonic()
        self.done = threading.Event()
        self.terminal = sys.stdout.isatty()
        self.mover = threading.Thread(target=self._move, daemon=True)

    def __enter__(self) -> Progress:  # noqa: PYI034 -- an old Python must get as far as its advice
        if self.terminal:
            self.mover.start()
        else:
            print(f"  {self.name} ...", end="", flush=True)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.done.set()
        seconds = f"{time.monotonic() - self.started:.1f} s"
        if self.terminal:
            self.mover.join()
            print(f"\r\033[2K{'✗' if kind else '✓'} {self.name}  {seconds}", flush=True)
        else:
            print(f" {'failed' if kind else 'done'} {seconds}", flush=True)

    def _move(self) -> None:
        for sign in _turn("◐◓◑◒"):
            seconds = f"{time.monotonic() - self.started:.0f} s"
            room = max(0, shutil.get_terminal_size().columns - len(self.name) - len(seconds) - 8)
            line = f"{sign} {self.name}  {seconds}  {self.note[:room]}"
            print(f"\r\033[2K{line}", end="", flush=True)
            if self.done.wait(0.12):
                return


def _turn(signs: str) -> Iterator[str]:
    while True:
        yield from signs


def call(
    progress: Progress,
    *command: str | Path,
    advice: str,
    cwd: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a program, its last line of output beside the moving sign and all of it in the log.

    Raises Stop with `advice` when it fails, after showing the end of what it said.
    """
    path = f"{BIN}:{os.environ.get('PATH', '')}"
    environ = os.environ | {"PATH": path} | (environment or {})
    lines: list[str] = []
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if process.stdout is not None:
        for line in process.stdout:
            lines.append(line)
            progress.note = line.strip()
    if VENV.is_dir():
        with LOG.open("a") as log:
            log.writelines([f"$ {' '.join(map(str, command))}\n", *lines])
    if process.wait() != 0:
        raise Stop("".join(lines[-15:]) + f"{progress.name} failed. {advice}")


# --- stamps -----------------------------------------------------------------------------------


def fingerprint(*inputs: Path | str) -> str:
    """Hash of files (their content) and of words that say how they are used."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(item.read_bytes() if isinstance(item, Path) else item.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def stamps() -> dict[str, str]:
    """What the last set-up was made from: step -> fingerprint. Empty when there was none."""
    try:
        found = json.loads(STAMPS.read_text())
    except (OSError, ValueError):
        return {}
    return {str(step): str(value) for step, value in found.items()}


def stamp(step: str, made_from: str) -> None:
    """Note that a step was done."""
    if stamps().get(step) != made_from:
        STAMPS.write_text(json.dumps(stamps() | {step: made_from}, indent=1))


def once(step: str, made_from: str, present: Path, action: Callable[[Progress], None]) -> None:
    """Do a step unless it was done from the same inputs and its product is still there."""
    if stamps().get(step) == made_from and present.exists():
        return
    with Progress(step) as progress:
        action(progress)
    stamp(step, made_from)


# --- system packages --------------------------------------------------------------------------


def administrator() -> list[str] | None:
    """Words that go before a command which needs root: none, sudo, or None if we may not."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    with contextlib.suppress(OSError):
        if subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0:
            return sudo
    return None


def install(packages: list[str], reason: str) -> None:
    """Install Debian packages, or say in one line that a person has to.

    Raises Stop when this user may not install, or when the installation fails.
    """
    advice = f"Run: apt-get update && apt-get install -y {' '.join(packages)}"
    prefix = administrator()
    if prefix is None:
        raise Stop(f"Missing: {reason}. {advice}")
    silent = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = [*prefix, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    with Progress(f"{reason} (apt-get)") as progress:
        with contextlib.suppress(Stop):  # stale lists may still do
            call(progress, *apt, "update", advice=advice, environment=silent)
        words = ["install", "-y", "--no-install-recommends", *packages]
        call(progress, *apt, *words, advice=advice, environment=silent)


def system_for_tests() -> None:
    """A browser with its message bus, clients of statements, Redis where the wheel has none."""
    missing: dict[str, str] = {}
    if not os.environ.get("VESTIBULE_CHROME") and not any(map(shutil.which, CHROMES)):
        missing |= {"chromium": "Chromium", "fonts-dejavu-core": "a font"}
    if shutil.which("dbus-daemon") is None:
        missing["dbus"] = "dbus-daemon"
    redis = any(map(shutil.which, ("redis-server", "valkey-server")))
    redis_wheel = sys.version_info < (3, 13)
    if not redis and not redis_wheel and not os.environ.get("VESTIBULE_TEST_REDIS"):
        missing["redis-server"] = "Redis"
    for package, programs in CLIENTS.items():
        if not all(map(shutil.which, programs)):
            missing[package] = programs[0]
    if missing:
        install(list(missing), ", ".join(missing.values()))


def system_for_bench() -> None:
    """OpenSSH's own server, to be measured beside ours; its daemon stays off."""
    daemon = "/usr/sbin/sshd"  # system programs are not on everybody's PATH
    if shutil.which("sshd") or Path(daemon).exists():
        return
    prefix = administrator()
    if prefix is None:
        install(["openssh-server"], "OpenSSH's server")  # which says what to do
    with daemons_off(prefix or [], "ssh"):
        install(["openssh-server"], "OpenSSH's server")


@contextlib.contextmanager
def daemons_off(prefix: list[str], name: str) -> Iterator[None]:
    """While this lasts, no package starts a daemon; the service `name` stays off afterwards.

    A package's own script starts what it brings. A machine that only measures must not be
    open to the network because of it. A service that somebody has set up already is left alone.
    """
    systemd = Path("/etc/systemd/system")
    for unit in (f"{name}.service", f"{name}.socket"):
        if systemd.is_dir() and not os.path.lexists(systemd / unit):
            subprocess.run([*prefix, "ln", "-s", "/dev/null", systemd / unit], check=False)
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():  # the machine has one of its own
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write("#!/bin/sh\nexit 101\n")
        script.flush()
        subprocess.run([*prefix, "install", "-m", "755", script.name, policy], check=False)
    try:
        yield
    finally:
        subprocess.run([*prefix, "rm", "-f", policy], check=False)


# --- Python -----------------------------------------------------------------------------------


def virtual_environment(progress: Progress) -> None:
    """Make .venv anew, with uv where it is on PATH, else with the standard library."""
    if (VENV / "pyvenv.cfg").is_file():
        shutil.rmtree(VENV)
    elif VENV.exists():
        raise Stop(f"{VENV} is not a virtual environment. Move it away and start again.")
    if uv := shutil.which("uv"):
        advice = "uv says why, above."
        call(progress, uv, "venv", "--python", sys.executable, VENV, advice=advice)
    else:
        advice = "Python says why, above."
        call(progress, sys.executable, "-m", "venv", VENV, advice=advice)


def installer() -> list[str | Path]:
    """The command that installs into .venv: uv's where it is on PATH, else pip's."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", PYTHON]
    return [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def packages(*locks: Path) -> Callable[[Progress], None]:
    """Install locked packages; every file must have the hash that the lock names."""

    def action(progress: Progress) -> None:
        requirements = [word for lock in locks for word in ("-r", lock)]
        advice = "Check the connection to your package index and start again."
        call(progress, *installer(), "--require-hashes", *requirements, advice=advice)

    return action


def project(progress: Progress) -> None:
    """Link the checkout into .venv; its dependencies and its builder are there already."""
    words = ["--no-deps", "--no-build-isolation", "--editable", "."]
    call(progress, *installer(), *words, advice=f"The whole output is in {LOG}.")


def python(verb: str) -> None:
    """Bring .venv to the locked state for `verb`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = fingerprint(str(ROOT), version)
    usable = PYTHON.exists() and (shutil.which("uv") or (BIN / "pip").exists())
    if not usable or stamps().get("home", home) != home:
        if shutil.which("uv") is None and importlib.util.find_spec("ensurepip") is None:
            install([f"python{version}-venv"], "Python's venv")
        with Progress("Virtual environment") as progress:
            virtual_environment(progress)
    stamp("home", home)
    build, run, test = (ROOT / "requirements" / f"{name}.txt" for name in ("build", "run", "dev"))
    for_tests = fingerprint(build, test)
    if verb in WITH_TESTS:
        once("Packages for tests", for_tests, BIN / "pytest", packages(build, test))
    elif stamps().get("Packages for tests") != for_tests:  # those hold the others
        once("Packages", fingerprint(build, run), PYTHON, packages(build, run))
    once("Vestibule", fingerprint(ROOT / "pyproject.toml"), BIN / "vestibule", project)


# --- the phone app ----------------------------------------------------------------------------


def node_on_path() -> bool:
    """Whether a Node that is new enough, and its npm, are on PATH."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    numbers = said.stdout.strip().lstrip("v").split(".")[:2]
    return all(map(str.isdigit, numbers)) and tuple(map(int, numbers)) >= OLDEST_NODE


def phone_app(progress: Progress) -> None:
    """Fetch the phone app's dependencies and build each into one module."""
    advice = "Check the connection to your npm registry and start again."
    call(progress, "npm", "ci", "--no-progress", cwd=PHONE_APP, advice=advice)
    advice = f"The whole output is in {LOG}."
    call(progress, "node", "build.mjs", cwd=PHONE_APP, advice=advice)


def javascript() -> None:
    """Build what the phone app depends on; bring Node in a wheel where the machine has none."""
    names = ("package.json", "package-lock.json", "build.mjs")
    made_from = fingerprint(*(PHONE_APP / name for name in names))
    built = PHONE_APP / "vendor" / "LICENSES.txt"
    if stamps().get("Phone app") == made_from and built.exists():
        return
    if not node_on_path():
        lock = ROOT / "requirements" / "node.txt"
        once("Node", fingerprint(lock), BIN / "node", packages(lock))
    once("Phone app", made_from, built, phone_app)


# --- the whole --------------------------------------------------------------------------------


def bootstrap(verb: str) -> None:
    """Do every step that `verb` needs and that is not done yet."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise Stop(f"Python {wanted} or newer is needed: make PYTHON=python{wanted} {verb}")
    if verb in WITH_TESTS:
        system_for_tests()  # first: whoever may not install wants to know before the downloads
    if verb == "bench":
        system_for_bench()
    python(verb)
    javascript()


def main(arguments: list[str]) -> int:
    """Entry: `run`, `test` or `bench`; 0 when all is set up, 1 with one line of advice if not."""
    if len(arguments) != 1 or arguments[0] not in VERBS:
        print(f"usage: python3 tools/bootstrap.py {'|'.join(VERBS)}", file=sys.stderr)
        return 2
    with Path(__file__).open() as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another set-up of this checkout to end ...", flush=True)
            fcntl.flock(mine, fcntl.LOCK_EX)
        try:
            bootstrap(arguments[0])
        except Stop as stop:
            print(stop, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nStopped. Start again and it goes on from here.", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
