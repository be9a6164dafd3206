"""A signed-in browser down to the bytes: what it sends can end anywhere."""

import json
import re
import socket
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.serving import PASSWORD, Server


@dataclass
class Browser:
    """One signed-in browser, down to the bytes."""

    server: Server
    cookie: str

    @property
    def port(self) -> int:
        """Where the portal listens."""
        return urlsplit(self.server.portal).port or 80

    def head(self, method: str, path: str, **headers: str) -> bytes:
        """The first lines of a request."""
        lines = {
            "Host": urlsplit(self.server.portal).netloc,
            "Cookie": self.cookie,
            "Origin": self.server.portal,
            **headers,
        }
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """A whole request and its answer."""
        sent = {"Cookie": self.cookie, "Origin": self.server.portal, **headers}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", urlsplit(self.server.portal).netloc)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer: HTTPResponse = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def page(self, path: str) -> str:
        """A page."""
        status, _, text = self.ask("GET", path)
        assert status == 200, text
        return text.decode()

    def field(self, path: str, name: str) -> str:
        """A hidden field of a page's form."""
        found = re.search(rf'name="{name}" value="([^"]+)"', self.page(path))
        assert found is not None
        return found[1]

    def post_form(self, page: str, path: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
        """A form of `page`, sent to `path`."""
        sent = {"form": self.field(page, "form"), **fields}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(sent).encode(), **kind)

    def open_ticket(self) -> str:
        """The number of a new conversation."""
        once = self.field("/messages/new", "once")
        fields = {"topic": "other", "subject": "Files", "text": "See below.", "once": once}
        status, headers, text = self.post_form("/messages/new", "/messages/new", **fields)
        assert status == 303, text
        return headers["location"].split("/")[2].split("?")[0]

    def upload(self, number: str, name: str, data: bytes, **more: str) -> Any:
        """A file as the page's script sends it: the status and what the answer says."""
        page = f"/messages/{number}"
        address = f"{page}/attachments?{urlencode({'name': name})}"
        token = {"x-form-token": self.field(page, "form"), **more}
        status, _, text = self.ask("POST", address, data, **token)
        return status, json.loads(text)

    def waiting(self, number: str) -> list[str]:
        """The names of what waits to be sent."""
        _, _, text = self.ask("GET", f"/messages/{number}/attachments")
        return [one["name"] for one in json.loads(text)["attachments"]]

    def begin(self, number: str, length: int, name: str = "a.txt", **headers: str) -> socket.socket:
        """A connection on which the head of an upload was sent."""
        page = f"/messages/{number}"
        token = self.field(page, "form")
        head = self.head(
            "POST",
            f"{page}/attachments?{urlencode({'name': name})}",
            **{"x-form-token": token, "Content-Length": str(length), **headers},
        )
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(head)
        return connection


def sign_in(server: Server, username: str) -> Browser:
    """A browser in which somebody without a phone has signed in."""
    stranger = Browser(server, "")
    status, headers, page = stranger.ask("GET", "/login")
    assert status == 200
    stranger.cookie = headers.get("set-cookie", "").split(";")[0]
    token = re.search(r'name="form" value="([^"]+)"', page.decode())
    assert token is not None
    form = urlencode({"form": token[1], "username": username, "password": PASSWORD}).encode()
    path: str | None = "/login"
    jar = dict([stranger.cookie.split("=", 1)]) if stranger.cookie else {}
    body: bytes | None = form
    for _ in range(6):
        with closing(HTTPConnection("127.0.0.1", stranger.port, timeout=30)) as connection:
            sent = {
                "Host": urlsplit(server.portal).netloc,
                "Cookie": "; ".join(f"{k}={v}" for k, v in jar.items()),
                "Origin": server.portal,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            connection.request("POST" if body else "GET", path or "/", body, sent)
            answer = connection.getresponse()
            answer.read()
            for line in answer.headers.get_all("set-cookie") or []:
                name, value = line.split(";")[0].split("=", 1)
                jar[name] = value
            path, body = answer.getheader("location"), None
            if path is None:
                break
    assert "__Host-session" in jar
    return Browser(server, "; ".join(f"{k}={v}" for k, v in jar.items()))
