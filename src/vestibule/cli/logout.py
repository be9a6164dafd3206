"""`vestibule logout`: end this terminal's session."""

from __future__ import annotations

from vestibule.cli import terminal
from vestibule.cli.login import kept_token, token_path, with_terminal
from vestibule.client.terminal import Terminal
from vestibule.client.token_file import forget_token


def logout() -> None:
    """End this terminal's session, at the portal and here."""
    token = kept_token()

    async def body(calls: Terminal) -> None:
        await calls.revoke(token.access_token)

    # The portal first: were it not reached, the token would live on with nobody to end it.
    with_terminal(token.portal, body)
    forget_token(token_path())
    terminal.out.print("Signed out.")
