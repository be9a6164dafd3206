"""Secrets with a known place each: what no capture may hold once it is safe.

A place names where the secret was planted, so a leak says by itself which rule failed. No two
places share a value.
"""

import json
import re
import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# By kind of secret: `group.place`. What the groups mean stands in visit.js and site.py.
_BY_KIND: dict[str, str] = {
    "token": (
        "header.authorization header.x-api-key header.x-auth-token header.x-csrf-token"
        " header.x-xsrf-token header.x-access-token header.x-session-id header.apikey"
        " header.x-amz-security-token header.x-goog-api-key header.x-vault-token"
        " header.x-device-id header.x-forwarded-user header.x-signature header.idempotency-key"
        " header.accept-language header.x-request-id header.x-unheard-of header.referer"
        " reply.x-auth-token reply.www-authenticate reply.link reply.refresh reply.server-timing"
        " reply.content-disposition reply.content-security-policy reply.report-to reply.nel"
        " reply.authentication-info reply.x-set-user reply.content-location reply.warning"
        " reply.status-text reply.x-amz-cf-id reply.sourcemap reply.mime-parameter"
        " cookie.session cookie.remember cookie.csrf cookie.host-prefix cookie.json"
        " cookie.base64 cookie.script cookie.script-json cookie.path cookie.deleted"
        " query.token query.access_token query.code query.state query.session query.sid query.key"
        " query.api_key query.sig query.signature query.X-Amz-Signature query.X-Amz-Credential"
        " query.X-Amz-Security-Token query.ticket query.nonce query.hint query.page query.lang"
        " query.sort query.id query.bare query.twice query.semicolon query.double-encoded"
        " query.json query.base64 query.array query.equals query.nested-url query.encoded-name"
        " query.upper-case query.post query.gif query.failed query.preflight query.iframe"
        " query.error query.script-source query.style query.worker query.beacon-address"
        " fragment.access_token fragment.plain fragment.route"
        " path.reset path.verify path.invite path.matrix path.file path.orders path.session"
        " path.encoded path.after-word path.trailing path.first"
        " form.csrf form.token form.text-plain form.json form.base64 form.hidden form.page"
        " form.iframe form.state"
        " multipart.token multipart.file multipart.filename multipart.json"
        " json.access_token json.refresh_token json.nested json.array json.in-string"
        " json.base64-in-string json.status json.error json.type json.message json.prefix"
        " json.lines json.text-plain json.top-string json.deep json.url json.hex json.gzip"
        " json.data-url json.date json.upper json.utf16 json.entities json.patch json.beacon"
        " reply.json-access reply.json-refresh reply.json-nested reply.json-chunked"
        " reply.json-gzip reply.json-error reply.html-meta reply.html-state reply.html-comment"
        " reply.script reply.script-map reply.style reply.xml reply.svg reply.jsonp reply.text"
        " reply.binary reply.image reply.manifest reply.prefix reply.lines reply.big-start"
        " reply.big-end reply.not-found reply.server-error reply.unauthorized reply.graphql"
        " reply.utf16 reply.problem"
        " oauth.state oauth.code oauth.verifier oauth.access oauth.refresh oauth.client-secret"
        " oauth.fragment oauth.device-code oauth.form-post"
        " saml.relay-state saml.assertion-id saml.signature saml.artifact saml.session-index"
        " saml.request-id saml.deflated"
        " websocket.address websocket.protocol websocket.sent-json websocket.sent-text"
        " websocket.received-json websocket.received-text websocket.sent-binary"
        " websocket.received-binary websocket.split websocket.stomp websocket.batch"
        " events.address events.data events.id events.name events.split events.json"
        " storage.local storage.session storage.token storage.nested storage.array"
        " graphql.variable graphql.literal graphql.operation graphql.extension"
        " hand.comment hand.comment-creator hand.comment-page hand.comment-entry"
        " hand.comment-request hand.comment-header hand.comment-cookie hand.comment-param"
        " hand.comment-content hand.comment-timings hand.etag hand.unknown hand.unknown-nested"
        " hand.unknown-key hand.pseudo-path hand.fragment hand.address hand.started hand.page-id"
        " hand.page-title hand.pageref hand.connection hand.server-address hand.version"
        " hand.creator hand.maker-version hand.method hand.mime hand.priority hand.resource"
        " hand.error hand.protocol hand.status-text hand.expires hand.same-site hand.cookie-domain"
        " hand.cookie-path hand.encoding hand.file-name hand.part-type hand.direction"
        " hand.initiator-type hand.initiator-address hand.initiator-detail hand.fetch-type"
        " hand.security hand.cache-expires hand.redirect hand.date-header hand.agent hand.server"
        " hand.accept hand.cache-control hand.vary hand.allow-headers hand.content-encoding"
        " hand.host hand.forwarded hand.range hand.priority-header hand.alt-svc hand.via"
        " hand.keep-alive hand.permissions hand.robots hand.location-scheme hand.data-address"
        " hand.javascript hand.no-scheme hand.broken-address hand.mail hand.port hand.event-name"
        " hand.origin hand.if-none-match hand.disposition hand.timing-name hand.retry"
        " path.image path.script path.after-file path.capitals"
        " inline.data-url inline.initiator page.title reply.redirect-relative reply.redirect-303"
    ),
    "password": (
        "form.password form.new-password json.password json.nested-password basic.password"
        " query.password multipart.password websocket.password graphql.password"
        " address.password json.secret form.encoded saml.password"
    ),
    "name": (
        "json.full-name reply.json-name form.name query.search graphql.name json.free-text"
        " saml.name events.free-text reply.html-name websocket.name"
    ),
    "email": (
        "form.username json.username basic.username query.email path.email reply.json-email"
        " saml.name-id saml.email jwt.email graphql.email multipart.email address.username"
        " websocket.email query.login_hint header.x-user-email"
    ),
    "phone": "form.phone json.phone reply.json-phone query.phone websocket.phone",
    "card": (
        "form.card form.card-spaced json.card json.card-number query.card path.card"
        " reply.json-card websocket.card multipart.card"
    ),
    "code": (
        "form.otp json.otp json.otp-number query.otp path.otp header.x-otp reply.json-otp"
        " websocket.otp form.pin json.pin-number json.cvc-list"
    ),
    "number": (
        "json.account-number json.account-text path.number query.number reply.json-account"
        " form.iban json.float"
    ),
    "uuid": "path.uuid query.uuid json.uuid hand.uuid-header reply.json-uuid",
    "signature": (
        "jwt.header jwt.cookie jwt.query jwt.json jwt.reply jwt.form jwt.websocket jwt.events"
        " jwt.fragment jwt.storage jwt.path jwt.reply-header jwt.html"
    ),
    "subject": "jwt.subject jwt.role jwt.nonce jwt.kid",
    "as-name": (
        "name.header name.query name.form name.json name.cookie name.multipart name.reply-header"
        " name.reply-json name.function name.storage name.method"
    ),
}
PLACES = {kind: tuple(places.split()) for kind, places in _BY_KIND.items()}


