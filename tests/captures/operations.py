"""The operations of the vectors of captures, on the Python side."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

from vestibule.captures import Entry, headers, is_marker, sanitise, table, urls, values
from vestibule.captures.bodies import body, message

Given = dict[str, Any]


def content(given: Given) -> bytes:
    """The bytes of a file: a text, bytes, or texts that are repeated."""
    if "bytes_hex" in given:
        return bytes.fromhex(given["bytes_hex"])
    if "pieces" in given:
        return b"".join(text.encode() * times for text, times in given["pieces"])
    text: str = given["text"]
    return text.encode()


def _sanitise(given: Given) -> Given:
    out = io.BytesIO()
    entries: list[Entry] = []
    limit = given.get("limit", table.LIMITS["bytes"])
    source = io.BytesIO(content(given))
    report = sanitise(source.read, out.write, limit=limit, entry=entries.append)
    return {
        "text": out.getvalue().decode("ascii"),
        "report": json.loads(report.as_json()),
        "entries": [dataclasses.asdict(entry) for entry in entries],
    }


def _judged(judge: Callable[[list[str]], Any], name: str = "text") -> Given:
    taken: list[str] = []
    return {name: judge(taken), "removed": taken}


def _header(given: Given) -> Given:
    taken: list[str] = []
    name, value = headers.header(given["name"], given["value"], taken)
    return {"name": name, "value": value, "removed": taken}


OPERATIONS: dict[str, Callable[[Given], Given]] = {
    "sanitise": _sanitise,
    "plain": lambda given: {"plain": table.plain(given["text"])},
    "marker": lambda given: {"marker": is_marker(given["text"])},
    "reason": lambda given: {
        "reason": values.reason_of(given["name"], given["text"], given["place"])
    },
    "remove": lambda given: _judged(
        lambda taken: values.remove(given["name"], given["text"], given["place"], taken)
    ),
    "url": lambda given: _judged(lambda taken: urls.url(given["text"], taken)),
    "host": lambda given: _judged(lambda taken: urls.host(given["text"], taken)),
    "pairs": lambda given: _judged(lambda taken: urls.pairs(given["text"], given["place"], taken)),
    "header": _header,
    "media": lambda given: _judged(lambda taken: headers.media(given["text"], taken, "header")),
    "body": lambda given: _judged(lambda taken: body(given["text"], given["type"], taken)),
    "message": lambda given: _judged(lambda taken: message(given["text"], taken)),
}
