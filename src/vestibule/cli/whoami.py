"""`vestibule whoami`: whose session this terminal holds."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape

from vestibule.cli import terminal
from vestibule.cli.login import kept_token, with_terminal
from vestibule.client.terminal import Terminal


def whoami() -> None:
    """Show who is signed in here, where, how sure the portal is of it, and until when."""
    token = kept_token()

    async def body(calls: Terminal) -> None:
        me = await calls.whoami(token.access_token)
        until = datetime.fromtimestamp(me["expires_at"] / 1000, UTC)
        terminal.out.print(
            f"[bold]{escape(me['username'])}[/] at {escape(me['organisation'])} "
            f"({escape(token.portal)}), {escape(me['acr'].rpartition(':')[2])} by "
            f"{escape(me['proof'])}, until {until:%Y-%m-%d %H:%M} UTC"
        )

    with_terminal(token.portal, body)
