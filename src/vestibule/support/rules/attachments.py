"""What may be attached, what it is called, and how long it stays. Pure.

Nothing here trusts what a browser says a file is: its kind is decided by its content, its media
type is one of a few that its first bytes prove, and its name is for showing only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.base.errors import Refused

_DAY: Final = 24 * 3_600_000
MEGABYTE: Final = 10**6
"""As people are told sizes."""
HEAD: Final = 64 << 10
"""So many bytes are looked at before anything is decided about a file."""
NAME_MOST: Final = 120
"""Characters of a name."""
UNSENT_MS: Final = _DAY
"""How long a file waits for the message that it was added to."""
PICTURE_MOST: Final = 25 * MEGABYTE
"""The largest picture that a page shows."""
ADDED_A_DAY: Final = 200
"""Most files that an account adds in a day, sent or not."""
MEDIA_UNKNOWN: Final = "application/octet-stream"
MEDIA_CAPTURE: Final = "application/json"


class Kind(StrEnum):
    """What is attached."""

    FILE = "file"
    CAPTURE = "capture"
    """A browser recording (HAR), which was made safe before it was kept."""


class Details(StrEnum):
    """What became of what a picture tells beside the picture: place, camera, owner."""

    NONE = ""
    """There was nothing, or it is no picture."""
    REMOVED = "removed"
    KEPT = "kept"
    """A raw picture or a film, which is kept as it came."""


class State(StrEnum):
    """Where an attachment stands."""

    WAITING = "waiting"
    """Kept, and not sent with a message yet."""
    SENT = "sent"
    REMOVED = "removed"
    """By its owner, or it was never sent. The file is deleted, the row stays for a day."""
    GONE = "gone"
    """Its time is over: the file and its key are deleted, the conversation still names it."""


class Event(StrEnum):
    """What can happen to an attachment."""

    SEND = "send"
    REMOVE = "remove"
    EXPIRE = "expire"


MOVES: Final[dict[tuple[State, Event], State]] = {
    (State.WAITING, Event.SEND): State.SENT,
    (State.WAITING, Event.REMOVE): State.REMOVED,
    (State.WAITING, Event.EXPIRE): State.REMOVED,
    (State.SENT, Event.REMOVE): State.REMOVED,
    (State.SENT, Event.EXPIRE): State.GONE,
}
"""What is not in this table is refused. What is removed or gone never comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A stored attachment. Times are milliseconds since the epoch."""

    id: str
    account_id: str
    """The client in whose conversation it is."""
    ticket_id: str
    message_id: str | None
    """None: it waits to be sent."""
    added_by: str
    """Account of whoever added it."""
    kind: Kind
    name: str
    """As its owner calls it, cleaned for showing."""
    media: str
    size: int
    """Bytes that are downloaded; of a capture, of what was left of it."""
    entries: int
    """Requests in a capture; 0 for a file."""
    state: State
    at: int
    expires_at: int | None
    """Until when it waits to be sent; None once it is."""
    details: Details = Details.NONE
    """Told to whoever added it, while it waits."""
    removable: bool = False
    """Whether whoever added it may take it back: nobody has answered its message."""

    @property
    def kept(self) -> bool:
        """Whether there still is a file behind it."""
        return self.state in (State.WAITING, State.SENT)

    @property
    def capture(self) -> bool:
        """Whether staff looks at it in the viewer."""
        return self.kind is Kind.CAPTURE

    @property
    def image(self) -> bool:
        """Whether a browser may show it in a page."""
        return self.media in _IMAGES.values()

    @property
    def download_name(self) -> str:
        """What the file is called where it is saved."""
        return capture_name(self.name) if self.capture else self.name


def move(state: State, event: Event) -> State:
    """The state after ``event``. Raises Refused ``attachment_unknown``."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Refused("attachment_unknown") from None


# --- names ------------------------------------------------------------------------------------

_PATH: Final = re.compile(r"[/\\]")
_UNLAWFUL: Final = re.compile(r'[<>:"|?*]')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)
UNNAMED: Final = "file"


def clean_name(typed: str) -> str:
    """A name for showing and for saving: one plain line, without folders.

    What cannot be seen goes (controls, line ends, the marks that turn text round, by which
    ``gpj.exe`` shows as ``exe.jpg``), and so does what a file system takes for something else.
    """
    # Cut before it is looked at: normalising megabytes is work that nobody asked for.
    last = _PATH.split(typed[-4 * NAME_MOST :])[-1]
    whole = last.encode("utf-8", "replace").decode("utf-8")
    seen = "".join(_seen(one) for one in unicodedata.normalize("NFC", whole))
    plain = " ".join(_UNLAWFUL.sub("_", seen).split()).strip(". ")
    stem, dot, end = plain.rpartition(".")
    if len(plain) > NAME_MOST:
        end = end[:16] if dot else ""
        stem = (stem or plain)[: NAME_MOST - len(end) - 1].rstrip(". ")
        plain = f"{stem}.{end}" if end else stem
    if plain.partition(".")[0].strip().casefold() in _RESERVED:
        plain = f"_{plain}"
    return plain or UNNAMED


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    # Z: separators, all of them a plain space. C: controls, formats, private, unassigned.
    if category[0] == "Z" or character in "\t\n\r":
        return " "
    return "" if category[0] == "C" else character


