"""The server as its own process, on ports that are really ours.

Nothing of the server is imported: a test that shares memory or a database session with it can
stay green while no peer is able to sign in.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "vestibule.cli")
RUN_IN_TURN = """
import io, json, sys
from vestibule.cli import main
for words, said in json.load(sys.stdin):
    sys.argv, sys.stdin = ["vestibule", *words], io.StringIO(said)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
START_SECONDS = 180.0
STOP_SECONDS = 15.0
PASSWORD = "a lantern, a kettle, nine geese"


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that nobody else is given while this lasts.

    The socket is bound and never listens. With SO_REUSEADDR on both sides Linux lets another
    socket listen beside it, and gives the port to nobody who asks for any free one; so the
    server may stop and start again on the same port.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@dataclass
class Server:
    """One `vestibule serve`, its origins and its data; may be stopped and started again."""

    portal: str
    phone: str
    data: Path
    environment: Mapping[str, str]
    sftp: int
    """The port of its SFTP server, which runs only when `sftp_alone` is set to False."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """Everything that the process has said."""
        return self.data / "server.log"

    def start(self) -> None:
        """Start and wait until it says that it is ready. Raises RuntimeError with its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve"],
                env=self.environment,
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its workers are stopped with it, whatever becomes of it.
                start_new_session=True,
            )
        limit = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end; insist when it does not. Stopping twice is allowed."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process = process
            self.kill()

    def kill(self) -> None:
        """End it and its workers as a cut of the power would: no goodbye."""
        process, self.process = self.process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ready(self) -> bool:
        """Whether /readyz says so now."""
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request to the portal's origin: the status and what its JSON says, else its text."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {} if sent is None else {"Content-Type": "application/json"}
        with closing(HTTPConnection(self.portal.removeprefix("http://"), timeout=10)) as connection:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            if "json" in answer.headers.get("Content-Type", ""):
                return answer.status, json.loads(text)
            return answer.status, text

    def command(self, *words: str, stdin: str = "") -> str:
        """Run `vestibule <words>` on this server's data. Raises RuntimeError with its output."""
        return self._run([(words, stdin)])

    def _run(self, commands: list[tuple[tuple[str, ...], str]]) -> str:
        # One process for all: the program's start costs more than most of its commands.
        done = subprocess.run(
            [sys.executable, "-c", RUN_IN_TURN],
            env=self.environment,
            cwd=self.data,
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{commands}: {done.stdout}{done.stderr}")
        return done.stdout

    def add_account(self, username: str, password: str = PASSWORD, name: str = "") -> None:
        """An account that may sign in, made as an operator makes it."""
        self.add_accounts([username], password, name)

    def add_accounts(
        self, usernames: Iterable[str], password: str = PASSWORD, name: str = ""
    ) -> None:
        """Several accounts with one password."""
        shown = ("--name", name) if name else ()
        words = ("account", "add", "--password-stdin", *shown)
        self._run([((*words, username), f"{password}\n") for username in usernames])

    def move_clock(self, seconds: float) -> int:
        """Let the server's clock jump ahead; what it shows then, ms. Needs `test_hooks`."""
        status, said = self.ask("POST", f"/test/clock?step_ms={round(seconds * 1000)}")
        if status >= 300:
            raise RuntimeError(f"the clock stayed: {status} {said}")
        return int(said["now"])

    def now(self) -> int:
        """What the server's clock shows, ms."""
        return self.move_clock(0)


@contextmanager
def serving(data: Path, **settings: str | int | bool) -> Iterator[Server]:
    """A running server with its own data folder; ``settings`` are named as in the table.

    Test hooks are open unless told otherwise. Pass `database_url`, and `redis_url` with
    `workers`, for anything but one process on SQLite.
    """
    with ExitStack() as stack:
        portal, phone, sftp = (stack.enter_context(reserved_port()) for _ in range(3))
        table: dict[str, str | int | bool] = {
            "data": str(data),
            "portal_url": f"http://localhost:{portal}",
            "phone_url": f"http://localhost:{phone}",
            "portal_listen": f"127.0.0.1:{portal}",
            "phone_listen": f"127.0.0.1:{phone}",
            "sftp_url": f"sftp://localhost:{sftp}",
            "sftp_listen": f"127.0.0.1:{sftp}",
            # A process more, which few tests need.
            "sftp_alone": True,
            "test_hooks": True,
            **settings,
        }
        # A setting of whoever runs the tests must not reach the server under test.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VESTIBULE_")}
        environment |= {f"VESTIBULE_{name}".upper(): str(value) for name, value in table.items()}
        data.mkdir(parents=True, exist_ok=True)
        origins = str(table["portal_url"]), str(table["phone_url"])
        server = Server(*origins, data, environment, sftp)
        stack.callback(server.stop)
        server.start()
        yield server
