"""What a username and a password may be. Pure: no I/O.

Signing in is lenient (case and width are folded), registering is strict: what could be mistaken
for another name never comes into being.
"""

import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from ipaddress import ip_address, ip_network
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vestibule.base.errors import Refused

USERNAME_MIN: Final = 2
USERNAME_MAX: Final = 64
PASSWORD_MIN: Final = 8
PASSWORD_MAX: Final = 128
NETWORKS_MOST: Final = 50
SHORTEST_SESSION_MS: Final = 3_600_000
"""A sign-in just before the hour of renewal is good until that hour of the next day."""

_NEUTRAL: Final = frozenset("0123456789._-@+")
_IMITATIONS: Final = frozenset("ıĸŉ")

# Scripts that ordinary names mix: Japanese is written in three of them at once.
_EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})

# Passwords that head every published list, folded. Length alone lets them through.
_COMMON: Final = frozenset(
    """
    password password1 password12 password123 password1234 passw0rd p@ssw0rd p@ssword pa55word
    12345678 123456789 1234567890 0123456789 87654321 987654321 11111111 00000000 88888888
    12341234 11223344 123123123 147258369 987654321 qwertyui qwertyuiop qwerty123 qwerty12
    1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc zaq12wsx asdfghjk asdfghjkl asdf1234 zxcvbnm1 zxcvbnm123
    abcdefgh abcd1234 abc12345 abc123456 a1b2c3d4 aa123456 iloveyou iloveyou1 sunshine sunshine1
    princess princess1 football football1 baseball baseball1 basketball superman superman1
    batman123 trustno1 letmein1 letmein123 welcome1 welcome123 welcome12 whatever starwars
    computer internet samsung1 michelle jennifer jonathan charlie1 jordan23 master123 admin123
    administrator changeme changeme1 changeme123 default1 secret123 dragon123 monkey123
    hello123 freedom1 shadow123 killer123 liverpool chelsea1 arsenal1 barcelona juventus
    passwort passwort1 kennwort motdepasse contraseña contrasena senha123 parola123 qwertz123
    """.split()  # noqa: SIM905  -- a hundred quoted strings would hide the words
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's name at this organisation."""

    id: str
    username: str
    display_name: str
    seamless: bool
    """Whether sign-ins send a notification; off, only typed responses are asked for."""
    password_change_needed: bool
    pushes_stopped_until: int | None
    """Milliseconds; set when the person reported a sign-in."""
    language: str | None
    """Of pages and messages; None: as the browser asks."""
    timezone: str | None
    """IANA name; None: the house's."""
    networks: tuple[str, ...]
    """Where the account may be used from, as address/prefix; empty: from anywhere."""
    quiet_from: int | None
    quiet_until: int | None
    """Minutes of the day, in the account's time zone: informational pushes wait until then."""
    renew_at: int | None
    """Minute of the day at which sessions end, so that signing in again is not due at night."""
    guarded_until: int | None
    """Milliseconds; until then what matters cannot be changed: a recovery was recent."""
    disabled_at: int | None
    created_at: int


def username_key(typed: str) -> str:
    """The one form under which a name is looked up: NFKC, case folded, no space around.

    Raises Refused ``username_invalid`` for what no username can be; that tells nobody whether an
    account exists.
    """
    key = "".join(map(_plain_digit, _folded(typed.strip())))
    if not USERNAME_MIN <= len(key) <= USERNAME_MAX:
        raise Refused("username_invalid")
    scripts = {_script(character) for character in key if character not in _NEUTRAL}
    # A Cyrillic letter in a Latin name looks like a Latin one: one name, one script.
    if len(scripts) > 1:
        raise Refused("username_invalid")
    return key


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _script(character: str) -> str:
    """The script of a letter or mark, by the first word of its Unicode name."""
    name = unicodedata.name(character, "")
    letter = unicodedata.category(character)[0] in "LM" and "FILLER" not in name
    script = name.partition(" ")[0]
    # Within Latin only the alphabets of living languages: phonetic letters imitate plain ones.
    code = ord(character)
    if not letter or (script == "LATIN" and not (code < 0x180 or 0x1E00 <= code < 0x1F00)):
        raise Refused("username_invalid")
    if character in _IMITATIONS:
        raise Refused("username_invalid")
    return "EAST ASIAN" if script in _EAST_ASIAN else script


def display_name(typed: str, *, username: str) -> str:
    """The name shown on pages, 1 to 80 characters; the username where none was given."""
    name = " ".join(unicodedata.normalize("NFC", typed).split())[:80]
    return "".join(letter for letter in name if letter.isprintable()) or username


def password_bytes(password: str) -> bytes:
    """The bytes that are hashed: NFC, so that one keyboard's ``é`` is another's; never cut."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def demand_good_password(password: str, *, username: str) -> None:
    """Refuse what is too short, too long or found first by guessing (NIST SP 800-63B-4).

    No rule about kinds of characters: they shorten what people choose.
    """
    length = len(unicodedata.normalize("NFC", password))
    if length < PASSWORD_MIN:
        raise Refused("password_too_short", least=PASSWORD_MIN)
    if length > PASSWORD_MAX:
        raise Refused("password_too_long", most=PASSWORD_MAX)
    folded = _folded(password)
    bare = folded.strip("0123456789!.?*#$-_ ")
    if folded in _COMMON or len(set(folded)) < 4 or bare == _folded(username):
        raise Refused("password_common")


def networks_of(stored: str | None) -> tuple[str, ...]:
    """The networks in the account's column."""
    return tuple(json.loads(stored)) if stored else ()


def within(networks: tuple[str, ...], address: str | None) -> bool:
    """Whether an address lies in one of the networks; without networks every address does."""
    if not networks:
        return True
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return False
    # Behind a socket for both families an IPv4 address is written as an IPv6 one.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in ip_network(network, strict=False) for network in networks)


def demand_network(networks: tuple[str, ...], address: str | None) -> None:
    """Refuse an address outside the account's networks (``network_not_allowed``)."""
    if not within(networks, address):
        raise Refused("network_not_allowed", address=address or "?")


def networks_from(typed: str) -> tuple[str, ...]:
    """The networks in a text, one on each line or with commas between: as kept, each once.

    A lone address is a network of one; bits beside the prefix are dropped, as people paste them.
    Raises Refused ``network_invalid`` with ``network``, the first that is none.
    """
    words = typed.replace(",", " ").replace(";", " ").split()
    found: dict[str, None] = {}
    for word in words:
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            raise Refused("network_invalid", network=word[:60]) from None
        mapped = getattr(network.network_address, "ipv4_mapped", None)
        if mapped is not None and network.prefixlen >= 96:
            network = ip_network((mapped, network.prefixlen - 96), strict=False)
        found[str(network)] = None
    if len(found) > NETWORKS_MOST:
        raise Refused("network_invalid", network=words[-1][:60])
    return tuple(found)


def demand_not_locked_out(networks: tuple[str, ...], address: str) -> None:
    """Refuse a list that its own author could not come back with (``networks_lock_you_out``)."""
    if not within(networks, address):
        raise Refused("networks_lock_you_out", address=address)


def cooling(guarded_until: int | None, *, now: int) -> bool:
    """Whether what matters rests, because the account was recovered a short time ago."""
    return guarded_until is not None and now < guarded_until


# --- hours of the day --------------------------------------------------------------------------


def zone(name: str | None) -> tzinfo:
    """A time zone by its IANA name; UTC for None and for what this machine does not know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def zone_known(name: str) -> bool:
    """Whether this is the name of a time zone here."""
    return name == "UTC" or zone(name) is not UTC


def minute_from(typed: str) -> int | None:
    """The minute of the day of ``06:30``; None where nothing was chosen.

    Raises Refused ``preference_invalid``.
    """
    if not typed.strip():
        return None
    try:
        at = time.fromisoformat(typed.strip())
    except ValueError:
        raise Refused("preference_invalid") from None
    return at.hour * 60 + at.minute


def minute_written(minute: int | None) -> str:
    """``06:30``, as form fields of times hold it; empty for None."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def quiet(
    quiet_from: int | None, quiet_until: int | None, timezone: str | None, *, now: int
) -> bool:
    """Whether this moment (ms) lies in the account's quiet hours, which may span midnight."""
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return False
    local = datetime.fromtimestamp(now / 1000, zone(timezone))
    minute = local.hour * 60 + local.minute
    if quiet_from < quiet_until:
        return quiet_from <= minute < quiet_until
    return minute >= quiet_from or minute < quiet_until


def session_ends(longest: int, *, renew_at: int | None, timezone: str | None, now: int) -> int:
    """When a session opened now ends (ms): at ``longest``, or before at the hour of renewal.

    So that signing in again is due when its owner wants it to be, and not at night.
    """
    if renew_at is None:
        return longest
    return min(longest, _next(renew_at, timezone, after=now + SHORTEST_SESSION_MS))


def _next(minute: int, timezone: str | None, *, after: int) -> int:
    """The first moment (ms) after ``after`` at which clocks there show this minute of the day.

    Where clocks are put forward over it, the moment that they would have shown it (PEP 495).
    """
    here = zone(timezone)
    day = datetime.fromtimestamp(after / 1000, here).date()
    at = time(minute // 60, minute % 60, tzinfo=here)
    for days in range(3):
        moment = datetime.combine(day + timedelta(days=days), at)
        if (milliseconds := int(moment.timestamp() * 1000)) > after:
            return milliseconds
    raise AssertionError("three days hold every minute of the day")
