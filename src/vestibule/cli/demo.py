"""Accounts to try it with: made once, their passwords kept beside the keys to be shown again."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from vestibule import schema
from vestibule.accounts import service as accounts
from vestibule.app import open_context
from vestibule.base.sealing import Keys
from vestibule.base.settings import Settings
from vestibule.cli import demo_desk
from vestibule.cli.demo_statements import publish_samples
from vestibule.protocol.typed_code import make_typed_code

CLIENTS = {"mira": "Mira Bellini", "tomas": "Tomas Okafor"}
PEOPLE = CLIENTS | {username: name for username, (name, _) in demo_desk.STAFF.items()}


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account and the password that it was made with."""

    username: str
    password: str

    @property
    def role(self) -> str:
        """What it is at the desk; empty: a client."""
        _, role = demo_desk.STAFF.get(self.username, ("", ""))
        return str(role)


def path(settings: Settings) -> Path:
    """Where the passwords are kept."""
    return settings.data / "demo.txt"


async def prepare(settings: Settings) -> list[DemoAccount]:
    """Make the accounts that are missing and return all of them."""
    Keys.create(settings.data)
    await schema.upgrade(settings.database)
    known = _read(path(settings))
    there = {one.username for one in known}
    known += [DemoAccount(name, random_password()) for name in PEOPLE if name not in there]
    # Kept first: an account whose password nobody knows would be of no use.
    _write(path(settings), known)
    async with open_context(settings) as ctx:
        for account in known:
            if await accounts.find_account(ctx, username=account.username) is None:
                await accounts.create_account(
                    ctx,
                    username=account.username,
                    password=account.password,
                    display_name=PEOPLE.get(account.username, account.username),
                )
        found = [await accounts.find_account(ctx, username=one.username) for one in known]
        made = [account for account in found if account is not None]
        clients = [account for account in made if account.username not in demo_desk.STAFF]
        await publish_samples(ctx, clients)
        await demo_desk.hire(ctx, made)
        await demo_desk.open_desk(ctx, clients)
    return known


def random_password() -> str:
    """Sixty random bits that are easy to type: `k7fq-2m9x-hd4t`."""
    return make_typed_code(secrets.token_bytes(8)).shown.lower()


def _read(file: Path) -> list[DemoAccount]:
    if not file.exists():
        return []
    lines = (line.split() for line in file.read_text("utf-8").splitlines())
    return [DemoAccount(*words) for words in lines if len(words) == 2]


def _write(file: Path, known: list[DemoAccount]) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.writelines(f"{one.username} {one.password}\n" for one in known)
