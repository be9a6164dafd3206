"""Headers and cookies made safe (section 7 of the specification)."""

from __future__ import annotations

from collections.abc import Callable

from vestibule.captures import table
from vestibule.captures.markers import is_marker, marker
from vestibule.captures.urls import host, url
from vestibule.captures.values import remove, safe_name, stays

_MEDIA_PIECE = table.SHAPES["media"].fits
_SPECIAL = frozenset(table.MEDIA["special"])
_CHARSETS = frozenset(table.MEDIA["charsets"])
_directive = table.SHAPES["csp_directive"].fits
_source = table.SHAPES["csp_source"].fits
_SOURCE_SCHEMES = tuple(f"{scheme}://" for scheme in table.URLS["schemes"])


def header(name: str, value: str, taken: list[str]) -> tuple[str, str]:
    """Name and value of a header (§7.1)."""
    safe = safe_name(name, "header", taken)
    return safe, header_value(name, value, taken)


def header_value(name: str, value: str, taken: list[str]) -> str:
    """The value of a header: by the rule that names the header, or taken out."""
    if stays(value):
        return value
    keep = table.HEADERS.get(table.lower(name), "")
    special = _SPECIALS.get(keep)
    if special:
        return special(name, value, taken)
    if keep and table.SHAPES[keep].fits(value):
        return value
    return remove(name, value, "header", taken, sized=True)


def type_of(text: str) -> str:
    """The media type without its parameters, in lower case."""
    return table.lower(text.partition(";")[0].strip(" "))


def media(text: str, taken: list[str], place: str) -> str | None:
    """A media type with the parameters that are harmless; None when it is none (§7.2)."""
    kind, _, rest = text.partition(";")
    kind = kind.strip(" ")
    if not _MEDIA_PIECE(table.lower(kind)) and table.lower(kind) not in _SPECIAL:
        return None
    parameters = [piece.strip(" ") for piece in rest.split(";")]
    parameters = [piece for piece in parameters if piece]
    kept = [piece for piece in parameters if _is_charset(piece)]
    if len(kept) == len(parameters):
        return text
    taken.extend([place] * (len(parameters) - len(kept)))
    return "; ".join([kind, *kept])


def _is_charset(piece: str) -> bool:
    name, _, value = piece.partition("=")
    return table.lower(name) == "charset" and table.lower(value.replace('"', "")) in _CHARSETS


def _media(name: str, value: str, taken: list[str]) -> str:
    safe = media(value, taken, "header")
    return remove(name, value, "header", taken, sized=True) if safe is None else safe


def _origin(_name: str, value: str, taken: list[str]) -> str:
    return value if value in {"*", "null"} else url(value, taken)


def _credentials(_name: str, value: str, taken: list[str]) -> str:
    """The scheme stays, what it carries goes (§7.3)."""
    scheme, space, rest = value.partition(" ")
    if table.lower(scheme) not in table.CREDENTIALS:
        return remove("", value, "authorization", taken, sized=True)
    if not space:
        return value
    safe = rest if is_marker(rest) else remove("", rest, "authorization", taken, sized=True)
    return f"{scheme} {safe}"


def _policy(_name: str, value: str, taken: list[str]) -> str:
    """A content security policy without nonces, hashes, paths and reporting (§7.4)."""
    dropped = 0
    directives = []
    for directive in value.split(";"):
        words = [word for word in directive.split(" ") if word]
        if not words:
            continue
        name = table.lower(words[0])
        if not _directive(name) or name in table.DROPPED_DIRECTIVES:
            dropped += 1
            continue
        kept = [word for word in words[1:] if _source(word) or _host_source(word)]
        dropped += len(words) - 1 - len(kept)
        directives.append(" ".join([words[0], *kept]))
    if not dropped:
        return value
    taken.extend(["header"] * dropped)
    return "; ".join(directives)


def _host_source(word: str) -> bool:
    for scheme in _SOURCE_SCHEMES:
        if word.startswith(scheme):
            word = word[len(scheme) :]
            break
    word = word.removesuffix("/").removesuffix(":*")
    return "." in word and not is_marker(word) and host(word, []) == word


def cookie_value(value: str, taken: list[str]) -> str:
    """The value of a cookie: never kept."""
    return value if stays(value) else remove("", value, "cookie", taken, sized=True)


def _cookie_pair(piece: str, taken: list[str]) -> str:
    if is_marker(piece):
        return piece
    name, equals, value = piece.partition("=")
    if not equals or not (table.plain(name) or is_marker(name)):
        taken.append("cookie")
        return marker("cookie")
    return f"{name}={cookie_value(value, taken)}"


def _pieces(text: str) -> list[str]:
    stripped = (piece.strip(" ") for piece in text.split(";"))
    return [piece for piece in stripped if piece]


def _cookie(_name: str, value: str, taken: list[str]) -> str:
    return "; ".join(_cookie_pair(piece, taken) for piece in _pieces(value))


def _set_cookie(_name: str, value: str, taken: list[str]) -> str:
    """Cookies as a server sets them, one a line (§7.5)."""
    lines = []
    for line in value.split("\n"):
        pieces = _pieces(line)
        safe = [_cookie_pair(piece, taken) for piece in pieces[:1]]
        safe += [kept for piece in pieces[1:] if (kept := _attribute(piece, taken))]
        lines.append("; ".join(safe))
    return "\n".join(lines)


def _attribute(piece: str, taken: list[str]) -> str:
    name, equals, value = piece.partition("=")
    known = table.lower(name)
    keep = table.COOKIE_ATTRIBUTES.get(known)
    if known not in table.COOKIE_ATTRIBUTES or bool(equals) != bool(keep):
        taken.append("header")
        return ""
    if not keep:
        return piece
    return f"{name}={_attribute_value(keep, value, taken)}"


def _attribute_value(keep: str, value: str, taken: list[str]) -> str:
    if stays(value):
        return value
    if keep == "@url":
        return url(value, taken)
    if keep == "@host":
        return host(value, taken)
    if table.SHAPES[keep].fits(value):
        return value
    taken.append("header")
    return marker("header")


_SPECIALS: dict[str, Callable[[str, str, list[str]], str]] = {
    "@url": lambda _name, value, taken: url(value, taken),
    "@host": lambda _name, value, taken: host(value, taken),
    "@media": _media,
    "@origin": _origin,
    "@credentials": _credentials,
    "@policy": _policy,
    "@cookie": _cookie,
    "@set_cookie": _set_cookie,
}
