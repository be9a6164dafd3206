"""The resynchronisation, steps a to i, from the worst that can be: nothing fits any more."""

from playwright.sync_api import expect

from tests.journeys.beginnings import link_and_leave
from tests.journeys.browsers import until
from tests.journeys.desktop import Desktop
from tests.journeys.phone import Phone
from tests.journeys.portal import Portal
from tests.journeys.push_service import PushService
from tests.journeys.words import PHONE

AHEAD = 30
# What thirty responses that nobody sent leave behind, without typing the PIN thirty times.
RUN_AHEAD = """steps => new Promise((resolve, reject) => {
  const opening = indexedDB.open("vestibule");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const tx = opening.result.transaction("accounts", "readwrite");
    const asking = tx.objectStore("accounts").getAll();
    asking.onsuccess = () => {
      for (const account of asking.result) {
        tx.objectStore("accounts").put({ ...account, counter: account.counter + steps });
      }
    };
    tx.oncomplete = () => { opening.result.close(); resolve(asking.result.length); };
  };
})"""


def fall_out_of_step(phone: Phone, pushes: PushService) -> None:
    """The counter runs ahead, and the push subscription dies without anybody's notice."""
    phone.open()
    phone.at("home")
    assert phone.page.evaluate(RUN_AHEAD, AHEAD) == 1
    phone.close()
    pushes.forget_phones()


def next_sign_in_is_pushed(portal: Portal, phone: Phone, account: str, screen: Desktop) -> None:
    """The app, still open at its list, sees the notification come and leads to the request."""
    phone.page.wait_for_timeout(500)
    before = screen.count
    portal.log_in(account)
    phone.notified(before, PHONE["worker.sign_in"])
    phone.says("resync.done")
    expect(phone.page.locator(".step.done")).to_have_count(9)
    phone.look("resync-done")
    phone.press("resync.open")
    until(phone.page, lambda: phone.shows("request"), "the request")
    # The response has made the browser a known one: no number is asked for.
    phone.approve()
    portal.is_signed_in()


def test_resynchronisation_repairs_a_counter_that_ran_ahead_and_a_dead_subscription(
    portal: Portal, phone: Phone, account: str, screen: Desktop, pushes: PushService
) -> None:
    """One sign-in by challenge and response, guided by the app, and the next one is pushed.

    Steps a to i of the procedure. The first response is too far ahead and is followed by a
    second, as the protocol wants it; each step that can be seen ticks itself off.
    """
    link_and_leave(portal, phone, account)
    fall_out_of_step(phone, pushes)
    before = screen.count

    # a to c: the portal's sign-in, username and password; the one phone needs no choice.
    portal.log_in(account)
    portal.says("login.wait.undelivered")
    assert screen.count == before

    # The app's last rung subscribes anew and then guides.
    subscriptions = pushes.subscriptions
    phone.open_self_test()
    phone.check("resync", "ahead").get_by_role("button").click()
    phone.at("resync")
    phone.says("resync.subscribed.ok")
    assert pushes.subscriptions > subscriptions
    done = phone.page.locator(".step.done")
    expect(done).to_have_count(0)

    # d and e: no notification came, so the challenge; f and g: the response to it.
    portal.unfold("login.wait.not_received")
    phone.press("home.authenticate")
    portal.respond(phone.make_response(portal.challenge()))
    portal.says("error.response_again.title")
    phone.press("response.again")
    portal.respond(phone.make_response(portal.challenge()))
    # h: signed in, and the phone hears of it.
    portal.is_signed_in()
    phone.press("action.done")
    phone.at("resync", look="resync-signed-in")
    expect(done).to_have_count(7)

    # i: out and in again. Now the push arrives.
    portal.log_out()
    next_sign_in_is_pushed(portal, phone, account, screen)
