"""The SFTP server as a process: audited, restarted, ended with its parent, run alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving import PROGRAM, Server, reserved_port, serving

AUDIT = Path(sys.executable).with_name("ssh-audit")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with SFTP beside it."""
    with serving(tmp_path / "house", sftp_alone=False) as running:
        until(lambda: greets(running.sftp), "SFTP answers")
        yield running


def until(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until something is so; the test fails when it takes too long."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"not in time: {what}"
        time.sleep(0.05)


def greets(port: int) -> bool:
    """Whether an SSH server answers there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
            return peer.recv(100).startswith(b"SSH-2.0-Vestibule")
    except OSError:
        return False


def listens(port: int) -> bool:
    """Whether anybody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def child_of(server: Server) -> int:
    """The process that serves SFTP."""
    assert server.process is not None
    threads = Path(f"/proc/{server.process.pid}/task").iterdir()
    children = [int(one) for thread in threads for one in _said(thread / "children").split()]
    (spawned,) = [one for one in children if "spawn_main" in _said(Path(f"/proc/{one}/cmdline"))]
    return spawned


def _said(file: Path) -> str:
    """What the kernel says there; nothing of a process that has gone."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lives(pid: int) -> bool:
    """Whether a process runs, and is not only waited for."""
    status = _said(Path(f"/proc/{pid}/status"))
    return bool(status) and "State:\tZ" not in status


def audit(port: int) -> dict[str, list[str]]:
    """What an audit tool of today says of the server: its remarks by their weight."""
    done = subprocess.run(
        [AUDIT, "-j", "-p", str(port), "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = json.loads(done.stdout)
    remarks: dict[str, list[str]] = {"fail": [], "warn": []}
    for part in ("kex", "key", "enc", "mac"):
        for algorithm in said[part]:
            for weight, texts in algorithm["notes"].items():
                if weight in remarks:
                    remarks[weight] += [f"{algorithm['algorithm']}: {text}" for text in texts]
    remarks["cves"] = said["cves"]
    remarks["kex"] = [algorithm["algorithm"] for algorithm in said["kex"]]
    remarks["notes"] = said.get("additional_notes", [])
    return remarks


def test_audit_finds_no_fault_and_nothing_to_warn_of(server: Server) -> None:
    """Neither a failure nor a warning, no known hole, and enough throttling."""
    said = audit(server.sftp)
    assert said["fail"] == []
    assert said["warn"] == []
    assert said["cves"] == []
    assert said["notes"] == [] or "throttling" not in " ".join(map(str, said["notes"]))
    assert "mlkem768x25519-sha256" in said["kex"]
    assert "kex-strict-s-v00@openssh.com" in said["kex"]


def test_audit_of_older_programs_warns_of_the_curve_alone(tmp_path: Path) -> None:
    """Who lets older programs in is told so by the audit, and of nothing worse."""
    with serving(tmp_path / "house", sftp_alone=False, sftp_programs="older") as running:
        until(lambda: greets(running.sftp), "SFTP answers")
        said = audit(running.sftp)
    assert said["fail"] == []
    assert said["warn"]
    assert all(remark.startswith("curve25519-sha256") for remark in said["warn"])


def test_process_that_dies_is_started_again(server: Server) -> None:
    """Killed, it is back within seconds on the same port, and the portal has not noticed."""
    first = child_of(server)
    os.kill(first, signal.SIGKILL)
    until(lambda: greets(server.sftp), "SFTP answers again")
    assert child_of(server) != first
    assert server.ready()
    assert "sftp.died" in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_process_ends_with_its_parent(server: Server, number: signal.Signals) -> None:
    """Asked to end, interrupted or killed: nothing listens any more, nothing is left running."""
    child = child_of(server)
    assert server.process is not None
    os.kill(server.process.pid, number)
    server.process.wait(20)
    until(lambda: not lives(child), "it ends", 15)
    assert not listens(server.sftp)


def test_server_is_stopped_and_started_on_the_same_port(server: Server) -> None:
    """A restart finds its port free, and clients find the same host key."""
    keys = []
    for _ in range(2):
        said = subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", "-p", str(server.sftp), "127.0.0.1"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        keys.append(said.stdout)
        server.stop()
        server.start()
        until(lambda: greets(server.sftp), "SFTP answers")
    assert keys[0] == keys[1]
    assert "ssh-ed25519" in keys[0]


def test_sftp_is_left_out_where_there_is_none(tmp_path: Path) -> None:
    """Without an address no process is started and no port is taken."""
    with serving(tmp_path / "house", sftp_alone=False, sftp_url="", sftp_listen="") as running:
        assert running.process is not None
        assert not listens(running.sftp)


def test_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    """Somebody else listens there: the server does not start by halves."""
    with reserved_port() as port, socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with (
            pytest.raises(RuntimeError, match="VESTIBULE_SFTP_LISTEN"),
            serving(
                tmp_path / "house",
                sftp_alone=False,
                sftp_url=f"sftp://localhost:{port}",
                sftp_listen=f"127.0.0.1:{port}",
            ),
        ):
            pass


def test_sftp_runs_alone_beside_a_server_that_leaves_it_out(tmp_path: Path) -> None:
    """`vestibule statements serve` answers with the same host key, until it is asked to end."""
    with serving(tmp_path / "house") as running:
        assert not listens(running.sftp)
        alone = subprocess.Popen(
            [*PROGRAM, "statements", "serve"],
            env=running.environment,
            cwd=running.data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            until(lambda: greets(running.sftp), "SFTP answers")
            alone.send_signal(signal.SIGTERM)
            assert alone.wait(15) == 0
            assert not listens(running.sftp)
        finally:
            alone.kill()
            alone.communicate()
