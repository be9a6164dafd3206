"""Who may fetch an account's statements, and how: changed by its owner, asked by the servers.

Changes take the owner's session and are told to the owner. `door` and `doors` answer the SFTP
server in one statement; `record_visit` enters what became of a program into its owner's log.
"""

from vestibule.delivery.service.certificates import (
    CERTIFICATES,
    CertificateHeld,
    certificate_of,
    remove_certificate,
    set_certificate,
)
from vestibule.delivery.service.doors import (
    Foreseen,
    HostKey,
    HostKeyShown,
    door,
    doors,
    foresee,
    host_keys,
    shown_host_keys,
)
from vestibule.delivery.service.expiring import warn_expiring
from vestibule.delivery.service.keys import (
    add_key,
    disown_key,
    get_key,
    list_keys,
    remove_key,
    rename_key,
)
from vestibule.delivery.service.records import (
    add_address,
    add_network,
    ensure_home,
    home_of,
    remove_network,
    set_networks,
    set_notices,
    shut,
    sweep_delivery,
    switch,
)
from vestibule.delivery.service.visits import end_visit, list_visits, record_visit

__all__ = [
    "CERTIFICATES",
    "CertificateHeld",
    "Foreseen",
    "HostKey",
    "HostKeyShown",
    "add_address",
    "add_key",
    "add_network",
    "certificate_of",
    "disown_key",
    "door",
    "doors",
    "end_visit",
    "ensure_home",
    "foresee",
    "get_key",
    "home_of",
    "host_keys",
    "list_keys",
    "list_visits",
    "record_visit",
    "remove_certificate",
    "remove_key",
    "remove_network",
    "rename_key",
    "set_certificate",
    "set_networks",
    "set_notices",
    "shown_host_keys",
    "shut",
    "sweep_delivery",
    "switch",
    "warn_expiring",
]
