"""A capture that no browser wrote: a secret in every member that is usually harmless.

What browsers put there is a word, a number or a date; so a program that looks at names alone
would keep it.
"""

import json
from typing import Any
from urllib.parse import quote

from tests.captures.canaries import Canaries


def written(canaries: Canaries) -> str:
    """The file."""
    s = canaries.group("hand")
    addresses = [
        f"data:text/plain,{s['data-address']}",
        f"javascript:alert('{s['javascript']}')",
        f"{s['no-scheme']}",
        f"http://[{s['broken-address']}/x",
        f"mailto:{s['mail']}@mail.example",
        f"https://shop.example:{s['port']}/x",
        f"x{s['location-scheme']}://shop.example/x",
    ]
    log = {
        "entries": [_first(s), *(_entry(s, address) for address in addresses)],
        "comment": s["comment"],
        "pages": _pages(s),
        "creator": {"version": s["maker-version"], "name": s["creator"], "comment": ""},
        "browser": {"name": "Edge", "version": "156.0", "comment": s["comment-creator"]},
        "version": s["version"],
    }
    return json.dumps({"log": log}, indent="\t", ensure_ascii=False)


def _first(s: dict[str, str]) -> dict[str, Any]:
    """The entry that has something in every member."""
    first = _entry(
        s,
        f"http://mara:{s['address']}@shop.example:8443/a/b?page=2#code={s['fragment']}",
        pageref=f"page_{s['pageref']}",
        connection=s["connection"],
        serverIPAddress=s["server-address"],
        _priority=s["priority"],
        _resourceType=s["resource"],
        _error=f"net::ERR_{s['error']}",
        _fetchType=s["fetch-type"],
        _securityState=s["security"],
        _unheard_of={"a": [s["unknown"], {"b": s["unknown-nested"], s["unknown-key"]: 1}]},
        comment=s["comment-entry"],
    )
    first["startedDateTime"] = f"2026-11-23T10:00:00.000Z {s['started']}"
    first["request"] |= {"method": s["method"], "httpVersion": f"HTTP/2 {s['protocol']}"}
    first["response"] |= {"statusText": s["status-text"], "redirectURL": f"/x#{s['redirect']}"}
    first["response"]["_error"] = s["error"]
    first["timings"]["comment"] = s["comment-timings"]
    first["cache"] = {
        "beforeRequest": {"expires": s["cache-expires"], "eTag": s["etag"], "hitCount": 1},
        "afterRequest": None,
    }
    first["_initiator"] = {
        "type": s["initiator-type"],
        "url": f"https://cdn.example/{s['initiator-address']}",
        "detail": {"why": s["initiator-detail"]},
        "lineNumber": 7,
    }
    return first


def _pages(s: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "title": f"Dear {s['page-title']}",
            "id": s["page-id"],
            "startedDateTime": "2026-11-23T10:00:00.000+01:00",
            "pageTimings": {"onContentLoad": 120, "onLoad": -1, "comment": ""},
            "comment": s["comment-page"],
        },
        {
            "id": "page_2",
            "startedDateTime": "2026-11-23T10:00:00.000+01:00",
            "title": "https://shop.example/",
            "pageTimings": {},
        },
    ]


def _entry(s: dict[str, str], address: str, **more: Any) -> dict[str, Any]:
    """An entry whose members stand in an order that no browser has."""
    return {
        "timings": {"receive": 1.25, "wait": 20, "send": 0, "ssl": -1, "connect": -1},
        "cache": {},
        "response": _answer(s),
        "request": _request(s, address),
        "_webSocketMessages": [
            {"type": s["direction"], "time": 1795000000.5, "opcode": 1, "data": "hello"}
        ],
        "_eventSourceMessages": [
            {"time": 1.5, "eventName": s["event-name"], "eventId": "1", "data": "hello"}
        ],
        "time": 21.25,
        "startedDateTime": "2026-11-23T10:00:00.000Z",
        **more,
    }


def _answer(s: dict[str, str]) -> dict[str, Any]:
    return {
        "content": {
            "text": "aGVsbG8=",
            "encoding": s["encoding"],
            "mimeType": f"text/{s['mime']}",
            "size": 5,
            "comment": s["comment-content"],
        },
        "bodySize": 5,
        "headersSize": -1,
        "redirectURL": "",
        "cookies": [_cookie(s)],
        "headers": _headers(s, of_answer=True),
        "httpVersion": "h2",
        "statusText": "",
        "status": 200,
    }


def _request(s: dict[str, str], address: str) -> dict[str, Any]:
    return {
        "postData": {
            "params": [
                {
                    "name": "file",
                    "fileName": f"{s['file-name']}.txt",
                    "contentType": f"text/{s['part-type']}",
                    "comment": s["comment-param"],
                }
            ],
            "mimeType": "multipart/form-data",
            "text": "",
        },
        "bodySize": 0,
        "headersSize": -1,
        "queryString": [{"value": "2", "name": "page"}],
        "headers": _headers(s, of_answer=False),
        "cookies": [],
        "httpVersion": "h2",
        "url": address,
        "method": "POST",
        "comment": s["comment-request"],
    }


def _cookie(s: dict[str, str]) -> dict[str, Any]:
    return {
        "sameSite": s["same-site"],
        "secure": True,
        "httpOnly": False,
        "expires": f"Wed, 01 Jan 2031 {s['expires']} GMT",
        "domain": f".{s['cookie-domain']}.example",
        "path": f"/{s['cookie-path']}",
        "value": "",
        "name": "kept",
        "comment": s["comment-cookie"],
    }


def _headers(s: dict[str, str], *, of_answer: bool) -> list[dict[str, str]]:
    asked = {
        ":path": f"/a?code={quote(s['pseudo-path'])}",
        ":authority": "shop.example",
        ":method": "POST",
        "host": f"{s['host']}.shop.example",
        "x-forwarded-host": f"shop.example/{s['forwarded']}",
        "user-agent": f"Mozilla/5.0 ({s['agent']})",
        "accept": f"text/html;id={s['accept']}",
        "range": f"bytes=0-{s['range']}",
        "priority": f"u=1, {s['priority-header']}",
        "access-control-request-headers": s["allow-headers"],
        "origin": f"https://shop.example/{s['origin']}",
        "if-none-match": f'"{s["if-none-match"]}"',
        "traceparent": f"{s['uuid-header']}",
    }
    answered = {
        "date": f"Mon, 23 Nov 2026 10:00:00 GMT ({s['date-header']})",
        "server": f"nginx/{s['server']}",
        "cache-control": f"private, id={s['cache-control']}",
        "vary": s["vary"],
        "content-encoding": s["content-encoding"],
        "alt-svc": f'h3="{s["alt-svc"]}:443"',
        "via": f"1.1 {s['via']}",
        "keep-alive": f"timeout=5, id={s['keep-alive']}",
        "permissions-policy": f'camera=("https://x.example/{s["permissions"]}")',
        "x-robots-tag": f"unavailable_after: {s['robots']}",
        "content-disposition": f"attachment; name={s['disposition']}",
        "server-timing": f"{s['timing-name']};dur=5",
        "retry-after": s["retry"],
    }
    chosen = answered if of_answer else asked
    comment = {"comment": s["comment-header"]}
    return [{"name": name, "value": value, **comment} for name, value in chosen.items()]
