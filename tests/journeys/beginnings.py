"""Where most journeys begin: an account with a phone, signed out again."""

from tests.journeys.browsers import Fingerprint, until
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.words import PORTAL
from tests.serving import Server


def another_account(server: Server, account: str) -> str:
    """A second username of the same person."""
    name = account.replace("mercer", "bianchi")
    server.add_account(name, name="Ada Mercer")
    return name


def install_with_face(iphone: Phone) -> None:
    """Open the app by its icon on an iPhone that knows its owner's face."""
    iphone.put_on_home_screen()
    iphone.open()
    Fingerprint(iphone.page)


def link_with_face(portal: Portal, iphone: Phone, account: str) -> None:
    """Link a first iPhone, protected by its own lock, and sign out."""
    portal.log_in(account)
    portal.is_signed_in()
    install_with_face(iphone)
    iphone.type_code(portal.code())
    iphone.agree()
    iphone.use_lock()
    iphone.is_linked()
    portal.open("/")
    portal.log_out()


def sign_in_with_face(portal: Portal, iphone: Phone, account: str) -> None:
    """Sign in from a browser that is not known; the phone's lock approves."""
    portal.log_in(account)
    iphone.answer("approve", portal.read_number())
    iphone.at("result", look="approved")
    portal.is_signed_in()


def link_phone(portal: Portal, phone: Phone, account: str) -> None:
    """Link a first phone by typed code; the portal stays signed in."""
    portal.log_in(account)
    portal.is_signed_in()
    phone.link(portal.code())
    portal.says("activation.linked.title")
    # A browser takes its time to subscribe; the portal tells when its server knows how to nudge.
    if phone.may_notify:
        wait_for_pushes(portal)
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


def wait_for_pushes(portal: Portal) -> None:
    """Signed in: wait until the portal's server knows how to nudge the phone."""
    until(portal.page, lambda: _tells_push(portal), "a subscription")


def _tells_push(portal: Portal) -> bool:
    portal.open("/settings/phones")
    return portal.page.get_by_text(PORTAL["devices.push.ok"]).count() == 1
