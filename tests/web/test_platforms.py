"""Phones that are too old are refused by what their browser says, in plain words."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.datastructures import State
from starlette.requests import Request

from tests.desk import Desk
from tests.login.scene import ScenePhone
from vestibule.app import origins
from vestibule.base.errors import Refused
from vestibule.base.settings import Settings
from vestibule.web import platforms
from vestibule.web.platforms import Platform, platform_of

OLD_ANDROID = (
    "Mozilla/5.0 (Linux; Android 9; SM-G960F) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/108.0.0.0 Mobile Safari/537.36"
)
FROZEN_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1"
)
IPHONE_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148"
)
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"


@pytest.mark.parametrize(
    "agent, hint, platform",
    [
        (OLD_ANDROID, "", Platform("Android", (9,), "Chrome", (108, 0))),
        (FROZEN_ANDROID, "", Platform("Android", (), "Chrome", (142, 0))),
        (FROZEN_ANDROID, '"15.0.0"', Platform("Android", (15, 0, 0), "Chrome", (142, 0))),
        (IPHONE, "", Platform("iOS", (16, 3), "Safari", (16, 3))),
        (FIREFOX, "", Platform("Android", (14,), "Firefox", (145, 0))),
        ("curl/8.5.0", "", Platform("", (), "curl", (8, 5))),
        ("", "", Platform("", (), "", ())),
    ],
)
def test_platform_is_what_a_browser_says(agent: str, hint: str, platform: Platform) -> None:
    """A version that browsers have frozen counts as not told, unless a hint tells it."""
    assert platform_of(agent, hint) == platform


def refused(agent: str, hint: str = "", **settings: str) -> dict[str, Any] | None:
    """The facts of the refusal of a phone with this User-Agent, if it is refused."""

    class Asked:
        state = State({"ctx": State({"settings": Settings(**settings)})})  # type: ignore[arg-type]

    headers = [(b"user-agent", agent.encode()), (b"sec-ch-ua-platform-version", hint.encode())]
    request = Request({"type": "http", "headers": headers, "app": Asked()})
    try:
        platforms.demand_current(request)
    except Refused as fault:
        return dict(fault.facts)
    return None


@pytest.mark.parametrize(
    "agent, hint, settings, facts",
    [
        (OLD_ANDROID, "", {}, None),
        (
            OLD_ANDROID,
            "",
            {"minimum_systems": "Android 10, iOS 16.4"},
            {"needed": "Android 10", "found": "Android 9"},
        ),
        (
            IPHONE,
            "",
            {"minimum_systems": "Android 10, iOS 16.4"},
            {"needed": "iOS 16.4", "found": "iOS 16.3"},
        ),
        (IPHONE_APP, "", {"minimum_systems": "iOS 18.6", "minimum_browsers": "Safari 18"}, None),
        (FROZEN_ANDROID, "", {"minimum_systems": "Android 13"}, None),
        (
            FROZEN_ANDROID,
            '"12"',
            {"minimum_systems": "Android 13"},
            {"needed": "Android 13", "found": "Android 12"},
        ),
        (FROZEN_ANDROID, '"13"', {"minimum_systems": "Android 13"}, None),
        # Told less exactly than asked for: the benefit of the doubt.
        (FROZEN_ANDROID, '"13"', {"minimum_systems": "Android 13.1"}, None),
        (
            OLD_ANDROID,
            "",
            {"minimum_browsers": "Chrome 109, Safari 16.4"},
            {"needed": "Chrome 109", "found": "Chrome 108.0"},
        ),
        (FIREFOX, "", {"minimum_browsers": "Chrome 109, Safari 16.4"}, None),
        ("", "", {"minimum_systems": "Android 10"}, None),
    ],
)
def test_only_what_is_known_to_be_too_old_is_refused(
    agent: str, hint: str, settings: dict[str, str], facts: dict[str, str] | None
) -> None:
    """What the settings do not name, or a browser does not tell, passes."""
    assert refused(agent, hint, **settings) == facts


@pytest.mark.parametrize("listed", ["Android", "10", "Android 10; iOS 16", "Android ten"])
def test_setting_of_another_form_is_refused(listed: str) -> None:
    """A slip in it would let every phone pass."""
    with pytest.raises(ValueError, match="minimum_systems"):
        Settings(minimum_systems=listed)


async def test_old_phone_cannot_be_linked_nor_approve_but_deny(desk: Desk) -> None:
    """It is told what is needed; its code stays good; a sign-in that was not you is denied."""
    ctx = desk.scene.ctx
    settings = ctx.settings.model_copy(update={"minimum_systems": "Android 10"})
    transport = desk.phone_http._transport
    served = origins(replace(ctx, settings=settings))["phone.example"]
    transport.app = served  # type: ignore[attr-defined]
    agent = {"user-agent": OLD_ANDROID}
    answer = await desk.ask("POST", "/device/tickets", {"code": "ABCD"}, **agent)
    assert answer.status_code == 403
    assert answer.json()["code"] == "platform_too_old"
    assert "Android 10" in answer.json()["detail"]
    assert answer.headers["accept-ch"] == "Sec-CH-UA-Platform-Version"
    account = await desk.scene.account()
    phone: ScenePhone = await desk.scene.phone(account)
    await desk.scene.begin()
    (request,) = await desk.scene.waiting(phone)
    now = desk.scene.clock.now()
    approval = phone.approval(request, now=now)
    refusal = await desk.ask("POST", "/device/answers", {"answer": approval}, **agent)
    assert refusal.json()["code"] == "platform_too_old"
    denial = phone.approval(request, now=now, act="deny")
    done = await desk.ask("POST", "/device/answers", {"answer": denial}, **agent)
    assert done.status_code == 200
