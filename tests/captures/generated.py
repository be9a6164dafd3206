"""Captures made up from a seed: what browsers write, what forgers write, and what is broken."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from typing import Any

from vestibule.captures.table import COOKIE_ATTRIBUTES, HEADERS, REASONS, STRUCTURE

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ODD = (
    "\x00", "\x1f", "\x7f", "\u0085", "\u00e9", "\u0130", "\u017f", "\u1e9e", "\u212a", "\u2028",
    "\ufeff", "\uffff", "\U0001f600", "\U00010428", "\u0660", "\u00a0", "\ud800", "\udc00",
    "\ud83d\ude00", '"', "\\", "\n", "\t", "/", "%", "~", "<", " ", "+", "=", "&", ";", ",", "@",
)  # fmt: skip
_WORDS = (
    "page", "status", "error", "token", "session", "reset", "users", "api", "v2", "index.html",
    "login", "password", "card", "otp", "email", "lang", "type", "localStorage", "code", "state",
    "app.3f9a.js", "ok", "true", "null", "42", "2026", "next", "SAMLResponse", "id", "name",
)  # fmt: skip
_URLS = (
    "https://", "http://", "wss://", "//", "data:", "blob:", "javascript:", "about:blank", "HTTPS://",
    "ftp://", "mailto:", "x-y+z.1:", "https:", "/", "?", "#", "#!/", "#/", "https://[::1]:80/",
    "https://user:pw@", "https://a@b@", "https://~removed.host~.example.com:8", "https://h:80:90/",
)  # fmt: skip
_MARKERS = (
    "~removed.jwt.120.RS256.iss-exp_1700000000-others_3~", "~removed.jwt.9.other.none~",
    "~removed.jwt.9.HS256.encrypted~", "~removed.jwt.9.HS256.exp_1~", "~removed.jwt.9.HS256.bob~",
    "~removed.jwt.9.HS256.others_2-iss~", "~removed.password.3~", "~removed.cookie.012~",
    "~removed.~", "~removed.none~", "~removed.cookie.7~x", "~removed.jwt.9.HS256~",
    "~removed.jwt.9.HS256.others_1~", "~removed.jwt.9.HS256.~",
)  # fmt: skip
_CARDS = ("4111 1111 1111 1111", "4111111111111112", "5500-0000-0000-0004", "378282246310005")
_MEDIA = (
    "application/json", "text/html; charset=utf-8", "application/x-www-form-urlencoded", "",
    "multipart/form-data; boundary=x", "text/plain;charset=UTF-8;x=1", "application/vnd.api+json",
    "image/png", "TEXT/HTML", "x-unknown", "nonsense", ' application/json ; charset="utf-8"',
)  # fmt: skip


class Maker:
    """One capture after the other; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def capture(self) -> bytes:
        """A file: mostly a whole capture, sometimes one that is broken somewhere."""
        made = self.thing("root", 0)
        text = self.random.choice((self.compact, self.indented, self.escaped))(made)
        raw = text.encode("utf-8", "surrogatepass")
        return self.broken(raw) if self.random.random() < 0.25 else raw

    @staticmethod
    def compact(made: object) -> str:
        """As few bytes as possible; what no JSON may hold bare is escaped."""
        text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) < 0xE000 else c for c in text)

    @staticmethod
    def indented(made: object) -> str:
        """As people read it."""
        return json.dumps(made, indent=2)

    @staticmethod
    def escaped(made: object) -> str:
        """With slashes escaped, a byte order mark before it, and space at the end."""
        return "\ufeff" + json.dumps(made).replace("/", "\\/") + " \r\n\t"

    def broken(self, raw: bytes) -> bytes:
        """Cut, or with bytes changed, added or taken out."""
        rng = self.random
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw)) if raw else 0
            how = rng.randrange(5)
            if how == 0:
                raw = raw[:at]
            elif how == 1:
                raw = raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
            elif how == 2:
                raw = raw[:at] + raw[at + 1 :]
            elif how == 3:
                piece = rng.choice((b",", b"}", b"]", b'"', b"\\", b"[", b"{", b"\xc0\x80", b"nul"))
                raw = raw[:at] + piece + raw[at:]
            else:
                end = min(len(raw), at + rng.randrange(40))
                raw = raw[:at] + raw[at:end] * 2 + raw[end:]
        return raw

    def thing(self, where: str, depth: int) -> dict[str, Any]:
        """An object of the structure, with most of its members and a few strange ones."""
        known, rng = STRUCTURE[where], self.random
        made: dict[str, Any] = {}
        for name, how in known.members.items():
            if name not in known.needs and rng.random() < 0.2:
                continue
            if how.object:
                made[name] = self.thing(how.object, depth + 1)
            elif how.list:
                most = 6 if where == "log" else 4
                made[name] = [self.thing(how.list, depth + 1) for _ in range(rng.randrange(most))]
            else:
                made[name] = self.member(where, name, how.keep)
            if rng.random() < 0.004:
                made[name] = rng.choice((None, 3, [], {}, "x", [1], True))
        if rng.random() < 0.05:
            made[rng.choice(("_extra", "session-Storage", "x", "é"))] = self.json_value(3)
        items = list(made.items())
        rng.shuffle(items)
        return dict(items)

    def member(self, where: str, name: str, keep: str) -> object:
        """A value that may stand there, or not quite."""
        rng = self.random
        if where == "header" and name == "name":
            return rng.choice((*HEADERS, "X-Api-Key", "Set-Cookie", "COOKIE", self.text()))
        if name == "mimeType":
            return rng.choice(_MEDIA)
        if name == "opcode":
            return rng.choice((1, 2, 1.0))
        if keep in {"time", "size", "status", "small"}:
            return rng.choice((0, -1, 200, 404, 12.345, 1e300, 123456789012345, rng.random() * 1e4))
        if keep == "@flag":
            return rng.random() < 0.5
        if name == "encoding":
            return rng.choice(("", "base64", None))
        if keep == "method":
            return rng.choice(("GET", "POST", "get", "BREW"))
        return self.text()

    def text(self) -> str:
        """A text of any kind."""
        rng = self.random
        simple = (self.word, self.secret, self.odd, self.url, self.pairs, self.marker, self.card)
        made = (self.jwt, self.json_text, self.cookie, self.policy, self.multipart, self.url)
        return rng.choice((*simple, self.word, *made))()

    def word(self) -> str:
        """One that people use."""
        return self.random.choice(_WORDS)

    def secret(self) -> str:
        """One that nobody would remember."""
        length = self.random.choice((1, 5, 16, 40, 79, 80, 81, 128, 129, 300))
        return "".join(self.random.choices(_LETTERS, k=length))

    def odd(self) -> str:
        """Characters in which programs differ."""
        rng = self.random
        pieces = rng.choices((*_ODD, "abc", "a", "Z9"), k=rng.randrange(1, 90))
        return "".join(pieces)

    def url(self) -> str:
        """An address, or nearly one."""
        rng = self.random
        host = rng.choice(
            ("portal.example.com", "a8f3e9c2d4b5a697.cdn.example", "10.0.0.1:8443", "")
        )
        path = "/".join(rng.choice((self.word, self.secret, self.odd))() for _ in range(3))
        query = rng.choice(("", f"?{self.pairs()}"))
        mark = rng.choice(
            ("", f"#{self.word()}", f"#{self.pairs()}", f"#/{self.word()}?{self.pairs()}")
        )
        return f"{rng.choice(_URLS)}{host}/{path}{query}{mark}"

    def pairs(self) -> str:
        """A query or form."""
        rng = self.random
        names = [
            rng.choice((self.word, self.secret, self.odd))() for _ in range(rng.randrange(1, 5))
        ]
        values = (rng.choice((self.word, self.secret, self.odd, self.marker)) for _ in names)
        return "&".join(
            f"{name}={value()}" if rng.random() < 0.9 else name
            for name, value in zip(names, values, strict=True)
        )

    def marker(self) -> str:
        """A marker, or one that is forged."""
        made = f"~removed.{self.random.choice(REASONS)}~"
        return self.random.choice((*_MARKERS, made))

    def jwt(self) -> str:
        """A token with claims, known and unknown, sometimes encrypted or damaged."""
        rng = self.random
        head = rng.choice(({"alg": "RS256", "kid": "x"}, {"alg": "XX"}, {"alg": 3}, {"typ": "JWT"}))
        names = ("iss", "sub", "exp", "iat", "nbf", "email", "bob", "é", "auth_time", "tid")
        body = {name: rng.choice((1700000000, 17.5, "x", 1, None)) for name in rng.sample(names, 6)}
        if rng.random() < 0.1:
            body |= {f"claim{number}": 1 for number in range(1200)}
        parts = [
            urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in (head, body)
        ]
        parts += ["c2lnbmF0dXJl"] * rng.choice((1, 1, 1, 0, 3))
        token = ".".join(parts)
        return rng.choice(("", "", "Bearer ")) + (token if rng.random() < 0.9 else token[:-40])

    def json_value(self, depth: int) -> object:
        """A value of JSON."""
        rng = self.random
        if depth and rng.random() < 0.5:
            if rng.random() < 0.3:
                return [self.json_value(depth - 1) for _ in range(rng.randrange(4))]
            names = [
                rng.choice((self.word, self.word, self.odd))() for _ in range(rng.randrange(5))
            ]
            return {name: self.json_value(depth - 1) for name in names}
        return rng.choice(
            (None, True, False, 3, 1.5e10, -0.0, self.word(), self.secret(), self.odd())
        )

    def json_text(self) -> str:
        """JSON as a text, sometimes too deep or not quite JSON."""
        rng = self.random
        text = json.dumps(self.json_value(4), ensure_ascii=rng.random() < 0.5)
        if rng.random() < 0.1:
            levels = rng.choice((63, 64, 65, 300))
            text = "[" * levels + "]" * levels
        if rng.random() < 0.15:
            text = self.broken(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        return rng.choice(("", " ", "\n\t", "\u00a0")) + text

    def cookie(self) -> str:
        """Cookies, as asked or as set."""
        rng = self.random
        attributes = [
            f"{name}={self.word()}" if keep else name for name, keep in COOKIE_ATTRIBUTES.items()
        ]
        extra = rng.sample(attributes, 3)
        lines = [f"{self.word()}={self.secret()}" for _ in range(rng.randrange(1, 3))]
        return rng.choice(("; ", ";", "\n")).join((*lines, *extra, self.odd()))

    def policy(self) -> str:
        """A content security policy and the like."""
        return (
            "default-src 'self' https://*.example.com:*/ 'nonce-abc' data:; report-uri /x; "
            f"script-src {self.word()} https://{self.word()}.example; ;X y;"
        )

    def multipart(self) -> str:
        """A form with parts."""
        return (
            '--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nbob\r\n--x\r\n'
            f'content-disposition: FORM-DATA; name="{self.odd()}"; filename="a"\r\n\r\n{self.odd()}'
        )

    def card(self) -> str:
        """A card number, an address or number of a person, or XML in base64."""
        saml = b64encode(b"<samlp:Response ID='x'>" + b"y" * 200).decode()
        return self.random.choice((*_CARDS, "ada@example.com", "+39 02 1234567", saml))
