"""A phone that comes with credentials: activation by text, a forgotten PIN, a new phone.

Specification, section 12:

    case = await begin(phone, "http://localhost:8601", "morgan", password, label="New phone")
    await choose(phone, case, case.ways[0]["id"], replaces="all")
    offer = await type_code(phone, case, "271828")
    await finish(phone, case, offer, pin="2580")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vestibule.client.enrolling import random_id
from vestibule.client.errors import NotPossible
from vestibule.client.offers import Offer
from vestibule.client.phone import PLATFORM, Phone
from vestibule.client.state import Enrolled
from vestibule.protocol import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as its phone holds it."""

    token: str
    address: str
    label: str
    device: str
    afresh: bool
    """Whether a new root is made, under a new PIN."""
    account: str
    situation: str
    phones: list[dict[str, Any]]
    ways: list[dict[str, Any]]

    def way(self, kind: str) -> str:
        """The id of the first way of a kind. Raises `NotPossible`."""
        for way in self.ways:
            if way["kind"] == kind:
                return str(way["id"])
        raise NotPossible(f"there is no way by {kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a case."""

    state: str
    offer: Offer | None
    rests_until: int | None


async def begin(
    phone: Phone, address: str, username: str, password: str, *, label: str, afresh: bool = False
) -> Case:
    """Open a case. `afresh` makes a new PIN, because the one there was is forgotten.

    Raises `Refused` and `Unreachable`.
    """
    afresh = afresh or phone.state.root is None
    device = random_id() if afresh else phone.state.device
    held = [one.id for one in phone.state.accounts if one.account == username]
    body = {
        "username": username,
        "password": password,
        "device": device,
        "label": label,
        "platform": PLATFORM,
        "former": held[-1] if held else None,
    }
    answer = await phone.call_at(address, "POST", "/device/cases", body)
    return Case(
        token=answer["case"],
        address=address,
        label=label,
        device=device,
        afresh=afresh,
        account=answer["account"],
        situation=answer["situation"],
        phones=answer["phones"],
        ways=answer["ways"],
    )


async def choose(phone: Phone, case: Case, way: str, *, replaces: str = "") -> dict[str, Any]:
    """Go a way; the answer says when another code may be sent, or which number to type."""
    body = {"case": case.token, "way": way, "replaces": replaces}
    return await phone.call_at(case.address, "POST", "/device/cases/way", body)


async def type_code(phone: Phone, case: Case, code: str) -> Offer:
    """Type the code that was sent, or one of the printed ones."""
    body = {"case": case.token, "code": code}
    answer = await phone.call_at(case.address, "POST", "/device/cases/code", body)
    return _offer(phone, case, answer["request"])


async def outcome(phone: Phone, case: Case) -> Outcome:
    """What became of the case."""
    answer = await phone.call_at(
        case.address, "GET", "/device/cases/outcome", headers={"Vestibule-Case": case.token}
    )
    text = answer["request"]
    return Outcome(
        state=answer["state"],
        offer=_offer(phone, case, text) if text is not None else None,
        rests_until=answer["rests_until"],
    )


async def finish(
    phone: Phone, case: Case, offer: Offer, *, pin: str
) -> tuple[Enrolled, int | None]:
    """Link the account: what is kept, and until when (ms) it rests.

    On a phone that goes on with its PIN, the server is asked first whether this is the one.
    """
    if not case.afresh:
        await phone.check_pin_before_adding(pin)
    answer, enrolled = await phone.enrol(
        offer,
        pin=pin,
        label=case.label,
        path="/device/cases/enrollments",
        members={"case": case.token},
        device=case.device if case.afresh else None,
    )
    return phone.named(enrolled, str(answer["account"])), answer["rests_until"]


async def not_me(phone: Phone, notice: int, *, account: str | None = None) -> str:
    """Say of a notice that it was somebody else; what was undone."""
    answer = await phone.call_as(account, "POST", f"/device/notices/{notice}/not-me", {})
    return str(answer["done"])


def _offer(phone: Phone, case: Case, text: str) -> Offer:
    request = messages.read_enrol_request(text, now=phone.now_at(case.address), server=None)
    return Offer(case.address, text, request)
