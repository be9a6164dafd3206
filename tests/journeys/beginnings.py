"""Where most journeys begin: an account with a phone, signed out again."""

from tests.journeys.phone import Phone
from tests.journeys.portal import Portal


def link_phone(portal: Portal, phone: Phone, account: str) -> None:
    """Link a first phone by typed code; the portal stays signed in."""
    portal.log_in(account)
    portal.is_signed_in()
    phone.link(portal.code())
    portal.says("activation.linked.title")
    portal.open("/")


def link_and_leave(portal: Portal, phone: Phone, account: str) -> None:
    """Link a first phone and sign out. The browser is not known yet: no phone vouched for it."""
    link_phone(portal, phone, account)
    portal.log_out()


def know_browser(portal: Portal, phone: Phone, account: str) -> None:
    """Link a phone, sign in with the number once, and sign out: now the browser is known."""
    link_and_leave(portal, phone, account)
    portal.log_in(account)
    phone.approve(portal.read_number())
    portal.is_signed_in()
    phone.press("action.done")
    portal.log_out()
