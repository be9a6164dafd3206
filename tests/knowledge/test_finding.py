"""Four questions lead to one article, whatever is answered."""

from itertools import product

import pytest

from tests.desk import Desk
from vestibule.knowledge.rules.finding import QUESTIONS, article_for, found_articles
from vestibule.knowledge.service import Library


def test_every_answer_leads_to_an_article_and_every_article_is_reached(ours: Library) -> None:
    """No combination ends nowhere."""
    reached = {
        article_for(**dict(zip(QUESTIONS, answers, strict=True)))
        for answers in product(*QUESTIONS.values())
    }
    assert reached == found_articles()
    assert reached <= set(ours.numbers)


@pytest.mark.parametrize(
    "query, leads",
    [
        ("want=first&phone=android&screen=yes&scan=yes", "/en/article/3862"),
        ("want=add&phone=iphone&screen=yes&scan=no", "/en/article/3868"),
        ("want=first&phone=iphone&screen=no", "/en/article/2278"),
        ("want=move", "/en/article/3073"),
    ],
)
async def test_answers_lead_to_the_article(desk: Desk, query: str, leads: str) -> None:
    """What does not matter need not be answered."""
    answer = await desk.http.get(f"/help/find?{query}")
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


async def test_missing_answer_leads_back_with_the_others_kept(desk: Desk) -> None:
    """What was answered stays answered; what is no answer is dropped."""
    answer = await desk.http.get("/help/find?want=first&phone=iphone&screen=%22%3E&scan=")
    back = answer.headers["location"]
    assert back == "/help?unanswered=&want=first&phone=iphone#finder"
    page = (await desk.http.get(back)).text
    assert 'value="first" checked' in page
    assert 'value="iphone" checked' in page
    assert 'role="status"' in page


async def test_own_phone_is_answered_beforehand(desk: Desk) -> None:
    """Whoever reads on a phone mostly means that one."""
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
    agent += "like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
    page = (await desk.http.get("/help", headers={"user-agent": agent})).text
    assert 'value="iphone" checked' in page
    assert page.count("checked") == 1
