"""Contacts: added, verified, preferred and removed; and the codes that are sent to them.

A code is proven in two steps, so that a wrong try counts whatever becomes of the caller:
`check_code` looks at it in a transaction of its own (and refuses), `spend_code` uses it up inside
the transaction of what it is good for.
"""

from vestibule.contacts.service.codes import (
    Checked,
    Sent,
    check_code,
    code_under_way,
    send_code,
    settle,
    spend_code,
    sweep_codes,
)
from vestibule.contacts.service.records import (
    add,
    add_by_operator,
    demand_may_change,
    disown,
    get_contact,
    list_contacts,
    prefer,
    remove,
    remove_by_operator,
    sweep_contacts,
    to_tell,
    verified,
    verify,
)

__all__ = [
    "Checked",
    "Sent",
    "add",
    "add_by_operator",
    "check_code",
    "code_under_way",
    "demand_may_change",
    "disown",
    "get_contact",
    "list_contacts",
    "prefer",
    "remove",
    "remove_by_operator",
    "send_code",
    "settle",
    "spend_code",
    "sweep_codes",
    "sweep_contacts",
    "to_tell",
    "verified",
    "verify",
]
