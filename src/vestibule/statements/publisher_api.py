"""What the operator's systems call to publish statements: spec/publishing.md.

A body is never held: it is handed on as it arrives, and the caller waits where the store does. Who
sends too slowly, and whoever comes when too many send already, is turned away.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.base.clock import HOUR, SECOND
from vestibule.base.context import Context
from vestibule.base.errors import Fault, Malformed, Refused, Unavailable
from vestibule.protocol.encoding import parse_json_as
from vestibule.statements import service
from vestibule.statements.rules import (
    APPEND_MOST,
    WHOLE_MOST,
    Published,
    Publisher,
    State,
    Upload,
    Wanted,
)
from vestibule.web import bodies, forms
from vestibule.web.problems import problem_json, problem_of

CHECK_MOST: Final = 1000
_CHECK_BYTES: Final = 2**20
BODIES_MOST: Final = 32
"""At a time, in this process."""
PACE_BYTES: Final = bodies.PACE_BYTES
PACE_S: Final = bodies.PACE_S
"""So many bytes have to arrive for each so many seconds that we wait for them."""

_REALM: Final = 'Bearer realm="vestibule-publish"'
_DIGEST: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?=,|$)")
_HEX: Final = re.compile(r"[0-9a-f]{64}")

Call = Callable[[Request], Awaitable[Response]]


class _Opening(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    kind: str
    name: str
    size: int
    digest: str
    period: str = ""
    media: str = ""
    replace: bool = False


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    kind: str
    name: str
    digest: str


class _Asking(msgspec.Struct, forbid_unknown_fields=True):
    statements: list[_Asked]


def _answered(call: Call) -> Call:
    """The call, whose refusals are problem details (RFC 9457) with the headers that go along."""

    async def guarded(request: Request) -> Response:
        try:
            return await call(request)
        except Exception as fault:  # noqa: BLE001  -- told as JSON too: no page for programs
            response = problem_json(request, problem_of(fault, request.state.reference))
            if _unread(request):
                # Otherwise the server would read to its end what nobody wants.
                response.headers["connection"] = "close"
            if isinstance(fault, Fault):
                _add_headers(response, fault)
            return response

    return guarded


def _unread(request: Request) -> bool:
    """Whether more may still come than is worth keeping the connection for."""
    sent = request.headers.get("content-length", "0")
    chunked = "transfer-encoding" in request.headers
    return chunked or not _is_number(sent) or int(sent) > WHOLE_MOST


def _add_headers(response: Response, fault: Fault) -> None:
    if fault.code.name == "publisher_unknown":
        response.headers["www-authenticate"] = f'{_REALM}, error="invalid_token"'
    if isinstance(offset := fault.facts.get("offset"), int):
        response.headers["upload-offset"] = str(offset)
    if fault.code.status == 503:
        response.headers.setdefault("retry-after", "2")


async def _publisher(request: Request) -> Publisher:
    """Whose token the call brings. Raises Refused ``publisher_unknown``."""
    ctx: Context = request.app.state.ctx
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    found = await service.publisher_of(ctx, sent.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise Refused("publisher_unknown")
    return found


# --- calls ------------------------------------------------------------------------------------


async def put_statement(request: Request) -> Response:
    """PUT /publish/statements/<account>/<kind>/<name>: a small file, whole (section 2)."""
    ctx: Context = request.app.state.ctx
    publisher = await _publisher(request)
    query = _query(request, "period", "replace")
    wanted = Wanted(
        account=request.path_params["account"],
        kind=request.path_params["kind"],
        name=request.path_params["name"],
        period=query["period"],
        media=request.headers.get("content-type", ""),
        size=_length(request, WHOLE_MOST),
        sha256=_digest(request),
        replace=_flag(query["replace"]),
    )
    with _bodies(request):
        published = await service.publish(ctx, publisher, wanted, chunks=_chunks(request))
    return _published(ctx, published)


async def open_upload(request: Request) -> Response:
    """POST /publish/uploads: begin one, or find the one that is open (section 3)."""
    ctx: Context = request.app.state.ctx
    publisher = await _publisher(request)
    sent = parse_json_as(await forms.raw_json(request), _Opening)
    if sent.size < 0:
        raise Malformed("bad_field", field="size")
    wanted = Wanted(
        account=sent.account,
        kind=sent.kind,
        name=sent.name,
        period=sent.period,
        media=sent.media,
        size=sent.size,
        sha256=_hex(sent.digest),
        replace=sent.replace,
    )
    opened = await service.begin_upload(ctx, publisher, wanted)
    if isinstance(opened, Published):
        return _published(ctx, opened)
    return _open(ctx, opened, status=201 if opened.fresh else 200)


async def show_upload(request: Request) -> Response:
    """GET or HEAD /publish/uploads/<id>: how much of it is kept."""
    ctx: Context = request.app.state.ctx
    upload = await _upload(request)
    if request.method == "HEAD":
        return _progress(ctx, upload)
    return _open(ctx, upload, status=200)


async def append(request: Request) -> Response:
    """PATCH /publish/uploads/<id>: the next bytes; the last of them publish it."""
    ctx: Context = request.app.state.ctx
    upload = await _upload(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/partial-upload":
        raise Malformed("content_type", expected="application/partial-upload")
    size = _length(request, APPEND_MOST)
    offset = request.headers.get("upload-offset", "")
    if not _is_number(offset):
        raise Malformed("bad_field", field="Upload-Offset")
    if int(offset) != upload.offset:
        raise Refused("upload_offset", offset=upload.offset)
    if upload.offset + size > upload.size:
        raise Malformed("body_too_large", most=upload.size - upload.offset)
    with _bodies(request):
        if size:
            upload = await service.append(ctx, upload, chunks=_chunks(request))
        if upload.offset < upload.size:
            return _progress(ctx, upload)
        return _published(ctx, await service.finish(ctx, upload))


async def abandon(request: Request) -> Response:
    """DELETE /publish/uploads/<id>: forget what was sent; one that is not there is fine."""
    ctx: Context = request.app.state.ctx
    publisher = await _publisher(request)
    await service.abandon(ctx, publisher, request.path_params["id"])
    return Response(status_code=204)


async def check(request: Request) -> Response:
    """POST /publish/check: which of these are there already (section 4)."""
    ctx: Context = request.app.state.ctx
    await _publisher(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Malformed("content_type", expected="application/json")
    sent = parse_json_as(await forms.body(request, _CHECK_BYTES), _Asking)
    if len(sent.statements) > CHECK_MOST:
        raise Malformed("bad_field", field="statements")
    asked = [(one.account, one.kind, one.name, _hex(one.digest)) for one in sent.statements]
    states = await service.check(ctx, asked)
    return _json(ctx, 200, states=[state.value for state in states])


async def nothing(_request: Request) -> Response:
    """Whatever else stands below /publish/: told to a program, not to a person."""
    raise Refused("not_found")


async def _upload(request: Request) -> Upload:
    ctx: Context = request.app.state.ctx
    publisher = await _publisher(request)
    return await service.upload_of(ctx, publisher, request.path_params["id"])


# --- answers ----------------------------------------------------------------------------------


def _json(ctx: Context, status: int, **members: object) -> Response:
    body = msgspec.json.encode({"now": ctx.clock.now(), **members})
    return Response(body, status_code=status, media_type="application/json")


def _published(ctx: Context, published: Published) -> Response:
    status = 200 if published.state is State.SAME else 201
    response = _json(ctx, status, state=published.state.value, id=published.id)
    response.headers["upload-complete"] = "?1"
    return response


def _open(ctx: Context, upload: Upload, *, status: int) -> Response:
    response = _json(ctx, status, state="open", upload=upload.id, offset=upload.offset)
    response.headers.update(_progress(ctx, upload).headers)
    response.headers["location"] = f"/publish/uploads/{upload.id}"
    return response


def _progress(ctx: Context, upload: Upload) -> Response:
    settings = ctx.settings
    limits = {
        "max-size": settings.statement_most_mib * 2**20,
        "max-append-size": APPEND_MOST,
        "max-age": settings.upload_hours * HOUR // SECOND,
    }
    return Response(
        status_code=204,
        headers={
            "upload-offset": str(upload.offset),
            "upload-complete": "?0",
            "upload-length": str(upload.size),
            "upload-limit": ", ".join(f"{name}={value}" for name, value in limits.items()),
        },
    )


# --- what a call brings -----------------------------------------------------------------------


def _query(request: Request, *names: str) -> dict[str, str]:
    """The parameters behind the path, each once and none unknown."""
    sent = request.query_params.multi_items()
    for name, _ in sent:
        if name not in names:
            raise Malformed("bad_field", field=name[:40])
    if len(dict(sent)) != len(sent):
        raise Malformed("bad_field", field="repeated")
    return {name: dict(sent).get(name, "") for name in names}


def _flag(sent: str) -> bool:
    if sent not in {"", "true", "false"}:
        raise Malformed("bad_field", field="replace")
    return sent == "true"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16


def _length(request: Request, most: int) -> int:
    sent = request.headers.get("content-length", "")
    if not _is_number(sent):
        raise Malformed("length_missing")
    if int(sent) > most:
        raise Malformed("body_too_large", most=most)
    return int(sent)


def _digest(request: Request) -> bytes:
    """The SHA-256 of a Content-Digest header (RFC 9530 section 2), beside others perhaps."""
    found = _DIGEST.search(", ".join(request.headers.getlist("content-digest")))
    if found is None:
        raise Malformed("digest_missing")
    try:
        return b64decode(found[1], validate=True)
    except NoBase64:
        raise Malformed("digest_missing") from None


def _hex(sent: str) -> bytes:
    if not _HEX.fullmatch(sent):
        raise Malformed("bad_field", field="digest")
    return bytes.fromhex(sent)


@contextmanager
def _bodies(request: Request) -> Iterator[None]:
    """A place among those who may send at a time. Raises Unavailable ``busy``."""
    state = request.app.state
    under_way: int = getattr(state, "publishing", 0)
    if under_way >= BODIES_MOST:
        raise Unavailable("busy", wait=2)
    state.publishing = under_way + 1
    try:
        yield
    finally:
        state.publishing -= 1


def _chunks(request: Request) -> AsyncIterator[bytes]:
    return bodies.paced(request, pace_bytes=PACE_BYTES, pace_s=PACE_S)


Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _route(path: str, call: Call, *methods: Method) -> Route:
    route = Route(path, _answered(call), methods=list(methods))
    # Starlette answers HEAD wherever GET is; here each is named.
    route.methods = set(methods)
    return route


_UPLOAD: Final = "/publish/uploads/{id}"

routes = [
    _route("/publish/statements/{account}/{kind}/{name}", put_statement, "PUT"),
    _route("/publish/uploads", open_upload, "POST"),
    _route(_UPLOAD, show_upload, "GET", "HEAD"),
    _route(_UPLOAD, append, "PATCH"),
    _route(_UPLOAD, abandon, "DELETE"),
    _route("/publish/check", check, "POST"),
    _route("/publish/{rest:path}", nothing, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
]
