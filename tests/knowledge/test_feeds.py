"""Feeds are Atom documents that programs read (RFC 4287)."""

from datetime import date
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import feedparser
import pytest

from tests.desk import PORTAL, Desk
from vestibule.base.i18n import LANGUAGES
from vestibule.knowledge.rules import TAGS
from vestibule.knowledge.rules.feeds import Entry, Feed, written

ATOM = "{http://www.w3.org/2005/Atom}"
XML = "{http://www.w3.org/XML/1998/namespace}"


def one(parent: Element, name: str) -> Element:
    """The only child of that name: RFC 4287 allows no second one."""
    (found,) = parent.findall(ATOM + name)
    return found


def check(document: bytes) -> Element:
    """The musts of RFC 4287 that concern such a feed."""
    root = fromstring(document)  # noqa: S314  -- our own document
    assert root.tag == f"{ATOM}feed"
    assert one(root, "id").text == one(root, "link[@rel='self']").get("href")
    assert one(root, "title").text
    assert one(one(root, "author"), "name").text
    assert root.get(f"{XML}lang") in LANGUAGES
    ids = set()
    for entry in root.findall(f"{ATOM}entry"):
        ids.add(one(entry, "id").text)
        assert one(entry, "id").text == one(entry, "link").get("href")
        assert str(one(entry, "title").text).strip()
        assert str(one(entry, "summary").text).strip()
        assert one(entry, "content").get("type") == "html"
        assert str(one(entry, "updated").text).endswith("T00:00:00Z")
        for category in entry.findall(f"{ATOM}category"):
            assert category.get("term") in TAGS
    assert len(ids) == len(root.findall(f"{ATOM}entry")), "an id is nobody else's"
    assert one(root, "updated").text == max(
        (str(one(entry, "updated").text) for entry in root.findall(f"{ATOM}entry")),
        default=one(root, "updated").text,
    )
    return root


def parsed(document: bytes) -> Any:
    """As a feed reader takes it; a document that is not well formed fails."""
    feed = feedparser.parse(document)
    assert not feed.bozo, feed.bozo_exception
    assert feed.version == "atom10"
    return feed


def test_feed_without_entries_is_a_feed() -> None:
    """A tag that nobody uses in a new house."""
    feed = Feed(
        address="https://a.example/en/feed",
        page="https://a.example/help",
        language="en",
        title="Help",
        author="A",
        entries=[],
    )
    assert check(written(feed)) is not None
    assert parsed(written(feed)).entries == []


def test_any_text_travels_in_a_feed() -> None:
    """Markup is escaped; what XML cannot hold at all is left out."""
    entry = Entry(
        address="https://a.example/en/article/1",
        language="en",
        title="<b> & ]]> \x00\x0b\ufffe “x”\u202f!",
        summary="a\x1fb",
        html='<p title="x">&amp;</p>',
        updated=date(2026, 11, 23),
        tags=[("how-to", 'Step "by" step')],
    )
    feed = Feed(
        address="https://a.example/en/feed",
        page="https://a.example/help",
        language="en",
        title="Help",
        author="A & B",
        entries=[entry],
    )
    root = check(written(feed))
    shown = one(one(root, "entry"), "title").text
    assert shown == "<b> & ]]>  “x”\u202f!"
    assert one(one(root, "entry"), "content").text == '<p title="x">&amp;</p>'


@pytest.mark.parametrize("language", LANGUAGES)
async def test_feed_of_each_language_and_tag_validates(desk: Desk, language: str) -> None:
    """With the latest articles first, each at its own address."""
    everything = await desk.http.get(f"/{language}/feed")
    assert everything.status_code == 200
    assert everything.headers["content-type"] == "application/atom+xml"
    root = check(everything.content)
    assert one(root, "id").text == f"{PORTAL}/{language}/feed"
    feed = parsed(everything.content)
    assert len(feed.entries) == 30
    updated = [entry.updated for entry in feed.entries]
    assert updated == sorted(updated, reverse=True)
    for tag in TAGS:
        answer = await desk.http.get(f"/{language}/tag/{tag}/feed")
        check(answer.content)
        for entry in parsed(answer.content).entries:
            assert tag in [one.term for one in entry.tags]
            assert entry.link.startswith(f"{PORTAL}/{language}/article/")


async def test_addresses_in_a_feed_lead_to_the_portal(desk: Desk) -> None:
    """A reader elsewhere has no other page that they could be relative to."""
    feed = parsed((await desk.http.get("/en/tag/how-to/feed")).content)
    entry = next(one for one in feed.entries if one.link.endswith("/9001"))
    html = entry.content[0].value
    assert f'href="{PORTAL}/en/article/9002#wick"' in html
    assert f'href="{PORTAL}/en/article/9001#smoke"' in html
    assert f'src="{PORTAL}/help/figures/en/lamp.' in html


async def test_feed_says_when_nothing_changed(desk: Desk) -> None:
    """Programs ask every hour; the second answer is empty."""
    first = await desk.http.get("/en/feed")
    again = await desk.http.get("/en/feed", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/xx/feed", "/en/tag/gossip/feed", "/xx/tag/how-to/feed"])
async def test_feed_of_nothing_is_not_there(desk: Desk, path: str) -> None:
    """Neither of a language nor of a tag that there is not."""
    assert (await desk.http.get(path)).status_code == 404
