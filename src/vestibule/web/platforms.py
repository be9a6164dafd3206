"""Which phones are too old to approve, by what their browser says of itself.

That is policy for people who mean well: a User-Agent is easily forged, and what is rooted does not
say so (spec/threat-model.md). Systems and browsers that the settings do not name, and versions that
are not told, pass.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.requests import HTTPConnection
from ua_parser import parse

from vestibule.base.context import Context
from vestibule.base.errors import Refused
from vestibule.base.settings import Settings

Version = tuple[int, ...]

_AGENT_MOST: Final = 400
_ENTRY: Final = re.compile(r"([A-Za-z][A-Za-z ]*?) (\d+(?:\.\d+)*)")
_SYSTEMS: Final = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_ADDITIONS: Final = ("Mobile", "WebView", "UI/WKWebView")
# Browsers freeze what they say: every Android from 10 on is "10" with the model "K".
_FROZEN: Final = "Android 10; K"


@dataclass(frozen=True, slots=True)
class Platform:
    """A system and a browser; an empty version is not told."""

    system: str
    system_version: Version
    browser: str
    browser_version: Version


def judged(settings: Settings) -> bool:
    """Whether phones are judged at all."""
    return bool(settings.minimum_systems or settings.minimum_browsers)


def asked_hints(settings: Settings) -> dict[str, str]:
    """The header that has Chromium tell its system's version, which it else hides (Android)."""
    return {"accept-ch": "Sec-CH-UA-Platform-Version"} if settings.minimum_systems else {}


def demand_current(request: HTTPConnection) -> None:
    """Refuse a phone whose system or browser is older than the settings ask for.

    Raises Refused ``platform_too_old`` with ``needed`` and ``found``.
    """
    ctx: Context = request.app.state.ctx
    if not judged(ctx.settings):
        return
    headers = request.headers
    platform = platform_of(
        headers.get("user-agent", "")[:_AGENT_MOST],
        headers.get("sec-ch-ua-platform-version", "")[:20],
    )
    _demand(ctx.settings.minimum_systems, platform.system, platform.system_version)
    _demand(ctx.settings.minimum_browsers, platform.browser, platform.browser_version)


def _demand(listed: str, name: str, version: Version) -> None:
    least = minimums(listed).get(name, ())
    if version and version < least[: len(version)]:
        raise Refused(
            "platform_too_old",
            needed=f"{name} {_written(least)}",
            found=f"{name} {_written(version)}",
        )


@lru_cache(maxsize=64)
def minimums(listed: str) -> dict[str, Version]:
    """``Android 10, iOS 16.4`` by name; the setting's form was checked when it was read."""
    return {name: _version(digits) for name, digits in _ENTRY.findall(listed)}


@lru_cache(maxsize=1024)
def platform_of(agent: str, hint: str = "") -> Platform:
    """What a User-Agent and, of Chromium, the hint ``Sec-CH-UA-Platform-Version`` say."""
    parsed = parse(agent)
    system, found = (parsed.os.family, parsed.os) if parsed.os else ("", None)
    told = _version(".".join(part for part in (found.major, found.minor) if part) if found else "")
    if _FROZEN in agent:
        told = _version(hint.strip('"'))
    browser = parsed.user_agent.family if parsed.user_agent else ""
    for addition in _ADDITIONS:
        browser = browser.removeprefix(f"{addition} ").removesuffix(f" {addition}")
    engine = parsed.user_agent
    digits = [part for part in (engine.major, engine.minor) if part] if engine else []
    return Platform(_SYSTEMS.get(system, system), told, browser, _version(".".join(digits)))


def _version(digits: str) -> Version:
    numbers = re.match(r"\d{1,6}(\.\d{1,6}){0,3}", digits)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()


def _written(version: Version) -> str:
    return ".".join(str(part) for part in version)
