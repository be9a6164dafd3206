"""The desktop that Chromium shows its notifications on: a daemon on a private D-Bus.

Chromium speaks the freedesktop notification protocol also when it is headless. Nothing less than
this daemon's `ActionInvoked` is a real click, and only a real click lets a service worker open a
window.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from tests.journeys.background import Background
from tests.journeys.browsers import PATIENCE_S

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
BY_CALL = 3  # the reason "closed by a call" of the protocol


@dataclass(frozen=True)
class Notification:
    """One notification that stands on the desktop."""

    id: int
    title: str
    body: str
    actions: tuple[str, ...]  # keys and labels in turn, as the protocol has them


class Desktop:
    """The notifications on the screen, and a finger to click them."""

    def __init__(self, background: Background, address: str) -> None:
        self.address = address
        self.shown: dict[int, Notification] = {}
        self.history: list[Notification] = []
        """All that were shown so far; one that takes the place of another is one more."""
        self._background = background
        self._bus: MessageBus | None = None

    @property
    def count(self) -> int:
        """How many were shown so far."""
        return len(self.history)

    async def open(self) -> None:
        """Take the daemon's name on the bus."""
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.add_message_handler(self._hear)
        await self._bus.request_name(NAME)

    def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._background.loop.call_soon_threadsafe(self._bus.disconnect)

    def wait(
        self,
        pause: Callable[[float], None],
        *,
        after: int = 0,
        saying: str = "",
    ) -> Notification:
        """The notification shown after the first `after` ones, with `saying` in its text.

        `pause` (milliseconds) lets the browser go on meanwhile. Raises TimeoutError.
        """
        limit = time.monotonic() + PATIENCE_S
        while not (found := [one for one in self.history[after:] if saying in one.body]):
            if time.monotonic() > limit:
                said = [one.body for one in self.history[after:]]
                raise TimeoutError(f"no such notification was shown; others: {said}")
            pause(20)
        return found[0]

    def click(self, notification: Notification, action: str = "default") -> None:
        """Click it, or one of its buttons by key."""
        self._signal("ActionInvoked", "us", [notification.id, action])

    def clear(self) -> None:
        """Close all of them, as a person does."""
        for number in list(self.shown):
            self._close(number)

    def _close(self, number: int) -> None:
        self.shown.pop(number, None)
        self._signal("NotificationClosed", "uu", [number, BY_CALL])

    def _signal(self, member: str, signature: str, body: list[Any]) -> None:
        if self._bus is not None:
            message = Message.new_signal(PATH, NAME, member, signature, body)
            self._background.loop.call_soon_threadsafe(self._bus.send, message)

    def _hear(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != NAME:
            return None
        match message.member:
            case "Notify":
                return Message.new_method_return(message, "u", [self._show(message.body)])
            case "CloseNotification":
                self._close(message.body[0])
                return Message.new_method_return(message)
            case "GetCapabilities":
                capabilities = ["actions", "body", "persistence"]
                return Message.new_method_return(message, "as", [capabilities])
            case "GetServerInformation":
                about = ["desktop", "vestibule", "1", "1.2"]
                return Message.new_method_return(message, "ssss", about)
            case _:
                return None

    def _show(self, body: list[Any]) -> int:
        _app, replaces, _icon, title, text, actions, _hints, _timeout = body
        number = int(replaces or self.count + 1)
        self.shown[number] = Notification(number, title, text, tuple(actions))
        self.history.append(self.shown[number])
        return number


@contextmanager
def desktop(background: Background) -> Iterator[Desktop]:
    """A private bus with the daemon on it; give Chromium `address` as DBUS_SESSION_BUS_ADDRESS."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1", "--nopidfile"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert bus.stdout is not None
    screen = Desktop(background, bus.stdout.readline().strip())
    try:
        background.do(screen.open())
        yield screen
    finally:
        screen.close()
        bus.terminate()
        bus.wait()
        bus.stdout.close()
