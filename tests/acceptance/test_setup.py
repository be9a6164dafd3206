"""`vestibule statements setup` on a client's machine, and what its programs do with it."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.press import Press, press
from tests.delivering import Shelves
from tests.fetching import Machine, wait_for_sftp
from tests.serving import PROGRAM
from vestibule.app import open_context
from vestibule.base.database import Tx
from vestibule.base.settings import Settings
from vestibule.client.terminal import Token
from vestibule.client.token_file import keep_token
from vestibule.sessions import service as sessions
from vestibule.sessions.rules import Proof
from vestibule.web.visitor import Visitor

pytestmark = pytest.mark.processes


def test_setup_leads_real_programs_to_the_real_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """`statements setup` writes what OpenSSH and lftp fetch with, and says how."""
    with press(request, "sqlite", sftp_alone=False) as opened:
        server = opened.server
        wait_for_sftp(server.sftp)
        assert opened.put("2026-04-01.csv", b"a,b\r\n")[0] == 201
        machine = Machine(tmp_path / "client", server.sftp)
        public = machine.make_key()
        token = asyncio.run(_signed_in(opened, public))
        config = tmp_path / "client" / "config" / "vestibule"
        keep_token(config / "token.json", token)
        environment = {**server.environment, "XDG_CONFIG_HOME": str(config.parent)}
        done = subprocess.run(
            [*PROGRAM, "statements", "setup", "--key", str(machine.key)],
            env=environment | {"HOME": str(machine.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "is registered: SHA256:" in done.stdout
        commands = [line.strip() for line in done.stdout.splitlines() if "statements" in line]
        mirror = next(line for line in commands if line.startswith("sftp") and " -b " in line)
        assert machine.run("sh", "-c", mirror).code == 0
        assert (machine.folder / "daily" / "2026-04-01.csv").read_bytes() == b"a,b\r\n"
        mirror = next(line for line in commands if line.startswith("lftp"))
        fetched = machine.run("sh", "-c", mirror)
        assert fetched.code == 0, fetched
        fetched_file = machine.folder / "statements" / "daily" / "2026-04-01.csv"
        assert fetched_file.read_bytes() == b"a,b\r\n"


async def _signed_in(opened: Press, public: bytes) -> Token:
    """Mira's home, open to this key, and a terminal of hers, which her phone let in before."""
    async with Shelves.opened(opened.url, opened.server.data) as shelves:
        account_id = await shelves.account_id("mira")
        await shelves.let_in(account_id, public)
    here = Visitor(address="127.0.0.1", source="127.0.0.1", browser="", place="")
    settings = Settings(data=opened.server.data, database_url=opened.url)
    async with open_context(settings) as ctx:

        async def body(tx: Tx) -> sessions.NewSession:
            return await sessions.open_terminal_session(
                tx,
                ctx,
                account_id=account_id,
                attempt_id=None,
                proof=Proof.PUSH,
                enrollment_id=None,
                name="laptop",
                visitor=here,
                now=ctx.clock.now(),
            )

        token = (await ctx.db.write(body)).cookie
    return Token(
        portal=opened.server.portal, access_token=token, expires_at=0, acr="", proof="push"
    )
