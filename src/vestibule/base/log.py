"""The log: one event, one line of JSON on standard error, and never a secret.

Lines are ASCII, so neither a line break nor U+2028 in a name starts a line of its own. Values
are cut, and those under a name that speaks of a secret are removed, whoever logged them.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import structlog
from structlog.contextvars import bind_contextvars, merge_contextvars, reset_contextvars
from structlog.typing import EventDict, Processor

REMOVED: Final = "[removed]"
LONGEST_VALUE: Final = 2_000
_SECRET_NAMES: Final = re.compile(
    r"pass(word|phrase)|secret|token|cookie|authorization|credential|signature|private|assertion"
    r"|(^|_)(pin|key|code|challenge|response|number|otp|answer|link|body|payload|endpoint|auth)$",
    re.IGNORECASE,
)
_ALLOWED_NAMES: Final = frozenset({"code", "error_code"})
"""A code of base.errors, never one that somebody typed: those are called ``typed_code``."""
_TEXT_SECRETS: Final = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"  # Authorization headers
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # JWS and JWE
    r"|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)"  # user:password of URLs
)


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Set up structlog, and the standard library's logging (uvicorn, asyncio) through it."""
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


@contextmanager
def bound(**facts: str | int) -> Iterator[None]:
    """Put facts, such as ``request=<id>``, into every line logged within."""
    tokens = bind_contextvars(**facts)
    try:
        yield
    finally:
        reset_contextvars(**tokens)


def scrub(_logger: object, _method: str, event: EventDict) -> MutableMapping[str, Any]:
    """Remove what speaks of a secret and shorten what is long."""
    return {name: _scrubbed(name, value) for name, value in event.items()}


def _scrubbed(name: str, value: object) -> object:
    if _SECRET_NAMES.search(name) and name not in _ALLOWED_NAMES:
        return REMOVED
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {str(key): _scrubbed(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed("", inner) for inner in value]
    if isinstance(value, str):
        text = _TEXT_SECRETS.sub(REMOVED, value)
        return text if len(text) <= LONGEST_VALUE else _shortened(text)
    return value


def _shortened(text: str) -> str:
    """Both ends: a traceback says at its end what went wrong."""
    half = LONGEST_VALUE // 2
    return f"{text[:half]}[cut]{text[-half:]}"
