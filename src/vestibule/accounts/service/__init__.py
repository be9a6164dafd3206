"""Accounts: making, finding and changing them, checking passwords, keeping preferences.

Signing in reads the account in one statement of login's own; here is everything else.
"""

from vestibule.accounts.service.passwords import (
    PasswordPool,
    change_password,
    set_password,
)
from vestibule.accounts.service.preferences import (
    Guarded,
    demand_unguarded,
    guard,
    set_hours,
    set_language,
    set_networks,
)
from vestibule.accounts.service.records import (
    account_of,
    create_account,
    find_account,
    get_account,
    list_accounts,
    lock_account,
    mark_messages,
    mark_reported,
    mark_staff,
    notices_seen,
    set_disabled,
    set_seamless,
    unlock_account,
)

__all__ = [
    "Guarded",
    "PasswordPool",
    "account_of",
    "change_password",
    "create_account",
    "demand_unguarded",
    "find_account",
    "get_account",
    "guard",
    "list_accounts",
    "lock_account",
    "mark_messages",
    "mark_reported",
    "mark_staff",
    "notices_seen",
    "set_disabled",
    "set_hours",
    "set_language",
    "set_networks",
    "set_password",
    "set_seamless",
    "unlock_account",
]
