"""All tables in one place: importing this module imports every store."""

from vestibule.accounts import store as accounts
from vestibule.activation import store as activation
from vestibule.base import audit, limits
from vestibule.base.database import metadata
from vestibule.contacts import store as contacts
from vestibule.delivery import store as delivery
from vestibule.devices import store as devices
from vestibule.factors import store as factors
from vestibule.knowledge import store as knowledge
from vestibule.login import store as login
from vestibule.notifications import store as notifications
from vestibule.recovery import store as recovery
from vestibule.relying import store as relying
from vestibule.sessions import store as sessions
from vestibule.staff import store as staff
from vestibule.statements import store as statements
from vestibule.support import store as support

__all__ = ["STORES", "metadata"]

STORES = (
    audit,
    limits,
    accounts,
    activation,
    contacts,
    delivery,
    devices,
    factors,
    knowledge,
    login,
    notifications,
    recovery,
    relying,
    sessions,
    staff,
    statements,
    support,
)
"""The modules that define tables."""