def _text(alphabet: str, length: int) -> str:
    """Random, and no repetition of a few characters."""
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(length))
        if len(set(made)) > min(5, length - 2):
            return made


def _token(length: int) -> str:
    """Random, with a digit between letters near its beginning.

    Of letters alone it would be a word, as the names of functions and files are: that one is a
    secret no program can tell (spec/captures.md). One token in 300 is.
    """
    while True:
        made = _text(_LETTERS, length)
        if re.search("[A-Za-z][0-9]+[A-Za-z]", made[:20]):
            return made


def _card() -> str:
    """Sixteen digits that pass Luhn's check."""
    digits = "4" + _text(string.digits, 14)
    for last in string.digits:
        total = 0
        for place, digit in enumerate(reversed(digits + last)):
            value = int(digit) * (1 + place % 2)
            total += value - 9 if value > 9 else value
        if total % 10 == 0:
            return digits + last
    raise AssertionError(digits)


def _code() -> str:
    return secrets.choice("123456789") + _text(string.digits, 5)


_LETTERS = string.ascii_letters + string.digits
_LOWER = "bcdfghjkmnpqrstvwxz23456789"
_MAKERS: dict[str, Callable[[], str]] = {
    "token": lambda: _token(28),
    "password": lambda: f'{_text(_LETTERS, 7)} "&<ö%+/{_text(_LETTERS, 7)}',
    "name": lambda: f"Mara {_text('bdfgklmnprst', 9).title()}",
    "email": lambda: f"mara.{_text(_LOWER, 10)}@mail.example",
    "phone": lambda: "+39347" + _text(string.digits, 7),
    "card": _card,
    "code": _code,
    "number": lambda: secrets.choice("123456789") + _text(string.digits, 12) + "7",
    "uuid": lambda: _text("0123456789abcdef", 32),
    "signature": lambda: _text(_LETTERS + "-_", 43),
    "subject": lambda: _token(20),
    # Of letters alone it would be a word: that one is a secret no program can tell.
    "as-name": lambda: "X" + "4".join(_text(_LOWER, 5) for _ in range(3)),
}


class Canaries(Mapping[str, str]):
    """The secret of each place."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    @classmethod
    def fresh(cls) -> "Canaries":
        """New secrets for every place."""
        made = {place: _MAKERS[kind]() for kind, places in PLACES.items() for place in places}
        assert len(set(made.values())) == len(made)
        return cls(made)

    @classmethod
    def load(cls, path: Path) -> "Canaries":
        """The secrets that a file of the corpus was recorded with."""
        return cls(json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        """Write them beside the corpus."""
        path.write_text(json.dumps(self._values, indent=1, ensure_ascii=False) + "\n")

    def group(self, name: str) -> dict[str, str]:
        """Secret by the last part of the place, of one group."""
        return {
            place.partition(".")[2]: value
            for place, value in self._values.items()
            if place.partition(".")[0] == name
        }

    def __getitem__(self, place: str) -> str:
        return self._values[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
