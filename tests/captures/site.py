"""A small web site that signs people in by every custom, with a known secret in each place.

It is what the corpus is recorded against. The secrets which the server gives out are planted
here, those of the browser's side in visit.js.
"""

import asyncio
import base64
import gzip
import json
import logging
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlencode

from aiohttp import WSMsgType, web

from tests.captures.canaries import Canaries

_QUIET = logging.getLogger("nobody")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
KEY = web.AppKey("canaries", Canaries)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(canaries: Canaries, place: str) -> str:
    """A token of three parts whose signature is the secret of this place."""
    header = {"alg": "RS256", "typ": "JWT", "kid": canaries["jwt.kid"]}
    claims = {
        "iss": "https://id.example",
        "sub": canaries["jwt.subject"],
        "email": canaries["jwt.email"],
        "role": canaries["jwt.role"],
        "nonce": canaries["jwt.nonce"],
        "exp": 1795000000,
    }
    parts = [encoded(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, canaries[place]])


def saml_response(canaries: Canaries) -> str:
    """An assertion as the HTTP-POST binding carries it."""
    given = canaries.group("saml")
    return base64.b64encode(
        f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        f'ID="_{given["assertion-id"]}" Version="2.0"><saml:Assertion '
        f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><ds:SignatureValue '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{given["signature"]}</ds:SignatureValue>'
        f"<saml:Subject><saml:NameID>{given['name-id']}</saml:NameID></saml:Subject>"
        f'<saml:AuthnStatement SessionIndex="{given["session-index"]}"/>'
        f'<saml:Attribute Name="mail"><saml:AttributeValue>{given["email"]}</saml:AttributeValue>'
        f'</saml:Attribute><saml:Attribute Name="cn"><saml:AttributeValue>{given["name"]}'
        f"</saml:AttributeValue></saml:Attribute></saml:Assertion></samlp:Response>".encode()
    ).decode()


def saml_request(canaries: Canaries) -> str:
    """A request as the HTTP-Redirect binding carries it: deflated, then base64."""
    text = (
        f'<samlp:AuthnRequest ID="_{canaries["saml.request-id"]}" Version="2.0">'
        f"<samlp:NameIDPolicy>{canaries['saml.deflated']}</samlp:NameIDPolicy></samlp:AuthnRequest>"
    )
    squeezed = zlib.compressobj(wbits=-15)
    return base64.b64encode(squeezed.compress(text.encode()) + squeezed.flush()).decode()


async def front(request: web.Request) -> web.Response:
    """Signs in with cookies, and holds secrets in its markup."""
    given = request.app[KEY]
    reply, cookie = given.group("reply"), given.group("cookie")
    answer = web.Response(
        content_type="text/html",
        text=(
            f"<!doctype html><title>{given['page.title']}</title>"
            f'<meta name="csrf-token" content="{reply["html-meta"]}">'
            f"<!-- {reply['html-comment']} --><p>Dear {reply['html-name']}</p>"
            f'<script>STATE={{"token":"{reply["html-state"]}","id":"{jwt(given, "jwt.html")}"}}'
            f'</script><link rel="stylesheet" href="/style.css?v={given["query.style"]}">'
            f'<script src="/script.js?key={given["query.script-source"]}"></script>'
            f'<img src="/pixel.gif?uid={given["query.gif"]}"><img src="data:image/png;base64,'
            f'{base64.b64encode(PNG + given["inline.data-url"].encode()).decode()}">'
        ),
    )
    answer.set_cookie("session", cookie["session"], httponly=True, path="/")
    answer.set_cookie("remember", cookie["remember"], max_age=86400, samesite="Lax", path="/reply")
    answer.set_cookie("csrftoken", cookie["csrf"], samesite="Strict")
    answer.set_cookie("prefs", quote(json.dumps({"id": cookie["json"]})), path="/oauth")
    answer.set_cookie(
        "blob", base64.b64encode(b"id=" + cookie["base64"].encode()).decode(), path="/saml"
    )
    answer.set_cookie("id_token", jwt(given, "jwt.cookie"), path="/oauth")
    answer.set_cookie("basket", "7", path=f"/u/{cookie['path']}")
    answer.set_cookie(given["name.cookie"], "1")
    answer.headers.add("Set-Cookie", f"__Host-sid={cookie['host-prefix']}; Path=/; Secure")
    answer.headers.add("Set-Cookie", f"old={cookie['deleted']}; Max-Age=0")
    return answer


