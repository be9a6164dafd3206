"""Addresses made safe (section 6 of the specification).

Cut by hand and not by a library: browsers, Python and the servers that a capture talks about
each parse addresses in their own way, and both programs must cut at the same byte.
"""

from __future__ import annotations

import re

from vestibule.captures import table
from vestibule.captures.markers import is_marker, marker
from vestibule.captures.values import detected, remove, removed, stays

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile("[^/?#]*")
_SCHEMES = frozenset(table.URLS["schemes"])
_OPAQUE = frozenset(table.URLS["opaque"])
_KEPT = frozenset(table.URLS["kept"])
_SEGMENTS = tuple(table.pattern(rule["match"]).fullmatch for rule in table.URLS["segments"])
_LONGEST = int(table.URLS["longest_segment"])
_AFTER = {
    word: rule["reason"]
    for rule in (table.URLS["after_people"], table.URLS["after"])
    for word in rule["words"]
}
_VERBS = frozenset(table.URLS["verbs"])
_REMOVED_HOST = marker("host")
_host_address = table.SHAPES["host_address"].fits
_host_label = table.SHAPES["host_label"].fits
_port = table.SHAPES["port"].fits


def url(text: str, taken: list[str]) -> str:
    """An address with everything taken out that may be a secret (§6.1)."""
    if stays(text):
        return text
    start, rest = "", text
    scheme = _SCHEME.match(text)
    if scheme:
        start, rest = scheme[0], text[scheme.end() :]
        name = table.lower(start[:-1])
        if text in _KEPT:
            return text
        if name in _OPAQUE:
            return start + (rest if is_marker(rest) else remove("", rest, "url", taken))
        if name not in _SCHEMES or not rest.startswith("//"):
            return remove("", text, "url", taken)
    if rest.startswith("//"):
        found = _AUTHORITY.match(rest, 2)
        end = found.end() if found else 2
        start += "//" + _authority(rest[2:end], taken)
        rest = rest[end:]
    before, hash_mark, fragment = rest.partition("#")
    safe = start + _path_and_query(before, taken)
    return safe + "#" + _fragment(fragment, taken) if hash_mark else safe


def _path_and_query(text: str, taken: list[str]) -> str:
    path, question_mark, query = text.partition("?")
    safe = _path(path, taken)
    return f"{safe}?{pairs(query, 'query', taken)}" if question_mark else safe


def _fragment(text: str, taken: list[str]) -> str:
    if stays(text):
        return text
    if text.startswith("/"):
        return _path_and_query(text, taken)
    if text.startswith("!/"):
        return "!" + _path_and_query(text[1:], taken)
    if "=" in text:
        return pairs(text, "query", taken)
    return _segment(text, "", taken)


def _authority(text: str, taken: list[str]) -> str:
    user, at_sign, rest = text.rpartition("@")
    if not at_sign:
        return host(rest, taken)
    if not is_marker(user):
        user = removed("url-user", user, taken)
    return f"{user}@{host(rest, taken)}"


def host(text: str, taken: list[str]) -> str:
    """A host with its port; labels that look like keys go (§6.3)."""
    if stays(text):
        return text
    if text.startswith("["):
        address, _, rest = text.rpartition("]")
        fits = _host_address(address + "]") and (not rest or rest[0] == ":")
        return text if fits and _is_port(rest[1:]) else removed("host", text, taken)
    name, colon, port = text.rpartition(":")
    if not colon:
        name, port = text, ""
    if not _is_port(port):
        return removed("host", text, taken)
    prefix = ""
    if name.startswith(_REMOVED_HOST + "."):
        prefix, name = _REMOVED_HOST + ".", name[len(_REMOVED_HOST) + 1 :]
    elif name == _REMOVED_HOST:
        return text
    labels = name.split(".")
    wrong = [place for place, label in enumerate(labels) if label and not _host_label(label)]
    if wrong:
        taken.append("host")
        name = ".".join([_REMOVED_HOST, *labels[wrong[-1] + 1 :]])
        prefix = ""
    return prefix + name + colon + port


def _is_port(text: str) -> bool:
    return not text or _port(text)


def _path(text: str, taken: list[str]) -> str:
    previous = ""
    segments = []
    for segment in text.split("/"):
        safe = _segment(segment, previous, taken)
        segments.append(safe)
        if segment:
            previous = table.lower(segment) if safe == segment else ""
    return "/".join(segments)


def _segment(text: str, previous: str, taken: list[str]) -> str:
    """One part of a path, after the one before it (§6.4)."""
    if text in {"", ".", ".."} or is_marker(text):
        return text
    if len(text) > _LONGEST:
        return remove(previous, text, "path", taken)
    after = _AFTER.get(previous)
    if after and table.lower(text) not in _VERBS:
        return removed(detected(text) or after, text, taken)
    if any(matches(text) for matches in _SEGMENTS):
        return text
    return remove(previous, text, "path", taken)


def pairs(text: str, place: str, taken: list[str]) -> str:
    """A query or form: plain names stay, values only when they are harmless (§6.5)."""
    return "&".join(_pair(piece, place, taken) for piece in text.split("&"))


def _pair(piece: str, place: str, taken: list[str]) -> str:
    if stays(piece):
        return piece
    name, equals, value = piece.partition("=")
    if not equals:
        return remove("", piece, place, taken)
    if not table.plain(name) and not is_marker(name):
        if stays(value):
            taken.append(place)
            return marker(place)
        return remove(name, value, place, taken)
    return f"{name}={pair_value(name, value, place, taken)}"


def pair_value(name: str, value: str, place: str, taken: list[str]) -> str:
    """The value of a parameter or field."""
    if stays(value) or table.harmless(name, value):
        return value
    return remove(name, value, place, taken)
