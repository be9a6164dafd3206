"""Reading what a page's form or the phone sent: small, of the right type, nothing unknown."""

from typing import Final, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from vestibule.base.context import Context
from vestibule.base.errors import Malformed
from vestibule.protocol.encoding import parse_json_as
from vestibule.web import csrf

FORM_MOST: Final = 16 * 1024
"""Bytes of a form."""
JSON_MOST: Final = 32 * 1024
"""Bytes of a JSON body; the longest message inside one is 8 KiB."""
_FIELDS_MOST: Final = 20

T = TypeVar("T")


async def body(request: Request, most: int) -> bytes:
    """The whole body. Raises Malformed ``body_too_large``, without reading on."""
    declared = request.headers.get("content-length", "0")
    # uvicorn's parser has refused what is no number; other servers may pass it on.
    if not declared.isdecimal() or int(declared) > most:
        raise Malformed("body_too_large", most=most)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise Malformed("body_too_large", most=most)
        chunks.append(chunk)
    return b"".join(chunks)


async def read(request: Request, *fields: str, bound: str, most: int = FORM_MOST) -> dict[str, str]:
    """The form's fields, each an empty string where it was not sent; ``most``: its bytes.

    Refuses other sites' forms and those not made for this visitor (see `csrf`, ``bound``), other
    content types, unknown and repeated fields.
    """
    ctx: Context = request.app.state.ctx
    csrf.demand_same_site(request, ctx.settings.portal_url)
    _demand_type(request, "application/x-www-form-urlencoded")
    sent = _parsed(await body(request, most))
    csrf.demand_token(ctx, sent.pop(csrf.FIELD, ""), bound)
    for name in sent:
        if name not in fields:
            raise Malformed("bad_field", field=name[:40])
    return {name: sent.get(name, "") for name in fields}


async def read_call(request: Request, *fields: str) -> dict[str, str]:
    """The fields of a form that a program sends, which has neither cookie nor page.

    Parameters that it sends beyond ``fields`` are ignored, as RFC 6749 section 3.1 wants it.
    """
    ctx: Context = request.app.state.ctx
    csrf.demand_same_site(request, ctx.settings.portal_url)
    _demand_type(request, "application/x-www-form-urlencoded")
    sent = _parsed(await body(request, FORM_MOST))
    return {name: sent.get(name, "") for name in fields}


def _demand_type(request: Request, kind: str) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != kind:
        raise Malformed("content_type", expected=kind)


def _parsed(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            max_num_fields=_FIELDS_MOST,
            errors="strict",
        )
    except ValueError:
        raise Malformed("bad_request") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("bad_field", field="repeated")
    return fields


async def read_json(request: Request, kind: type[T]) -> T:
    """The JSON body as a msgspec type. Raises Malformed, ProtocolFault ``json_malformed``."""
    return parse_json_as(await raw_json(request), kind)


async def raw_json(request: Request, *, most: int = JSON_MOST) -> bytes:
    """The bytes of a JSON body: a device proof covers exactly these."""
    _demand_type(request, "application/json")
    return await body(request, most)
