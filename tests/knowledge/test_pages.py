"""The help as a reader meets it: addresses, languages, folds, search, tags."""

import re
from pathlib import Path

import pytest

from tests.desk import Desk
from vestibule.base.i18n import LANGUAGES
from vestibule.knowledge.rules import TAGS

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:153.0) Gecko/20100101 Firefox/153.0"
EPIPHANY = "Something/1.0"


@pytest.mark.parametrize(
    "asked, header, leads",
    [
        ("/article/9001", "it,en;q=0.5", "/it/article/9001"),
        ("/node/9001", "nl,de;q=0.5", "/de/article/9001"),
        ("/article/9000", "en", "/en/article/9001"),
    ],
)
async def test_number_leads_to_the_article_in_the_readers_language(
    desk: Desk, asked: str, header: str, leads: str
) -> None:
    """Old numbers too; caches are told that it depends on who asks."""
    answer = await desk.http.get(asked, headers={"accept-language": header})
    assert (answer.status_code, answer.headers["location"]) == (303, leads)
    assert answer.headers["vary"] == "accept-language, cookie"


@pytest.mark.parametrize(
    "asked, leads",
    [
        ("/it/node/9001", "/it/article/9001"),
        ("/pt-BR/article/9001", "/pt/article/9001"),
        ("/zh-hans/article/9001", "/zh-Hans/article/9001"),
        ("/en/article/9000", "/en/article/9001"),
        ("/PT-br/tag/how-to", "/pt/tag/how-to"),
    ],
)
async def test_other_forms_of_an_address_lead_to_the_one(
    desk: Desk, asked: str, leads: str
) -> None:
    """For good: whoever has the other form may forget it."""
    answer = await desk.http.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (301, leads)


@pytest.mark.parametrize(
    "path",
    [
        "/article/9999",
        "/article/0",
        "/article/-1",
        "/article/09001",
        "/article/9001x",
        "/article/1e3",
        "/article/٩٠٠١",
        "/article/999999999999",
        "/xx/article/9001",
        "/figures/article/9001",
        "/en-XA/article/9001",
        "/en/article/9003",
        "/en/tag/gossip",
        "/xx/tag/how-to",
        "/en/tag/how-to?page=0",
        "/en/tag/how-to?page=99",
        "/en/tag/how-to?page=x",
        "/taxonomy/term/1",
        "/taxonomy/term/x",
        "/help/figures/en/lamp.png",
        "/help/figures/en/..%2f..%2fen%2f9001-the-lamp.md",
        "/help/nothing",
    ],
)
async def test_address_of_nothing_is_not_there(desk: Desk, path: str) -> None:
    """With the words of any page that is not there."""
    answer = await desk.http.get(path)
    assert answer.status_code == 404
    assert 'data-code="not_found"' in answer.text


async def test_page_speaks_the_language_of_its_address(desk: Desk) -> None:
    """Whatever the browser asks for: the link was given in that language."""
    answer = await desk.http.get("/it/article/9001", headers={"accept-language": "ja"})
    assert answer.status_code == 200
    assert '<html lang="it"' in answer.text
    assert '<article id="article" class="article" data-article lang="it" dir="ltr">' in answer.text
    assert "Fa fumo" in answer.text
    assert 'hreflang="en" href="https://portal.example/en/article/9001"' in answer.text


async def test_missing_translation_is_said_in_the_readers_language(desk: Desk) -> None:
    """The page is German, the article marked as English, its languages are offered."""
    page = (await desk.http.get("/de/article/9001")).text
    assert '<html lang="de"' in page
    assert 'data-article lang="en"' in page
    notice = page[page.index('class="notice') : page.index("<article")]
    assert "English" in notice
    assert 'href="/it/article/9001" lang="it" hreflang="it">Italiano</a>' in notice
    assert '<link rel="canonical" href="https://portal.example/en/article/9001">' in page


async def test_language_menu_leads_to_the_same_article(desk: Desk) -> None:
    """Not to the address in the language that is left."""
    page = (await desk.http.get("/it/article/9001")).text
    for code in LANGUAGES:
        assert f'href="/language/{code}?then=/{code}/article/9001"' in page


async def test_part_of_the_readers_browser_comes_first_and_unfolded(desk: Desk) -> None:
    """Others are folded; where none is the reader's, all are open."""
    own = (await desk.http.get("/en/article/9001", headers={"user-agent": FIREFOX})).text
    assert re.findall(r'<details class="system" id="(\w+)"( open)?>', own) == [
        ("chrome", ""),
        ("firefox", " open"),
    ]
    jumps = own[own.index('class="folds') :]
    assert jumps.index("#firefox") < jumps.index("#chrome")
    other = (await desk.http.get("/en/article/9001", headers={"user-agent": EPIPHANY})).text
    assert other.count(" open>") == 2


async def test_help_is_there_for_those_who_are_signed_in_and_those_who_are_not(desk: Desk) -> None:
    """With the menu for the one, without for the other."""
    assert "/logout" not in (await desk.http.get("/help")).text
    await desk.sign_in(await desk.scene.account())
    for path in ("/help", "/en/article/9001", "/help/search?q=lamp", "/en/tag/how-to"):
        page = await desk.http.get(path)
        assert page.status_code == 200
        assert "/logout" in page.text


async def test_figure_is_served_for_ever_under_its_mark(desk: Desk) -> None:
    """As what it is and nothing else."""
    page = (await desk.http.get("/en/article/9001")).text
    address = re.search(r'src="(/help/figures/en/lamp\.[0-9a-f]{12}\.png)"', page)
    assert address is not None
    answer = await desk.http.get(address[1])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content.startswith(b"\x89PNG")