def capture_name(name: str) -> str:
    """A capture's name where it is saved: it says that it was made safe."""
    stem = name
    for end in (".gz", ".har", ".json", ".safe"):
        if stem.lower().endswith(end):
            stem = stem[: -len(end)]
    return f"{stem or 'recording'}.safe.har"


# --- what a file is ---------------------------------------------------------------------------

_IMAGES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"RIFF....WEBP": "image/webp",
}
IMAGES: Final = frozenset(_IMAGES.values())
"""What may be shown in a page; SVG is none of them, for it is a document with scripts."""

# Windows, Linux, macOS (both orders, both widths, and several at once, which is Java's too).
_PROGRAMS: Final = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)
# What a double click starts, whatever it holds.
_STARTED: Final = re.compile(
    r"apk|appx|bat|cmd|com|cpl|dll|dmg|exe|hta|jar|jse|lnk|msi|msix|pif|ps1|reg|scr|url|vb[es]|"
    r"ws[fh]|xll"
)
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_HAR_NAMES: Final = (".har", ".har.gz", ".har.zip")
# A recording begins with its one member, "log", which has these. Written with escapes, a name is
# the same to a program that reads JSON, and so it is here.
_LOG: Final = re.compile(
    rb'"log"\s*:\s*(\{\s*("(version|creator|browser|pages|entries|comment)"|\})|$|\{\s*$)'
)
_ESCAPED: Final = re.compile(rb"\\u00([0-9a-fA-F]{2})")


def media_of(head: bytes) -> str:
    """The image type that the first bytes prove, or that of a file of which nothing is known."""
    for magic, media in _IMAGES.items():
        if media == "image/webp":
            if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                return media
        elif head.startswith(magic):
            return media
    return MEDIA_UNKNOWN


def demand_harmless(name: str, head: bytes) -> None:
    """Refuse programs, by name and by content (Refused ``attachment_type``).

    Staff would only have to open one; no client needs to send one.
    """
    end = name.rpartition(".")[2].strip().casefold() if "." in name else ""
    if _STARTED.fullmatch(end) or head.startswith(_PROGRAMS):
        raise Refused("attachment_type")


def is_capture(name: str, head: bytes, inside: bytes = b"") -> bool:
    """Whether this is a browser recording, by its name or by its first ``HEAD`` bytes.

    ``inside`` are the first bytes of what a gzip file holds. Whatever may be one counts as one:
    the sanitiser then refuses what it cannot read.
    """
    if name.casefold().endswith(_HAR_NAMES):
        return True
    if head.startswith(_ZIP):
        # The name of the first file within stands in clear, at a fixed place.
        length = int.from_bytes(head[26:28], "little")
        return head[30 : 30 + length].lower().endswith(b".har")
    return _begins_capture(_as_utf8(inside if head.startswith(_GZIP) else head))


def _as_utf8(head: bytes) -> bytes:
    """The text of JSON as bytes of UTF-8, whatever it is written in."""
    for mark, coding in (
        (b"\xff\xfe\x00\x00", "utf-32-le"),
        (b"\x00\x00\xfe\xff", "utf-32-be"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if head.startswith(mark):
            return head[len(mark) :].decode(coding, "replace").encode("utf-8", "replace")
    # Without a mark: JSON begins with two ASCII characters (RFC 4627 section 3).
    if len(head) > 3 and head[0] == 0:
        return head.decode("utf-16-be", "replace").encode("utf-8", "replace")
    if len(head) > 3 and head[1] == 0:
        return head.decode("utf-16-le", "replace").encode("utf-8", "replace")
    return head.removeprefix(b"\xef\xbb\xbf")


def _begins_capture(head: bytes) -> bool:
    text = head.lstrip(b" \t\r\n")
    if not text:
        return len(head) >= HEAD  # blanks as far as we look: nobody's file
    return text.startswith(b"{") and names_log(text)


def names_log(text: bytes) -> bool:
    """Whether JSON text has the member that a recording is in."""
    return bool(_LOG.search(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)))


def may_turn_out_capture(head: bytes) -> bool:
    """Whether what follows has to be watched: JSON whose ``log`` may still come."""
    return _as_utf8(head).lstrip(b" \t\r\n").startswith(b"{")


def is_gzip(head: bytes) -> bool:
    """Whether this is a gzip file (RFC 1952)."""
    return head.startswith(_GZIP)


# --- how much and how long --------------------------------------------------------------------


def demand_room(waiting: int, added_today: int, *, most: int) -> None:
    """Refuse one more with a message, or with a day.

    Raises Refused ``attachments_too_many`` or ``too_many_requests``.
    """
    if waiting >= most:
        raise Refused("attachments_too_many", most=most)
    if added_today >= ADDED_A_DAY:
        raise Refused("too_many_requests")


def demand_length(name: str, length: int, *, most: int, capture_most: int) -> None:
    """Refuse what is announced to be larger than anything that could be kept.

    Raises Refused ``capture_too_large`` or ``attachment_too_large``. What is no recording by its
    name may still be one by its content.
    """
    if name.casefold().endswith(_HAR_NAMES):
        if length > capture_most:
            raise Refused("capture_too_large")
    else:
        demand_size(length, most=max(most, capture_most))


def demand_size(size: int, *, most: int) -> None:
    """Refuse what is larger than ``most`` bytes (Refused ``attachment_too_large``)."""
    if size > most:
        raise Refused("attachment_too_large", largest=most)