async def headers(request: web.Request) -> web.Response:
    """Secrets in the headers of an answer, and harmless ones beside them."""
    given = request.app[KEY]
    reply = given.group("reply")
    return web.Response(
        text='{"ok":true,"count":3}',
        reason=f"OK {reply['status-text']}",
        headers={
            "Content-Type": f"application/json; token={reply['mime-parameter']}",
            "Cache-Control": "no-store, max-age=0",
            "Vary": "Accept-Encoding",
            "ETag": '"33a64df5"',
            "X-Auth-Token": reply["x-auth-token"],
            "WWW-Authenticate": f'Digest realm="home", nonce="{reply["www-authenticate"]}"',
            "Link": f"</next?token={reply['link']}>; rel=next",
            "Refresh": f"300; url=/again?token={reply['refresh']}",
            "Server-Timing": f'db;dur=53, session;desc="{reply["server-timing"]}"',
            "Content-Disposition": f'inline; filename="{reply["content-disposition"]}.json"',
            "Content-Security-Policy-Report-Only": (
                f"default-src 'self'; report-uri /csp?token={reply['content-security-policy']}"
            ),
            "Report-To": json.dumps({"url": f"https://r.example/{reply['report-to']}"}),
            "NEL": json.dumps({"report_to": reply["nel"], "max_age": 60}),
            "Authentication-Info": f'nextnonce="{reply["authentication-info"]}"',
            "X-Set-User": reply["x-set-user"],
            "Content-Location": f"/reply/{reply['content-location']}",
            "Warning": f'199 - "{reply["warning"]}"',
            "X-Amz-Cf-Id": reply["x-amz-cf-id"],
            "SourceMap": f"/m.map?key={reply['sourcemap']}",
            "X-Id-Token": jwt(given, "jwt.reply-header"),
            given["name.reply-header"]: "1",
        },
    )


def _bodies(given: Canaries) -> dict[str, tuple[str, bytes]]:
    """What `/reply/<name>` answers: media type and bytes."""
    reply = given.group("reply")
    person = {
        "access_token": reply["json-access"],
        "refresh_token": reply["json-refresh"],
        "id_token": jwt(given, "jwt.reply"),
        "expires_in": 3600,
        "status": "active",
        "user": {"name": reply["json-name"], "email": reply["json-email"]},
        "phones": [reply["json-phone"]],
        "card": reply["json-card"],
        "otp": reply["json-otp"],
        "account": int(reply["json-account"]),
        "ids": {"list": [[reply["json-uuid"]], {"deep": reply["json-nested"]}]},
        given["name.reply-json"]: True,
    }
    big = ["filler" * 20] * 40
    return {
        "token": ("application/json", json.dumps(person).encode()),
        "script": ("text/javascript", f'const API_KEY = "{reply["script"]}";'.encode()),
        "map": ("application/json", json.dumps({"sources": [reply["script-map"]]}).encode()),
        "xml": ("application/xml", f'<a token="{reply["xml"]}"/>'.encode()),
        "svg": (
            "image/svg+xml",
            f'<svg xmlns="http://www.w3.org/2000/svg"><text>{reply["svg"]}</text></svg>'.encode(),
        ),
        "jsonp": ("text/javascript", f'back({{"token":"{reply["jsonp"]}"}})'.encode()),
        "text": ("text/plain", f"token: {reply['text']}".encode()),
        "binary": ("application/octet-stream", b"\x00\xff\x01" + reply["binary"].encode()),
        "image": ("image/png", PNG + reply["image"].encode()),
        "manifest": (
            "application/manifest+json",
            json.dumps({"start_url": f"/?u={reply['manifest']}"}).encode(),
        ),
        "prefix": ("application/json", f')]}}\',\n{{"token":"{reply["prefix"]}"}}'.encode()),
        "lines": (
            "application/x-ndjson",
            f'{{"n":1}}\n{{"token":"{reply["lines"]}"}}\n'.encode(),
        ),
        "utf16": ("text/plain; charset=utf-16", reply["utf16"].encode("utf-16")),
        "problem": ("application/problem+json", json.dumps({"detail": reply["problem"]}).encode()),
        "graphql": (
            "application/json",
            json.dumps({"data": {"me": {"sessionToken": reply["graphql"]}}}).encode(),
        ),
        "big": (
            "application/json",
            json.dumps({"a": reply["big-start"], "list": big, "z": reply["big-end"]}).encode(),
        ),
    }