async def test_search_shows_what_was_found_and_where(desk: Desk) -> None:
    """The words marked, the query escaped, the other language said."""
    page = (await desk.http.get("/help/search?q=Lampe+wick")).text
    assert "<mark>wick</mark>" in page
    hostile = await desk.http.get("/help/search", params={"q": '"><script>x</script>'})
    assert "<script>x" not in hostile.text
    german = await desk.http.get("/help/search?q=lamp", headers={"accept-language": "de"})
    assert 'href="/de/article/9001" lang="en"' in german.text


async def test_search_for_nothing_and_in_vain_says_what_to_do(desk: Desk) -> None:
    """Neither is an error."""
    for query in ("", "%20", "elephantine", "%00", "%ff"):
        page = await desk.http.get(f"/help/search?q={query}")
        assert page.status_code == 200
        assert "/en/tag/how-to" in page.text
    assert 'class="empty"' in (await desk.http.get("/help/search?q=elephantine")).text


async def test_suggestions_are_for_programs(desk: Desk) -> None:
    """Five at most, with what a list needs."""
    answer = await desk.http.get("/help/suggest?q=wick", headers={"accept-language": "it"})
    found = answer.json()["articles"]
    assert found[0] == {
        "number": 9002,
        "title": "Cut the wick",
        "summary": "A clean wick burns longer.",
        "address": "/it/article/9002",
        "language": "en",
    }
    assert len((await desk.http.get("/help/suggest?q=the+phone")).json()["articles"]) == 5
    assert (await desk.http.get("/help/suggest")).json() == {"articles": []}


@pytest.fixture
def hostile_article(own: Path) -> int:
    """An article of the operator with markup wherever it can stand."""
    markup = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    front = [
        "number = 9666",
        f"title = 'Wick {markup}'",
        f"summary = 'Wick {markup}'",
        'tags = ["how-to"]',
        'systems = ["chrome"]',
        "updated = 2027-02-01",
        "related = [9666, 9001]",
    ]
    body = f"## {markup} {{#chrome}}\n\n{markup}\n\n![{markup}](figure:lamp)\n\n[x](javascript:x)\n"
    path = own / "en" / "9666-hostile.md"
    path.write_text("\n".join(["+++", *front, "+++", body]))
    return 9666


async def test_article_of_the_operator_cannot_bring_a_script(
    hostile_article: int, desk: Desk
) -> None:
    """Not on its page, nor in lists, the search, another article, the feed."""
    for path in (
        f"/en/article/{hostile_article}",
        "/de/article/9666",
        "/help",
        "/en/tag/how-to",
        "/help/search?q=wick",
        "/en/feed",
    ):
        answer = await desk.http.get(path)
        assert answer.status_code == 200
        assert "Wick" in answer.text, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert 'href="javascript' not in answer.text, path
    found = await desk.http.get("/help/suggest?q=wick")
    assert found.headers["content-type"] == "application/json"


async def test_tag_lists_its_articles_page_by_page(desk: Desk) -> None:
    """Each once, the latest first, ten to a page."""
    seen: list[str] = []
    for page in range(1, 9):
        answer = await desk.http.get(f"/en/tag/how-to?page={page}")
        listed = answer.text[answer.text.index('<ul class="list articles">') :]
        here = re.findall(r'<a href="/en/article/(\d+)"', listed)
        seen += here
        if 'rel="next"' not in answer.text:
            break
        assert len(here) == 10
    assert "9001" in seen
    assert len(seen) == len(set(seen)) > 10


async def test_number_of_a_tag_leads_to_it(desk: Desk) -> None:
    """Of each; the numbers are stable, so they stand here."""
    assert TAGS == {
        "sign-in": 11,
        "activation": 12,
        "security": 13,
        "file-delivery": 14,
        "technical": 15,
        "messages": 16,
        "recovery": 17,
        "notifications": 18,
        "how-to": 19,
    }
    for tag, number in TAGS.items():
        answer = await desk.http.get(f"/taxonomy/term/{number}", headers={"accept-language": "fr"})
        assert answer.headers["location"] == f"/fr/tag/{tag}"


async def test_error_leads_to_its_article(desk: Desk) -> None:
    """On the page of a problem and above a form, opening beside it."""
    missing = (await desk.http.get("/nowhere-at-all")).text
    assert re.search(
        r'<a href="/en/article/\d+#[a-z0-9-]+" target="_blank" rel="noopener" data-help>', missing
    )
    wrong = await desk.send("/login", "/login", username="nobody", password="wrong wrong wrong")
    assert wrong.status_code == 401
    assert re.search(r'role="alert".*href="/en/article/1132#[a-z-]+".*data-help', wrong.text)


async def test_error_of_the_phone_app_leads_to_its_article(desk: Desk) -> None:
    """By the server, which knows where the portal is; in the app's language."""
    answer = await desk.phone_http.get("/device/help/camera_denied?in=it")
    assert answer.status_code == 303
    assert re.fullmatch(
        r"https://portal\.example/it/article/\d+#[a-z0-9-]+", answer.headers["location"]
    )
    assert (await desk.phone_http.get("/device/help/nothing?in=it")).status_code == 404
    strange = await desk.phone_http.get("/device/help/offline?in=//evil.example")
    assert strange.headers["location"].startswith("https://portal.example/en/article/")
