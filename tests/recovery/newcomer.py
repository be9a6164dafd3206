"""A phone that comes with credentials, over the real interface, and what its owner has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx

from tests.desk import Desk, enrol_response, open_session
from tests.login.scene import HERE, PASSWORD, Scene, ScenePhone
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY
from vestibule.contacts import service as contacts
from vestibule.contacts.rules import Kind
from vestibule.devices import service as devices
from vestibule.devices.rules import Enrollment
from vestibule.factors import service as factors
from vestibule.notifications import service as notifications
from vestibule.notifications.rules import Notice
from vestibule.sessions.rules import Proof

NUMBER = "+393471234589"


@dataclass
class Newcomer:
    """One app without an account, and its case."""

    desk: Desk
    phone: ScenePhone
    token: str = ""
    situation: str = ""
    ways: tuple[dict[str, Any], ...] = ()
    phones: tuple[dict[str, Any], ...] = ()
    request: str = ""

    async def begin(
        self, username: str = "morgan", password: str = PASSWORD, *, former: str | None = None
    ) -> httpx.Response:
        """Type username and password."""
        answer: httpx.Response = await self.desk.ask(
            "POST",
            "/device/cases",
            {
                "username": username,
                "password": password,
                "device": self.phone.device,
                "label": self.phone.label,
                "platform": "Chrome on Android",
                "former": former,
            },
        )
        if answer.status_code == 200:
            said = answer.json()
            self.token, self.situation = said["case"], said["situation"]
            self.ways, self.phones = tuple(said["ways"]), tuple(said["phones"])
        return answer

    def way(self, kind: str) -> str:
        """The id of the first way of that kind."""
        return str(next(way["id"] for way in self.ways if way["kind"] == kind))

    def kinds(self) -> list[tuple[str, bool]]:
        """The ways' kinds, and whether they rest."""
        return [(way["kind"], way["rests"]) for way in self.ways]

    async def choose(self, way: str, *, replaces: str = "") -> httpx.Response:
        """Choose a way by its kind or id."""
        id_ = way if ":" in way else self.way(way)
        body = {"case": self.token, "way": id_, "replaces": replaces}
        answer: httpx.Response = await self.desk.ask("POST", "/device/cases/way", body)
        await contacts.settle()
        return answer

    async def type(self, code: str) -> httpx.Response:
        """Type a code; the offer that a right one leads to is kept."""
        answer: httpx.Response = await self.desk.ask(
            "POST", "/device/cases/code", {"case": self.token, "code": code}
        )
        self.request = answer.json().get("request") or self.request
        return answer

    async def look(self) -> dict[str, Any]:
        """What became of the case."""
        headers = {"vestibule-case": self.token}
        answer = await self.desk.phone_http.get("/device/cases/outcome", headers=headers)
        said: dict[str, Any] = answer.json()
        self.request = said.get("request") or self.request
        return said

    async def enrol(self, phone: ScenePhone | None = None, **changes: Any) -> httpx.Response:
        """Link the phone."""
        response = enrol_response(self.desk.scene, self.request, phone or self.phone, **changes)
        body = {"case": self.token, "response": response}
        answer: httpx.Response = await self.desk.ask("POST", "/device/cases/enrollments", body)
        return answer

    async def by_text(self, *, replaces: str = "") -> httpx.Response:
        """All the way, with the code of the text message."""
        assert (await self.choose("sms", replaces=replaces)).status_code == 200
        assert (await self.type(sent(self.desk.scene))).status_code == 200
        return await self.enrol()


def newcomer(desk: Desk, label: str = "New phone") -> Newcomer:
    """An app that was just installed."""
    phone = ScenePhone(desk.scene.ctx.settings.portal_url, label=label)
    phone.subscription = None
    return Newcomer(desk, phone)


def sent(scene: Scene) -> str:
    """The code in the text message that came last."""
    found = re.search(r"\b\d{6}\b", scene.text.sent[-1][1])
    assert found is not None
    return found[0]


async def with_number(scene: Scene, account: Account, *, days_ago: int = 30) -> None:
    """The account has a verified number, since then."""
    contact = await contacts.add_by_operator(
        scene.ctx, account_id=account.id, kind=Kind.NUMBER, typed=NUMBER, country="", verified=True
    )
    assert contact.verified_at is not None
    scene.clock.step(days_ago * DAY)


async def owner(
    desk: Desk, *, phones: int = 1, number: bool = True
) -> tuple[Account, list[ScenePhone]]:
    """Morgan, with phones and a number that was verified long ago."""
    scene = desk.scene
    account = await scene.account()
    held = [await scene.phone(account, label=f"Old {n}", push=False) for n in range(phones)]
    if number:
        await with_number(scene, account)
    return account, held


async def with_codes(scene: Scene, account: Account) -> tuple[str, ...]:
    """The account has printed recovery codes."""
    session, _ = await open_session(scene, account, proof=Proof.NUMBER)
    return await factors.make_codes(scene.ctx, session=session, label="Paper", visitor=HERE)


async def phones_of(scene: Scene, account: Account) -> dict[str, Enrollment]:
    """The account's phones by their name."""
    listed = await devices.list_phones(scene.ctx, account.id)
    return {phone.enrollment.label: phone.enrollment for phone in listed}


async def notices(scene: Scene, account: Account) -> list[str]:
    """The events that the account was told of, the latest first."""
    return [notice.event for _, notice in await told(scene, account)]


async def told(scene: Scene, account: Account) -> list[tuple[int, Notice]]:
    """What the account was told, the latest first, with the ids of the notices."""
    page = await notifications.list_notices(scene.ctx, account.id, language="en", most=50)
    return [(one.notice.id, one.notice) for one in page.notices]


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]
