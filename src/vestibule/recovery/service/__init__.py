"""Recovery and migration: an app that comes with credentials, and how its owner undoes it.

A case is opened by a right password, proved by more than that, enrolled once, and can be stopped
until some days after. What is stopped leaves everything as it was before.
"""

from vestibule.recovery.service.choosing import Chosen, choose_way
from vestibule.recovery.service.enrolling import Enrolled, enrol, ripen
from vestibule.recovery.service.following import Outcome, look
from vestibule.recovery.service.granting import Granted, type_code
from vestibule.recovery.service.opening import Device, Opened, open_case
from vestibule.recovery.service.preparedness import Prepared, prepared
from vestibule.recovery.service.stopping import Running, end_case, running, stop_case
from vestibule.recovery.service.sweeping import sweep_cases
from vestibule.recovery.service.undoing import Undone, said_by_link, undo_by_link, undo_by_phone

__all__ = [
    "Chosen",
    "Device",
    "Enrolled",
    "Granted",
    "Opened",
    "Outcome",
    "Prepared",
    "Running",
    "Undone",
    "choose_way",
    "end_case",
    "enrol",
    "look",
    "open_case",
    "prepared",
    "ripen",
    "running",
    "said_by_link",
    "stop_case",
    "sweep_cases",
    "type_code",
    "undo_by_link",
    "undo_by_phone",
]
