"""Chromium, as it comes with the machine: a desk's browser and a phone's."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Playwright, ViewportSize

from tests.journeys.words import LOCALE

T = TypeVar("T")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
]
DESK = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
PHONE_SIZE: ViewportSize = {"width": 390, "height": 844}
DESK_SIZE: ViewportSize = {"width": 1280, "height": 800}
ALLOW, BLOCK = 1, 2
PATIENCE_S = 40.0
"""How long anything that is to be shown may take. A test that passes does not wait for it, and a
machine with other work is not a failure: how fast things are is measured elsewhere."""


def chromium() -> str | None:
    """The Chromium of this machine, or the one that VESTIBULE_CHROME names."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in names)
    return os.environ.get("VESTIBULE_CHROME") or next(filter(None, found), None)


def desk_browser(playwright: Playwright) -> Browser:
    """A browser for portals; each context in it is a person at another desk."""
    return playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)


def allow_notifications(profile: Path) -> None:
    """What a person does in the settings of a phone; it has to be switched off meanwhile."""
    preferences = profile / "Default" / "Preferences"
    known = json.loads(preferences.read_text())
    known["profile"]["default_content_setting_values"]["notifications"] = ALLOW
    preferences.write_text(json.dumps(known))


@contextmanager
def phone_browser(
    playwright: Playwright,
    profile: Path,
    *arguments: str,
    switches: Sequence[str] = (),
    bus: str = "",
    agent: str = ANDROID,
    camera: int = ALLOW,
    notifications: int = ALLOW,
) -> Iterator[BrowserContext]:
    """A phone: a browser with a profile that lasts, where keys and subscriptions live.

    Permissions are seeded in a new profile, because the push client does not look at those that
    Playwright grants.
    """
    preferences = profile / "Default" / "Preferences"
    if not preferences.exists():
        preferences.parent.mkdir(parents=True)
        granted = {"notifications": notifications, "media_stream_camera": camera}
        wanted = {"profile": {"default_content_setting_values": granted}}
        preferences.write_text(json.dumps(wanted))
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=chromium(),
        args=[*ARGUMENTS, *switches, *arguments],
        env={**os.environ, **({"DBUS_SESSION_BUS_ADDRESS": bus} if bus else {})},
        viewport=PHONE_SIZE,
        has_touch=True,
        is_mobile=True,
        user_agent=agent,
        locale=LOCALE,
    )
    try:
        yield context
    finally:
        context.close()


def until(page: Page, look: Callable[[], T], what: str) -> T:
    """What `look` sees as soon as it is something. Raises TimeoutError, saying what was awaited.

    Playwright's own wait_for_function evaluates text inside the page, which the pages' policy
    forbids; switching the policy off would hide every real violation of it.
    """
    limit = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        if time.monotonic() > limit:
            raise TimeoutError(f"{what}: not within {PATIENCE_S:g} s")
        page.wait_for_timeout(50)
    return seen


class Fingerprint:
    """The phone's own user verification, with PRF: a virtual authenticator on one tab."""

    def __init__(self, page: Page, *, prf: bool = True) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        self._prf = prf
        self._id = self._add()

    def _add(self) -> str:
        options: dict[str, Any] = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "hasPrf": self._prf,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    def refuse(self) -> None:
        """From now on the finger is not recognised."""
        verdict = {"authenticatorId": self._id, "isUserVerified": False}
        self._cdp.send("WebAuthn.setUserVerified", verdict)

    def skip_verification(self, *, skip: bool = True) -> None:
        """Sign without having verified anybody, which a server must refuse."""
        bits = {"isBadUV": True} if skip else {}
        self._cdp.send("WebAuthn.setResponseOverrideBits", {"authenticatorId": self._id, **bits})
