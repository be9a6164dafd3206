"""Where most journeys begin: an account with a phone, signed out again."""

from tests.journeys.browsers import until
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL


def link_phone(portal: Portal, phone: Phone, account: str) -> None:
    """Link a first phone by typed code; the portal stays signed in."""
    portal.log_in(account)
    portal.is_signed_in()
    phone.link(portal.code())
    portal.says("activation.linked.title")
    # A browser takes its time to subscribe; the portal tells when its server knows how to nudge.
    if phone.may_notify:
        until(portal.page, lambda: _tells_push(portal), "a subscription", seconds=25)
    portal.open("/")


def link_and_leave(portal: Portal, phone: Phone, account: str) -> None:
    """Link a first phone and sign out. The browser is not known yet: no phone vouched for it."""
    link_phone(portal, phone, account)
    portal.log_out()


def sign_in(portal: Portal, phone: Phone, account: str) -> None:
    """Sign in from a browser that is not known, with the number."""
    portal.log_in(account)
    phone.approve(portal.read_number())
    portal.is_signed_in()


def know_browser(portal: Portal, phone: Phone, account: str) -> None:
    """Link a phone, sign in with the number once, and sign out: now the browser is known."""
    link_and_leave(portal, phone, account)
    sign_in(portal, phone, account)
    phone.press("action.done")
    portal.log_out()


def _tells_push(portal: Portal) -> bool:
    portal.open("/settings/phones")
    return portal.page.get_by_text(PORTAL["devices.push.ok"]).count() == 1
