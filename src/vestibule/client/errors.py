"""What can go wrong on the phone's side of the protocol."""

from __future__ import annotations


class ClientFault(Exception):  # noqa: N818  -- its kinds below read as what they are
    """Something was not done; the message says what, for the person at the terminal."""


class Refused(ClientFault):
    """The server said no.

    `code` is the specification's, `next` what the server advises, `facts` what came with it
    (`left`, `until`, `now`).
    """

    def __init__(
        self, code: str, title: str = "", advice: str = "", facts: dict[str, object] | None = None
    ) -> None:
        super().__init__(title or code)
        self.code = code
        self.next = advice
        self.facts = facts or {}


class Unreachable(ClientFault):
    """The server could not be reached, or answered what no Vestibule server answers."""


class StateWrong(ClientFault):
    """The state file cannot be used; nothing in it was changed."""


class NotPossible(ClientFault):
    """This phone cannot do that: no such account, or a kind of request it does not know."""
