"""What the protocol can refuse, each with the stable code of spec/protocol.md.

Every parser and check of this package raises a `ProtocolFault` and nothing else,
whatever it is fed: the caller has one thing to catch, and the code to pass on.
"""

from __future__ import annotations

from typing import ClassVar


class ProtocolFault(Exception):  # noqa: N818  -- its kinds below read as what they are
    """The peer's input was refused.

    `code` is stable and may be shown to the peer; `reason` is for the log only.
    """

    code: ClassVar[str] = "message_malformed"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"{self.code}: {reason}" if reason else self.code)
        self.reason = reason


class MessageMalformed(ProtocolFault):
    """A message cannot be parsed, or breaks a MUST of the specification."""

    code = "message_malformed"


class JsonMalformed(ProtocolFault):
    """Bytes that should be JSON are not, or are JSON that two readers could read differently."""

    code = "json_malformed"


class SignatureWrong(ProtocolFault):
    """A signature does not hold, or holds for something else than it is presented for."""

    code = "signature_wrong"


class ClockWrong(ProtocolFault):
    """A message is dated further from the reader's clock than section 2 allows."""

    code = "clock_wrong"


class TicketExpired(ProtocolFault):
    """The enrol-request inside an enrol-response is over."""

    code = "ticket_expired"


class RequestExpired(ProtocolFault):
    """An approval-request is over: there is nothing left to answer."""

    code = "request_expired"


class ServerForeign(ProtocolFault):
    """The server's signing key is not the one that the activation link pins."""

    code = "server_foreign"


class SuiteUnsupported(ProtocolFault):
    """An OCRA suite that is not in RFC 6287's grammar, or inputs that do not fit it."""

    code = "suite_unsupported"


class _Coded(ProtocolFault):
    """A refusal whose code depends on the rule that was broken."""

    def __init__(self, code: str, reason: str = "") -> None:
        self.code = code  # type: ignore[misc]  # a class of refusals, one code each
        super().__init__(reason)


class PinRefused(_Coded):
    """A PIN breaks a rule of section 4; the code says which."""


class CodeRefused(_Coded):
    """A typed code breaks a rule of section 5: `code_characters` or `code_length`."""


class LinkRefused(_Coded):
    """A link cannot be used: `link_foreign`, `link_version` or `link_malformed`."""
