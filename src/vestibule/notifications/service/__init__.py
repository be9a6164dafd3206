"""Telling people: nudges of phones, and notices of what happened to their account.

`nudge` is for requests: at once, beside the commit, lost without harm. Notices are made by the
database (see `store`); `tell_for_ever` plans and carries out their deliveries.
"""

from vestibule.notifications.service.links import not_me_link, open_not_me
from vestibule.notifications.service.listing import (
    Page,
    list_notices,
    mark_read,
    read_about,
    send_notice,
    sweep_notices,
)
from vestibule.notifications.service.nudging import delivered, nudge, settle
from vestibule.notifications.service.phones import (
    Health,
    SecondWay,
    Test,
    find_test,
    health,
    language_of,
    set_second_way,
    start_test,
)
from vestibule.notifications.service.telling import Bell, tell_due, tell_for_ever
from vestibule.notifications.service.wording import Told

__all__ = [
    "Bell",
    "Health",
    "Page",
    "SecondWay",
    "Test",
    "Told",
    "delivered",
    "find_test",
    "health",
    "language_of",
    "list_notices",
    "mark_read",
    "not_me_link",
    "nudge",
    "open_not_me",
    "read_about",
    "send_notice",
    "set_second_way",
    "settle",
    "start_test",
    "sweep_notices",
    "tell_due",
    "tell_for_ever",
]
