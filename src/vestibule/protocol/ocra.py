"""Challenge and response (section 9): RFC 6287, and a fast path for the suite in use.

`ocra` computes any suite of the RFC; it is there so that the RFC's own vectors prove the
encoding. `response` and `find_counter` do the one suite of the protocol, for the server
searches up to 500 counters.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from vestibule.protocol.errors import SuiteUnsupported

SUITE = "OCRA-1:HOTP-SHA256-8:C-QN06"
WINDOW = 5
REACH = 500
_PREFIX = SUITE.encode("ascii") + b"\0"
_QUESTION_BYTES = 128
_COUNTER_END = 2**64
_BLOCK = 64

_GRAMMAR = re.compile(
    r"\AOCRA-1:HOTP-(?P<hash>SHA1|SHA256|SHA512)-(?P<digits>0|4|5|6|7|8|9|10):"
    r"(?P<counter>C-)?Q(?P<kind>[ANH])(?P<size>0[4-9]|[1-5][0-9]|6[0-4])"
    r"(?:-P(?P<pin>SHA1|SHA256|SHA512))?(?:-S(?P<session>[0-9]{3}))?"
    r"(?:-T(?P<step>[1-9][0-9]?[SM]|[1-9][0-9]?H))?\Z"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A counter whose response is the given one.

    `near` says that it lies in the window that is accepted at once; otherwise it is only a
    hint where the phone's counter has gone, to be confirmed by one more response.
    """

    counter: int
    near: bool


def response(key: bytes, challenge: str, counter: int) -> str:
    """Return the eight digits for a six-digit challenge at a counter."""
    message = _PREFIX + counter.to_bytes(8, "big") + _question("N", challenge)
    return _truncate(hmac.digest(key, message, "sha256"), 8)


def find_counter(key: bytes, challenge: str, given: str, last: int) -> Match | None:
    """Find the lowest counter above `last` with this response, at most `REACH` further on.

    `given` is eight ASCII digits. The time it takes tells at most how far the phone's counter
    has moved, which is no secret; a wrong response always takes the whole search.
    """
    # The key's two hash states are made once: half of the cost of one HMAC is its key.
    padded = key.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    inner.update(_PREFIX)
    question = _question("N", challenge)
    wanted = int(given)
    for counter in range(last + 1, min(last + REACH + 1, _COUNTER_END)):
        body, whole = inner.copy(), outer.copy()
        body.update(counter.to_bytes(8, "big") + question)
        whole.update(body.digest())
        if _number(whole.digest()) % 100_000_000 == wanted:
            return Match(counter, near=counter <= last + WINDOW)
    return None


def ocra(
    suite: str,
    key: bytes,
    *,
    question: str,
    counter: int | None = None,
    pin: str | None = None,
    session: bytes | None = None,
    time_steps: int | None = None,
) -> str:
    """Compute a response by any suite of RFC 6287 section 6.

    `time_steps` is the number of whole steps since the epoch. Raises `SuiteUnsupported` for
    a suite outside the grammar and for inputs that it does not name or that do not fit.
    """
    match = _GRAMMAR.match(suite)
    if match is None:
        raise SuiteUnsupported(suite)
    named = (match["counter"], match["pin"], match["session"], match["step"])
    given = (counter, pin, session, time_steps)
    if any((name is None) != (value is None) for name, value in zip(named, given, strict=True)):
        raise SuiteUnsupported("inputs do not fit the suite")
    # Mutual suites join two questions (section 7.2).
    if len(question) > 2 * int(match["size"]) or len(session or b"") > int(match["session"] or 0):
        raise SuiteUnsupported("question or session too long")
    message = suite.encode("ascii") + b"\0"
    try:
        if counter is not None:
            message += counter.to_bytes(8, "big")
        message += _question(match["kind"], question)
        if pin is not None:
            message += hashlib.new(match["pin"], pin.encode("utf-8")).digest()
        if session is not None:
            message += session.rjust(int(match["session"]), b"\0")
        if time_steps is not None:
            message += time_steps.to_bytes(8, "big")
    except (ValueError, OverflowError):
        raise SuiteUnsupported("inputs do not fit the suite") from None
    digest = hmac.digest(key, message, match["hash"].lower())
    digits = int(match["digits"])
    return _truncate(digest, digits) if digits else digest.hex()


def _question(kind: str, question: str) -> bytes:
    """Encode a question as RFC 6287 section 5.1 does: hexadecimal, zeroes to its right."""
    if kind == "A":
        return question.encode("ascii").ljust(_QUESTION_BYTES, b"\0")
    digits = format(int(question), "X") if kind == "N" else question
    return bytes.fromhex(digits.ljust(2 * _QUESTION_BYTES, "0"))


def _number(digest: bytes) -> int:
    """Take 31 bits of a digest by RFC 4226 section 5.3."""
    start = digest[-1] & 15
    return int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF


def _truncate(digest: bytes, digits: int) -> str:
    return f"{_number(digest) % 10**digits:0{digits}d}"
