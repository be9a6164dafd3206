"""Forms are small, of one type, known to the last field, and from this visitor's own page."""

import pytest

from tests.desk import Desk
from vestibule.base.i18n import t

FORM = "application/x-www-form-urlencoded"


async def post(desk: Desk, content: bytes, kind: str = FORM) -> tuple[int, str]:
    """Status and words of a form sent to a page that changes something."""
    answer = await desk.http.post(
        "/settings/sign-in", content=content, headers={"content-type": kind}
    )
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "content, kind, status, code",
    [
        (b"seamless=on", "text/plain", 415, "content_type"),
        (b"seamless=on", "multipart/form-data; boundary=x", 415, "content_type"),
        (b'{"seamless":"on"}', "application/json", 415, "content_type"),
        (b"a=" + b"x" * 17_000, FORM, 413, "body_too_large"),
        (b"&".join(b"f%d=1" % number for number in range(30)), FORM, 400, "bad_request"),
        (b"seamless", FORM, 400, "bad_request"),
        (b"seamless=%ff", FORM, 400, "bad_request"),
        (b"seamless=on&seamless=off", FORM, 400, "bad_field"),
        (b"seamless=on", FORM, 403, "form_expired"),
    ],
)
async def test_other_forms_are_refused(
    desk: Desk, content: bytes, kind: str, status: int, code: str
) -> None:
    """Each with its reason, and nothing is changed."""
    account = await desk.scene.account()
    await desk.sign_in(account)
    before = await desk.scene.everything()
    said, words = await post(desk, content, kind)
    assert said == status
    assert t(f"error.{code}.title") in words
    assert await desk.scene.everything() == before


async def test_token_of_another_session_does_not_fit(desk: Desk) -> None:
    """A token is bound to the session that its page was made for."""
    account = await desk.scene.account()
    await desk.sign_in(account)
    page = (await desk.http.get("/settings/sign-in")).text
    token = page.split('name="form" value="')[1].split('"')[0]
    await desk.sign_in(account)
    answer = await desk.http.post("/settings/sign-in", data={"form": token, "seamless": "off"})
    assert answer.status_code == 403


async def test_cookies_are_bound_to_the_host(desk: Desk) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite, for the whole host and no other."""
    desk.http.cookies.clear()
    line = (await desk.http.get("/login")).headers["set-cookie"]
    assert line.startswith("__Host-browser=")
    for attribute in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=34560000"):
        assert attribute in line.split("; ")
    assert "Domain" not in line
