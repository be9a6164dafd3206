"""Enrollments: one account on one phone each. Stored, listed, renamed, removed, and proven.

`parse_proof` names the enrollment that makes a call, `check_proof` decides with the row that was
read: a service that needs more than the enrollment reads both in one statement.
"""

from vestibule.devices.service.credentials import (
    assertion_holds,
    credential_of,
    demand_attested,
)
from vestibule.devices.service.knowledge import check_knowledge
from vestibule.devices.service.proofs import check_proof, parse_proof, prove
from vestibule.devices.service.records import (
    active_enrollments,
    active_phones,
    advance_counter,
    enroll,
    enrollment_of,
    get_enrollment,
    list_phones,
    open_knowledge_key,
    open_response_key,
    remove_by_operator,
    remove_by_phone,
    rename,
    rename_by_phone,
    revoke,
)
from vestibule.devices.service.replacing import (
    end_rest,
    restore,
    retire,
    revoke_in,
    sweep_retired,
)
from vestibule.devices.service.subscriptions import (
    drop_subscription,
    note_delivery,
    note_permission,
    open_topic,
    push_target,
    set_subscription,
    set_topic,
)

__all__ = [
    "active_enrollments",
    "active_phones",
    "advance_counter",
    "assertion_holds",
    "check_knowledge",
    "check_proof",
    "credential_of",
    "demand_attested",
    "drop_subscription",
    "end_rest",
    "enroll",
    "enrollment_of",
    "get_enrollment",
    "list_phones",
    "note_delivery",
    "note_permission",
    "open_knowledge_key",
    "open_response_key",
    "open_topic",
    "parse_proof",
    "prove",
    "push_target",
    "remove_by_operator",
    "remove_by_phone",
    "rename",
    "rename_by_phone",
    "restore",
    "retire",
    "revoke",
    "revoke_in",
    "set_subscription",
    "set_topic",
    "sweep_retired",
]
