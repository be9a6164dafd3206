"""What a safe capture still has to be: a HAR 1.2 document, and the same measurements as before.

The structures are HAR 1.2's in the letter. Browsers themselves do not always keep to it: where a
request failed Firefox leaves out members, and Chromium counts below -1 what came from its cache.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert
from msgspec.json import decode

from tests.captures.finder import find

Size = Annotated[float, Meta(ge=-1)]
Time = Annotated[float, Meta(ge=-1)]
Whole = Annotated[int, Meta(ge=0)]


class Named(Struct):
    """A header, or a parameter of an address."""

    name: str
    value: str


class Cookie(Struct):
    """A cookie."""

    name: str
    value: str
    path: str | UnsetType = UNSET
    domain: str | UnsetType = UNSET
    expires: str | UnsetType = UNSET
    httpOnly: bool | UnsetType = UNSET  # noqa: N815 -- HAR's own name
    secure: bool | UnsetType = UNSET


class Param(Struct):
    """A field of a form."""

    name: str
    value: str | UnsetType = UNSET
    fileName: str | UnsetType = UNSET  # noqa: N815 -- HAR's own name
    contentType: str | UnsetType = UNSET  # noqa: N815 -- HAR's own name


class PostData(Struct):
    """What was sent."""

    mimeType: str  # noqa: N815 -- HAR's own name
    params: list[Param] | UnsetType = UNSET
    text: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        """One of both has to be there."""
        if self.params is UNSET and self.text is UNSET:
            raise ValueError("postData without params and text")


class Request(Struct):
    """What was asked."""

    method: str
    url: str
    httpVersion: str  # noqa: N815 -- HAR's own name
    cookies: list[Cookie]
    headers: list[Named]
    queryString: list[Named]  # noqa: N815 -- HAR's own name
    headersSize: Size  # noqa: N815 -- HAR's own name
    bodySize: Size  # noqa: N815 -- HAR's own name
    postData: PostData | UnsetType = UNSET  # noqa: N815 -- HAR's own name


class Content(Struct):
    """What was received."""

    size: Size
    mimeType: str  # noqa: N815 -- HAR's own name
    compression: float | UnsetType = UNSET
    text: str | UnsetType = UNSET
    encoding: str | UnsetType = UNSET


class Response(Struct):
    """What was answered."""

    status: Whole
    statusText: str  # noqa: N815 -- HAR's own name
    httpVersion: str  # noqa: N815 -- HAR's own name
    cookies: list[Cookie]
    headers: list[Named]
    content: Content
    redirectURL: str  # noqa: N815 -- HAR's own name
    headersSize: Size  # noqa: N815 -- HAR's own name
    bodySize: Size  # noqa: N815 -- HAR's own name


class Timings(Struct):
    """Where the time went."""

    send: Time
    wait: Time
    receive: Time
    blocked: Time | UnsetType = UNSET
    dns: Time | UnsetType = UNSET
    connect: Time | UnsetType = UNSET
    ssl: Time | UnsetType = UNSET


class Entry(Struct):
    """One request."""

    startedDateTime: datetime  # noqa: N815 -- HAR's own name
    time: Time
    request: Request
    response: Response
    cache: dict[str, Any]
    timings: Timings
    pageref: str | UnsetType = UNSET
    serverIPAddress: str | UnsetType = UNSET  # noqa: N815 -- HAR's own name
    connection: str | UnsetType = UNSET


class Page(Struct):
    """One page."""

    startedDateTime: datetime  # noqa: N815 -- HAR's own name
    id: str
    title: str
    pageTimings: dict[str, Any]  # noqa: N815 -- HAR's own name


class Maker(Struct):
    """A program."""

    name: str
    version: str


class Log(Struct):
    """The capture."""

    version: str
    creator: Maker
    entries: list[dict[str, Any]]
    browser: Maker | UnsetType = UNSET
    pages: list[Page] | UnsetType = UNSET


class Har(Struct):
    """The file."""

    log: Log


def breaches(data: bytes) -> dict[int, str]:
    """What breaks HAR 1.2, by number of the entry. Raises ValidationError for what is no HAR."""
    found = {}
    for number, entry in enumerate(decode(data, type=Har).log.entries):
        try:
            convert(entry, Entry)
        except ValidationError as error:
            found[number] = str(error)
    return found


_ENTRY = (
    "startedDateTime",
    "time",
    "serverIPAddress",
    "connection",
    "pageref",
    "_priority",
    "_resourceType",
    "_fromCache",
    "_fetchType",
    "_serverPort",
    "_securityState",
    "_connectionId",
)
_REQUEST = ("method", "httpVersion", "headersSize", "bodySize")
_RESPONSE = (
    "status",
    "statusText",
    "httpVersion",
    "headersSize",
    "bodySize",
    "_transferSize",
    "_error",
    "_fetchedViaServiceWorker",
)
_CONTENT = ("size", "compression", "mimeType")
_COOKIE = ("httpOnly", "secure", "sameSite", "expires")
# Headers without a secret, as browsers and this site send them; all must come out as they were.
_HARMLESS = re.compile(
    r"accept(-encoding|-language)?|cache-control|connection|content-(length|type|encoding)|date|vary"
    r"|sec-(fetch-(dest|mode|site|user)|ch-ua(-mobile|-platform)?|websocket-(version|extensions))"
    r"|server|transfer-encoding|upgrade(-insecure-requests)?|user-agent|pragma|priority|host"
    r"|:method|:authority"
)


class Comparison:
    """What the same member was before and after; secrets apart, all must be equal."""

    def __init__(self, canaries: Mapping[str, str]) -> None:
        self._canaries = canaries
        self.compared = 0
        self.changed: list[str] = []

    def captures(self, before: bytes, after: bytes) -> None:
        """Compare two files, numbers as they are written."""
        was, is_ = (json.loads(d, parse_int=str, parse_float=str)["log"] for d in (before, after))
        self._same("creator", was, is_, ["creator", "browser", "version"])
        for number, (one, other) in enumerate(
            zip(was.get("pages", []), is_.get("pages", []), strict=True)
        ):
            self._same(f"page {number}", one, other, ["startedDateTime", "id", "pageTimings"])
        for number, (one, other) in enumerate(zip(was["entries"], is_["entries"], strict=True)):
            self._entry(f"entry {number}", one, other)

    def _entry(self, at: str, one: Any, other: Any) -> None:
        self._same(at, one, other, _ENTRY)
        self._same(f"{at} timings", one["timings"], other["timings"], one["timings"])
        self._same(f"{at} request", one["request"], other["request"], _REQUEST)
        self._same(f"{at} response", one["response"], other["response"], _RESPONSE)
        for part in ("request", "response"):
            self._headers(f"{at} {part}", one[part]["headers"], other[part]["headers"])
            pairs = zip(one[part]["cookies"], other[part]["cookies"], strict=True)
            for was, is_ in pairs:
                self._same(f"{at} cookie", was, is_, _COOKIE)
        self._same(
            f"{at} content", one["response"]["content"], other["response"]["content"], _CONTENT
        )
        for kind, kept in (
            ("_webSocketMessages", ["type", "time", "opcode"]),
            ("_eventSourceMessages", ["time"]),
        ):
            for was, is_ in zip(one.get(kind, []), other.get(kind, []), strict=True):
                self._same(f"{at} message", was, is_, kept)
        self._address(at, one["request"], other["request"])

    def _headers(self, at: str, before: Any, after: Any) -> None:
        for one, other in zip(before, after, strict=True):
            self._same(at, one, other, ["name"])
            form = one["value"].startswith("multipart/form-data")  # its boundary is random
            if _HARMLESS.fullmatch(one["name"].lower()) and not form:
                self._same(f"{at} {one['name']}", one, other, ["value"])

    def _address(self, at: str, before: Any, after: Any) -> None:
        self._equal(f"{at} query", len(before["queryString"]), len(after["queryString"]))
        if before["url"].startswith(("http", "ws")):
            one, other = (each["url"].partition("?")[0].split("/") for each in (before, after))
            self._equal(f"{at} origin", one[:3], other[:3])
            self._equal(f"{at} depth", len(one), len(other))

    def _same(self, at: str, one: Any, other: Any, names: Any) -> None:
        for name in names:
            if name in one and name != "comment":
                was = one[name]
                if isinstance(was, dict):  # remarks go
                    was = {key: value for key, value in was.items() if key != "comment"}
                self._equal(f"{at} {name}", was, other.get(name))

    def _equal(self, at: str, was: object, is_: object) -> None:
        self.compared += 1
        if was != is_ and not find(json.dumps(was, ensure_ascii=False).encode(), self._canaries):
            self.changed.append(f"{at}: {was!r} became {is_!r}")