async def reply(request: web.Request) -> web.Response:
    """A body of the kind that is asked for."""
    media, body = _bodies(request.app[KEY])[request.match_info["name"]]
    return web.Response(body=body, headers={"Content-Type": media})


async def squeezed(request: web.Request) -> web.Response:
    """A body that travels compressed."""
    body = json.dumps({"token": request.app[KEY]["reply.json-gzip"]}).encode()
    coding = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=gzip.compress(body), headers=coding)


async def chunked(request: web.Request) -> web.StreamResponse:
    """A body whose secret is cut by the borders of the chunks."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    secret = request.app[KEY]["reply.json-chunked"]
    for part in ('{"token":"', secret[:9], secret[9:20], secret[20:], '"}'):
        await answer.write(part.encode())
        await asyncio.sleep(0.01)
    return answer


async def style(request: web.Request) -> web.Response:
    """A style sheet with a secret in an address."""
    secret = request.app[KEY]["reply.style"]
    return web.Response(content_type="text/css", text=f"p{{background:url(/i?t={secret})}}")


async def failing(request: web.Request) -> web.Response:
    """An error, with what a careless program says in it."""
    status = int(request.match_info["status"])
    place = {401: "unauthorized", 404: "not-found", 500: "server-error", 400: "json-error"}[status]
    said = {"error": "invalid_token", "message": f"no {request.app[KEY]['reply.' + place]}"}
    return web.json_response(said, status=status)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Takes a form of any kind, and leads on with a secret in the address."""
    await request.read()
    given = request.app[KEY]
    raise web.HTTPSeeOther(f"/done?token={given['reply.redirect-303']}#t={given['fragment.plain']}")


async def done(request: web.Request) -> web.Response:
    """An answer to whatever was sent."""
    await request.read()
    return web.Response(text="<title>Done</title><p>Done", content_type="text/html")


async def authorize(request: web.Request) -> web.StreamResponse:
    """OAuth: back with a code, the tokens in the fragment."""
    given = request.app[KEY]
    query = urlencode({"code": given["oauth.code"], "state": given["oauth.state"]})
    tokens = urlencode(
        {
            "access_token": given["fragment.access_token"],
            "id_token": jwt(given, "jwt.fragment"),
            "hint": given["oauth.fragment"],
        }
    )
    raise web.HTTPFound(f"/oauth/callback?{query}#{tokens}")


async def redirect(request: web.Request) -> web.StreamResponse:
    """Addresses to go on to: a relative one, then one with a name and a password in it."""
    given = request.app[KEY]
    if "ticket" not in request.query:
        raise web.HTTPTemporaryRedirect(f"redirect?ticket={given['reply.redirect-relative']}")
    user = ":".join(quote(given[f"address.{part}"], safe="") for part in ("username", "password"))
    raise web.HTTPTemporaryRedirect(f"http://{user}@{request.host}/done")


