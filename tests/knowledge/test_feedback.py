"""What readers say: counted, limited, and read by the staff alone."""

import re

import pytest

from tests.desk import Desk
from vestibule.accounts.rules import Account
from vestibule.base.clock import DAY, MINUTE
from vestibule.base.errors import Refused
from vestibule.base.limits import SOURCE_FEEDBACK
from vestibule.knowledge import service
from vestibule.knowledge.store import article_feedback
from vestibule.sessions.rules import Proof
from vestibule.staff import service as staff
from vestibule.staff.rules import Role

PAGE = "/en/article/9001"
ADDRESS = f"{PAGE}/feedback"


async def say(desk: Desk, helpful: str, page: str = PAGE) -> str:
    """Press yes or no; the page that it leads to."""
    answer = await desk.send(page, f"{page}/feedback", helpful=helpful)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_reader_says_yes_or_no_and_then_more(desk: Desk) -> None:
    """Without being signed in; the words are put to the answer once."""
    back = await say(desk, "no")
    assert re.fullmatch(rf"{PAGE}\?feedback=[\w-]{{43}}#feedback", back)
    page = back.partition("#")[0]
    given = page.partition("=")[2]
    answer = await desk.send(page, ADDRESS, id=given, words="  I have no lamp.  ")
    assert answer.headers["location"] == f"{PAGE}?feedback=thanks#feedback"
    await desk.send(page, ADDRESS, id=given, words="Something else")
    (row,) = await desk.scene.rows(article_feedback)
    assert (row["number"], row["language"], row["helpful"]) == (9001, "en", 0)
    assert row["words"] == "I have no lamp."


async def test_answer_is_journaled_without_the_words(desk: Desk) -> None:
    """With the account where there is one."""
    account = await desk.scene.account()
    await say(desk, "yes")
    await desk.sign_in(account)
    back = await say(desk, "no", "/it/article/9002")
    given = back.partition("=")[2].partition("#")[0]
    await desk.send(PAGE, "/it/article/9002/feedback", id=given, words="canary words")
    told = [row for row in await desk.scene.events() if row["event"] == "knowledge.feedback"]
    assert [row["account_id"] for row in told] == [None, account.id]
    assert '"article":9002' in told[1]["detail"]
    assert '"language":"en"' in told[1]["detail"], "the language that was read"
    assert "canary" not in str(await desk.scene.events())


@pytest.mark.parametrize(
    "path, fields, status",
    [
        (ADDRESS, {"helpful": "perhaps"}, 400),
        (ADDRESS, {}, 400),
        (ADDRESS, {"helpful": "yes", "more": "x"}, 400),
        (ADDRESS, {"id": "x", "words": "a" * 1001}, 400),
        ("/en/article/9999/feedback", {"helpful": "yes"}, 404),
        ("/xx/article/9001/feedback", {"helpful": "yes"}, 404),
    ],
)
async def test_bad_answer_changes_nothing(
    desk: Desk, path: str, fields: dict[str, str], status: int
) -> None:
    """Another word, another field, too long, of an article that there is not."""
    assert (await desk.send(PAGE, path, **fields)).status_code == status
    assert await desk.scene.rows(article_feedback) == []


async def test_form_of_another_site_is_refused(desk: Desk) -> None:
    """Nobody says anything without knowing."""
    answer = await desk.http.post(ADDRESS, data={"helpful": "yes"}, headers={"origin": "https://x"})
    assert answer.status_code == 403
    answer = await desk.http.post(ADDRESS, data={"helpful": "yes", "form": "x"})
    assert answer.status_code == 403
    assert await desk.scene.rows(article_feedback) == []


async def test_words_come_within_the_hour_and_to_their_own_article(desk: Desk) -> None:
    """The link stays in a browser's history."""
    back = await say(desk, "no")
    given = back.partition("=")[2].partition("#")[0]
    ctx = desk.scene.ctx
    assert not await service.add_words(ctx, id=given, number=9002, words="x")
    assert not await service.add_words(ctx, id="x" * 43, number=9001, words="x")
    assert not await service.add_words(ctx, id=given, number=9001, words="  ")
    desk.scene.clock.step(61 * MINUTE)
    assert not await service.add_words(ctx, id=given, number=9001, words="x")


async def give(desk: Desk, source: str = "192.0.2.9") -> str:
    """One answer by the service."""
    return await service.give_feedback(
        desk.scene.ctx,
        number=9001,
        language="en",
        helpful=True,
        account_id=None,
        source=source,
        address=source,
    )


async def test_source_can_say_so_much_in_a_while(desk: Desk) -> None:
    """Others are not kept from it; asking while blocked does not extend the wait."""
    for _ in range(SOURCE_FEEDBACK):
        await give(desk)
    for _ in range(3):
        with pytest.raises(Refused, match="too_many_requests") as refused:
            await give(desk)
        assert refused.value.facts["wait"] == 600
    await give(desk, "192.0.2.10")
    assert len(await desk.scene.rows(article_feedback)) == SOURCE_FEEDBACK + 1
    desk.scene.clock.step(10 * MINUTE)
    await give(desk)


async def member(desk: Desk, role: Role, proof: Proof = Proof.PUSH) -> Account:
    """A member of staff, signed in in this browser."""
    account = await desk.scene.account("robin")
    phone = await desk.scene.phone(account)
    await staff.add_member(desk.scene.ctx, account, role=role)
    await desk.sign_in(account, proof=proof, phone=phone)
    return account


async def test_staff_see_what_helps_least_and_the_latest_words(desk: Desk) -> None:
    """Hostile words are text; an article that is gone keeps its number."""
    await say(desk, "yes")
    back = await say(desk, "no")
    given = back.partition("=")[2].partition("#")[0]
    await desk.send(PAGE, ADDRESS, id=given, words="<script>alert(1)</script>")
    await say(desk, "yes", "/en/article/9002")
    await member(desk, Role.SUPPORT)
    page = (await desk.http.get("/staff/feedback")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    assert re.findall(r"<td>(\d+)</td><td>(\d+)</td>", table) == [("1", "1"), ("1", "0")]
    assert "Light the lamp" in table


async def test_page_of_the_staff_is_not_there_for_clients(desk: Desk) -> None:
    """Signed in or not; a member who came by password alone is asked for the phone."""
    assert (await desk.http.get("/staff/feedback")).status_code == 303
    await desk.sign_in(await desk.scene.account())
    assert (await desk.http.get("/staff/feedback")).status_code == 404


@pytest.mark.parametrize(
    "role, proof, code",
    [
        (Role.SUPPORT, Proof.PASSWORD, "staff_phone_needed"),
        (Role.OBSERVER, Proof.PUSH, "staff_role"),
    ],
)
async def test_page_of_the_staff_asks_for_role_and_phone(
    desk: Desk, role: Role, proof: Proof, code: str
) -> None:
    """Observers see no words of clients."""
    await member(desk, role, proof)
    answer = await desk.http.get("/staff/feedback")
    assert answer.status_code == 403
    assert f'data-code="{code}"' in answer.text


async def test_feedback_is_forgotten_after_a_year_and_a_bit(desk: Desk) -> None:
    """The articles have changed since."""
    await give(desk)
    desk.scene.clock.step(399 * DAY)
    assert await service.sweep_feedback(desk.scene.ctx) == 0
    desk.scene.clock.step(2 * DAY)
    assert await service.sweep_feedback(desk.scene.ctx) == 1
