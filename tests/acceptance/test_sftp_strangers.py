"""What a stranger learns over SSH of who fetches statements: nothing by words or by time.

Names of three kinds are tried in random order with a key that nobody has registered. Ranks are
compared, as in `test_enumeration`: how often one kind takes longer than another is a half where
nothing can be told apart. Only the part that knows the name is timed, from the host's key to the
refusal. A name that somebody has costs some hundredths of a millisecond more, which ranks on one
machine show and a network hides; what a network lets through is compared.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import asyncssh
import pytest

from tests.acceptance.test_enumeration import SHARE, share
from tests.delivering import Shelves
from tests.fetching import HOST, wait_for_sftp
from tests.serving import Server, serving

pytestmark = [pytest.mark.processes, pytest.mark.slow]

EACH = 80
_LATE_S = 0.02
"""What the control adds: several times what any of the three costs."""
_APART_S = 0.002
"""Less than this is lost between two machines, and between two processes of a busy one."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets one address try as often as this test does."""
    data = tmp_path_factory.mktemp("strangers")
    with serving(
        data,
        database_url=f"sqlite:///{data / 'vestibule.db'}",
        telling=False,
        sftp_alone=False,
        sftp_handshakes_per_second=10_000,
    ) as running:
        wait_for_sftp(running.sftp)
        yield running


async def homes(server: Server) -> dict[str, str]:
    """A username of each kind."""
    mine = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
    url = f"sqlite:///{server.data / 'vestibule.db'}"
    async with Shelves.opened(url, server.data) as shelves:
        near = await shelves.let_in(await shelves.account_id("near"), mine)
        far = await shelves.let_in(
            await shelves.account_id("far"), mine, networks=("203.0.113.0/24",)
        )
    return {"known": near, "known, from elsewhere": far, "unknown": "hj4kmnp9qz"}


async def tried(
    port: int, name: str, key: asyncssh.SSHKey, *, late: float = 0.0
) -> tuple[float, str]:
    """Seconds until the refusal, and what it says."""
    moments: list[float] = []

    class Client(asyncssh.SSHClient):
        """Notes when the host has shown its key, which any will do."""

        def validate_host_public_key(
            self, host: str, addr: str, port: int, key: asyncssh.SSHKey
        ) -> bool:
            moments.append(time.perf_counter())
            return True

    try:
        await asyncssh.connect(
            HOST, port, username=name, known_hosts=b"", client_factory=Client, config=None,
            agent_path=None, client_keys=[key], preferred_auth="publickey",
        )  # fmt: skip
    except asyncssh.PermissionDenied as refused:
        await asyncio.sleep(late)
        return time.perf_counter() - moments[0], str(refused).replace(name, "NAME")
    raise AssertionError("a stranger was let in")


async def test_ssh_usernames_cannot_be_told_apart(server: Server) -> None:
    """By what is said, or by the time until it is said; a delay of 20 ms would be seen."""
    for name in ("near", "far"):
        await asyncio.to_thread(server.add_account, name)
    names = await homes(server)
    key = asyncssh.generate_private_key("ssh-ed25519")
    took: dict[str, list[float]] = defaultdict(list)
    said: dict[str, set[str]] = defaultdict(set)
    turns = [kind for kind in (*names, "control") for _ in range(EACH)]
    random.Random(4).shuffle(turns)
    for kind in turns:
        late = _LATE_S if kind == "control" else 0.0
        seconds, words = await tried(server.sftp, names.get(kind, names["unknown"]), key, late=late)
        took[kind].append(seconds)
        said[kind].add(words)
    assert len(set.union(*said.values())) == 1, said
    shares = {(a, b): share(took[a], took[b], apart=_APART_S) for a, b in combinations(names, 2)}
    assert all(abs(value - 0.5) < SHARE for value in shares.values()), shares
    assert share(took["control"], took["unknown"], apart=_APART_S) > 0.5 + SHARE
