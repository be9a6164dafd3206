"""An article's file is what it says, or it is refused with the reason."""

from datetime import date

import pytest

from vestibule.knowledge.rules import ArticleBroken, parse_article

GOOD = {
    "number": "9001",
    "title": '"Light the lamp"',
    "summary": '"In one sentence."',
    "tags": '["how-to"]',
    "systems": '["android", "chrome"]',
    "updated": "2026-11-20",
}


def written(body: str = "Text.\n", **changes: str) -> str:
    """A file with these lines of front matter in place of the good ones; empty: left out."""
    lines = [f"{key} = {value}" for key, value in (GOOD | changes).items() if value]
    return "\n".join(["+++", *lines, "+++", body])


def test_article_is_read_as_it_stands() -> None:
    """Front matter and body, with nothing lost between them."""
    article = parse_article(
        "9001-the-lamp.md",
        written("A\n\n+++\n\nB\n", asked='["no light"]', related="[9002]", redirects="[1, 2]"),
        "en",
    )
    assert (article.number, article.slug, article.language) == (9001, "the-lamp", "en")
    assert (article.title, article.summary) == ("Light the lamp", "In one sentence.")
    assert article.tags == ("how-to",)
    assert article.systems == ("android", "chrome")
    assert article.updated == date(2026, 11, 20)
    assert article.asked == ("no light",)
    assert (article.related, article.redirects) == ((9002,), (1, 2))
    assert article.body == "A\n\n+++\n\nB\n"


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"title": ""}, "title is missing"),
        ({"title": '"  "'}, "title is not a line"),
        ({"title": '"a\\nb"'}, "title is not a line"),
        ({"title": "7"}, "title is not a line"),
        ({"summary": f'"{"a" * 301}"'}, "summary is longer"),
        ({"number": "9002"}, "the file's name says"),
        ({"number": "true"}, "not a number"),
        ({"number": "100000"}, "not a number"),
        ({"number": '"9001"'}, "not a number"),
        ({"tags": "[]"}, "tags is empty"),
        ({"tags": '["how-to", "how-to"]'}, "names something twice"),
        ({"tags": '["gossip"]'}, "'gossip' is none of"),
        ({"tags": '"how-to"'}, "not a list"),
        ({"systems": '["beos"]'}, "'beos' is none of"),
        ({"updated": '"2026-11-20"'}, "not a day"),
        ({"updated": "2026-11-20T10:00:00Z"}, "not a day"),
        ({"related": '["9002"]'}, "related is not a number"),
        ({"asked": '"lost phone"'}, "asked is not a list"),
        ({"asked": "[7]"}, "asked is not a line"),
        ({"asked": f'["{"a" * 81}"]'}, "asked is longer"),
        ({"asked": str(["a"] * 13)}, "asked has more than 12"),
        ({"author": '"me"'}, "author is unknown"),
        ({"title": '"unfinished'}, "not TOML"),
    ],
)
def test_front_matter_is_refused_with_the_reason(changes: dict[str, str], why: str) -> None:
    """Unknown and missing names, wrong types, tags and systems that nobody knows."""
    with pytest.raises(ArticleBroken, match=why):
        parse_article("9001-the-lamp.md", written(**changes), "en")


@pytest.mark.parametrize(
    "name",
    ["9001.md", "the-lamp.md", "09001-x.md", "9001-The-Lamp.md", "9001-x--y.md", "9001-x.txt"],
)
def test_file_name_is_refused_when_it_is_not_number_and_slug(name: str) -> None:
    """The address is made of it."""
    with pytest.raises(ArticleBroken, match="not named"):
        parse_article(name, written(), "en")


@pytest.mark.parametrize("text", ["", "Text.\n", "+++\nnumber = 1\n", "\n+++\n+++\n"])
def test_text_without_front_matter_is_refused(text: str) -> None:
    """It begins in the first line, and it ends."""
    with pytest.raises(ArticleBroken, match="front matter"):
        parse_article("9001-the-lamp.md", text, "en")
