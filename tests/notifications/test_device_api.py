"""Delivery receipts: whatever comes, the answer is the same."""

from tests.desk import Desk
from vestibule.base.ids import new_id
from vestibule.notifications import service


async def test_receipt_wakes_the_page_and_nonsense_does_not(desk: Desk) -> None:
    """A receipt of ours is passed on; anything else is answered alike and changes nothing."""
    attempt = new_id()
    receipt = service.receipt_id(desk.scene.ctx, attempt)
    for sent in (receipt, "nonsense", ""):
        answer = await desk.ask("POST", "/device/delivered", {"id": sent})
        assert answer.json() == {"now": desk.scene.clock.now()}
    assert desk.scene.bus.told == [(f"login:{attempt}", "delivered")]


async def test_overlong_receipt_is_malformed(desk: Desk) -> None:
    """An id is short."""
    answer = await desk.ask("POST", "/device/delivered", {"id": "x" * 600})
    assert answer.json()["code"] == "json_malformed"