async def exchange(request: web.Request) -> web.Response:
    """OAuth: tokens for a code."""
    await request.read()
    given = request.app[KEY]
    tokens = {"access_token": given["oauth.access"], "refresh_token": given["oauth.refresh"]}
    return web.json_response({**tokens, "token_type": "Bearer", "scope": "openid profile"})


async def saml_start(request: web.Request) -> web.StreamResponse:
    """SAML: to the identity provider by redirect."""
    given = request.app[KEY]
    query = urlencode({"SAMLRequest": saml_request(given), "RelayState": given["saml.relay-state"]})
    raise web.HTTPFound(f"/saml/provider?{query}")


async def saml_provider(request: web.Request) -> web.Response:
    """SAML: back by a form that sends itself."""
    given = request.app[KEY]
    return web.Response(
        content_type="text/html",
        text=(
            '<title>One moment</title><form method="post" action="/saml/acs">'
            f'<input name="SAMLResponse" value="{saml_response(given)}">'
            f'<input name="RelayState" value="{given["saml.relay-state"]}">'
            f'<input name="SAMLart" value="{given["saml.artifact"]}"></form>'
            "<script>document.forms[0].submit()</script>"
        ),
    )


async def socket(request: web.Request) -> web.WebSocketResponse:
    """JSON, text and binary, both ways; one secret lies across two messages."""
    given = request.app[KEY]
    answer = web.WebSocketResponse(protocols=["bearer"])
    await answer.prepare(request)
    mine = given.group("websocket")
    await answer.send_json(
        {
            "type": "welcome",
            "token": mine["received-json"],
            "id_token": jwt(given, "jwt.websocket"),
            "user": {"name": mine["name"], "email": mine["email"], "phone": mine["phone"]},
        }
    )
    await answer.send_str(f"TOKEN {mine['received-text']}")
    await answer.send_bytes(struct.pack(">H", 40) + mine["received-binary"].encode())
    half = len(mine["split"]) // 2
    await answer.send_json({"part": mine["split"][:half]})
    await answer.send_json({"part": mine["split"][half:]})
    async for message in answer:
        if message.type == WSMsgType.TEXT and message.data == "bye":
            await answer.close()
    return answer


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events; one secret lies across two of them."""
    given = request.app[KEY]
    mine = given.group("events")
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    half = len(mine["split"]) // 2
    for text in (
        f"id: {mine['id']}\nevent: {mine['name']}\ndata: {mine['data']}\n\n",
        f"data: {json.dumps({'token': mine['json'], 'id': jwt(given, 'jwt.events')})}\n\n",
        f"data: Dear {mine['free-text']}, welcome\n\n",
        f"data: {mine['split'][:half]}\n\n",
        f"data: {mine['split'][half:]}\n\n",
        "event: end\ndata: 1\n\n",
    ):
        await answer.write(text.encode())
        await asyncio.sleep(0.02)
    return answer


def application(canaries: Canaries) -> web.Application:
    """The site with its addresses; what is not named answers shortly to everything."""
    app = web.Application(client_max_size=2**24)
    app[KEY] = canaries
    app.add_routes(
        [
            web.get("/", front),
            web.get("/headers", headers),
            web.get("/reply/{name}", reply),
            web.get("/squeezed", squeezed),
            web.get("/chunked", chunked),
            web.get("/style.css", style),
            web.get(r"/failing/{status:\d+}", failing),
            web.post("/sign-in", sign_in),
            web.get("/oauth/authorize", authorize),
            web.post("/oauth/token", exchange),
            web.get("/redirect", redirect),
            web.get("/saml/start", saml_start),
            web.get("/saml/provider", saml_provider),
            web.get("/socket", socket),
            web.get("/events", events),
            web.route("*", "/{rest:.*}", done),
        ]
    )
    return app


@contextmanager
def served(canaries: Canaries) -> Iterator[str]:
    """The site's origin, as long as it is served on a thread of its own."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application(canaries), shutdown_timeout=0.2, logger=_QUIET)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
