"""A capture with every member that is known, and secrets put into any place of it."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from vestibule.captures import table

Path = tuple[str | int, ...]


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


DECORATIONS: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: f"https://portal.example/a/{secret}/b",
    lambda secret: f"https://portal.example/a?page={secret}&lang=en",
    lambda secret: f"https://portal.example/a?{secret}=1#{secret}",
    lambda secret: f"https://{secret}:{secret}@{secret}.example/",
    lambda secret: f"/x#a={secret}",
    lambda secret: f"data:text/plain,{secret}",
    lambda secret: f"user=mira&password={secret}&{secret}",
    lambda secret: json.dumps({"status": secret, secret: [secret, {"a": secret}]}),
    lambda secret: json.dumps(json.dumps({"token": secret})),
    lambda secret: f"Bearer {secret}",
    lambda secret: f"text/html; charset={secret}",
    lambda secret: f"max-age=60, x={secret}",
    lambda secret: f"sid={secret}; Path=/{secret}; Domain={secret}.example",
    lambda secret: f"default-src 'self' 'nonce-{secret}' https://{secret}.example/{secret}",
    lambda secret: f"Mozilla/5.0 ({secret}) Safari/1.0",
    lambda secret: f"~removed.{secret}~",
    lambda secret: f"~removed.jwt.20.HS256.{secret}~",
    lambda secret: f"net::ERR_{secret}",
    lambda secret: f"GET {secret}",
    lambda secret: f" \t{secret}\u00e9\U0001f600",
    lambda secret: f"{secret}.eyJhIjoxfQ.{secret}",
    lambda secret: f"eyJhbGciOiJIUzI1NiJ9.{_part(json.dumps({secret: 1}))}.{secret}",
)


def spellings(secret: str) -> tuple[bytes, ...]:
    """The ways in which a secret could still be read from a file."""
    encoded = base64.b64encode(secret.encode()).decode()
    return tuple(
        text.encode()
        for text in (
            secret,
            secret.lower(),
            quote(secret, safe=""),
            "".join(f"%{ord(letter):02x}" for letter in secret),
            "".join(f"\\u{ord(letter):04x}" for letter in secret),
            encoded.rstrip("="),
            secret.encode().hex(),
            secret[::-1],
            # Half of it is too much too.
            secret[: len(secret) // 2],
            secret[len(secret) // 2 :],
        )
    )


def _value(keep: str) -> Any:
    shape = table.SHAPES.get(keep)
    if shape is not None and shape.number:
        return 5
    return {"@url": "https://portal.example/x", "@flag": True, "@media": "text/html"}.get(keep, "x")


def full(name: str = "root") -> dict[str, Any]:
    """An object with every member that the table knows, and one that it does not."""
    made: dict[str, Any] = {"_unknown": {"deep": ["x"]}}
    for member, treatment in table.STRUCTURE[name].members.items():
        if treatment.object:
            made[member] = full(treatment.object)
        elif treatment.list:
            made[member] = [full(treatment.list)]
        else:
            made[member] = "x" if treatment.drop else _value(treatment.keep)
    return made


def capture() -> dict[str, Any]:
    """A capture in which each thing that has rules of its own occurs."""
    made = full()
    entry = made["log"]["entries"][0]
    entry["request"]["headers"] = [{"name": name, "value": "x"} for name in (*table.HEADERS, "x-a")]
    entry["response"]["headers"] = copy.deepcopy(entry["request"]["headers"])
    made["log"]["entries"] = []
    for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data",
                 "text/plain", "text/html", ""):  # fmt: skip
        one = copy.deepcopy(entry)
        one["request"]["postData"]["mimeType"] = kind
        one["response"]["content"] = {"size": 5, "mimeType": kind, "text": "x"}
        one["_webSocketMessages"].append({"opcode": 1, "data": "x"})
        made["log"]["entries"].append(one)
    return made


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to each text and number."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif not isinstance(value, bool):
        yield path


def planted(made: dict[str, Any], path: Path, value: str | int) -> bytes:
    """The capture as a file, with another value in one place; a number only in a number's place."""
    *way, last = path
    holder: Any = made
    for step in way:
        holder = holder[step]
    before = holder[last]
    holder[last] = value
    try:
        return json.dumps(made).encode()
    finally:
        holder[last] = before


def planted_everywhere(made: Any, value: str) -> Any:
    """The capture with this text in the place of every text."""
    if isinstance(made, dict):
        return {name: planted_everywhere(inner, value) for name, inner in made.items()}
    if isinstance(made, list):
        return [planted_everywhere(inner, value) for inner in made]
    return value if isinstance(made, str) else made


def under_other_names(made: Any, name: str) -> Any:
    """The capture with one member more of this name in every object."""
    if isinstance(made, dict):
        inner = {key: under_other_names(value, name) for key, value in made.items()}
        return inner | {name: inner.copy()}
    if isinstance(made, list):
        return [under_other_names(inner, name) for inner in made]
    return made
