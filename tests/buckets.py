"""An S3-compatible store for the tests: moto's server, as a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from vestibule.base.settings import Settings
from vestibule.outside.s3_objects import S3Objects

BUCKET = "statements-of-a-test"


class Buckets:
    """One server with one bucket."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def settings(self, prefix: str) -> dict[str, str]:
        """The settings by which a house keeps its statements under this prefix."""
        return {
            "statement_store": f"s3://{BUCKET}/{prefix}",
            "s3_endpoint": self.endpoint,
            "s3_access_key_id": "nobody",
            "s3_secret_access_key": "a secret that opens nothing",
        }

    def objects(self, prefix: str, **changes: str) -> S3Objects:
        """A store of its own under this prefix."""
        return S3Objects(Settings.model_validate(self.settings(prefix) | changes))

    def ask(self, path: str, method: str = "GET") -> bytes:
        """What the server answers to a request that nobody signed."""
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=20)) as connection:
            connection.request(method, f"/{path}")
            return connection.getresponse().read()


@contextmanager
def buckets() -> Iterator[Buckets]:
    """A running server, which ends with this."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = Path(sys.executable).parent / "moto_server"
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        made = Buckets(port)
        made.ask(BUCKET, "PUT")
        yield made
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > limit or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return
