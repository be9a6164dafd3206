"""What is on the shelf: languages, old numbers, figures, operators' own articles."""

from pathlib import Path

import pytest

from tests.knowledge.conftest import SAMPLES
from vestibule.base.assets import knowledge_root
from vestibule.base.i18n import catalogue
from vestibule.knowledge.rules.pictures import HEAD, dimensions
from vestibule.knowledge.service import Library


def test_article_is_shown_in_the_readers_language_else_in_english(samples: Library) -> None:
    """It says which; the languages that there are come in the order of the menu."""
    assert samples.languages_of(9001) == ("en", "it")
    for language, written in (("it", "it"), ("en", "en"), ("de", "en")):
        shown = samples.shown(9001, language)
        assert shown is not None
        assert shown.article.language == written
    assert samples.shown(9003, "en") is None


def test_screen_words_are_the_readers_where_the_article_is_not(samples: Library) -> None:
    """A German reader of an English article presses German buttons."""
    german, english = samples.shown(9001, "de"), samples.shown(9001, "en")
    assert german is not None
    assert english is not None
    said = {code: catalogue(code)["web.skip"] for code in ("de", "en")}
    assert said["de"] != said["en"]
    assert f'<span class="label" lang="de">{said["de"]}</span>' in german.html
    assert f'<span class="label" lang="en">{said["en"]}</span>' in english.html


def test_reference_says_the_title_in_the_readers_language(samples: Library) -> None:
    """With the heading of the part; within an article, the heading alone."""
    shown = samples.shown(9001, "it")
    english = samples.shown(9001, "en")
    assert shown is not None
    assert english is not None
    assert '<a href="/it/article/9002">Cut the wick</a>' in shown.html
    assert '<a href="/en/article/9002#wick">Cut the wick: The wick itself</a>' in english.html
    assert '<a href="#smoke">It smokes</a>' in english.html


def test_error_leads_to_a_part_of_an_article(samples: Library) -> None:
    """As `Articles` promises it to the rooms below."""
    named = samples.named("9001#smoke", "it")
    assert named is not None
    assert (named.address, named.language) == ("/it/article/9001#smoke", "it")
    assert named.title == "Accendere la lampada"
    assert samples.named("7#x", "it") is None


def test_old_number_leads_to_the_article_that_took_it_over(samples: Library) -> None:
    """Printed letters have it for years."""
    assert samples.moved(9000) == 9001
    assert samples.moved(9001) is None


def test_article_of_the_operator_takes_the_place_of_ours(tmp_path: Path) -> None:
    """In all languages: a translation of the old one would say something else."""
    (tmp_path / "en").mkdir()
    text = (SAMPLES / "en" / "9002-the-wick.md").read_text()
    (tmp_path / "en" / "9001-our-lamp.md").write_text(text.replace("9002", "9001", 1))
    library = Library([SAMPLES, tmp_path])
    assert library.languages_of(9001) == ("en",)
    assert library.numbers == (9001, 9002)


def test_broken_file_is_left_out_and_told(tmp_path: Path) -> None:
    """One slip of an operator takes nobody's help away."""
    (tmp_path / "en").mkdir()
    (tmp_path / "xx").mkdir()
    (tmp_path / "figures" / "en").mkdir(parents=True)
    (tmp_path / "en" / "9003-x.md").write_text("+++\nnumber = 9003\n+++\n")
    (tmp_path / "en" / "9004-x.md").write_bytes(b"+++\n\xff\n+++\n")
    (tmp_path / "xx" / "9005-x.md").write_text("not read")
    (tmp_path / "figures" / "en" / "x.png").write_bytes(b"<svg/>")
    library = Library([SAMPLES, tmp_path])
    assert library.numbers == (9001, 9002)
    assert [(path.name, why) for path, why in library.broken] == [
        ("9003-x.md", "title is missing"),
        ("9004-x.md", library.broken[1][1]),
        ("x.png", "neither PNG nor WebP"),
    ]
    assert "utf-8" in library.broken[1][1]


@pytest.mark.parametrize(
    "name, size",
    [
        ("lamp.png", (80, 40)),
        ("wick.webp", (120, 64)),
        ("wick-even.webp", (120, 64)),
        ("wick-clear.webp", (122, 66)),
    ],
)
def test_size_of_a_figure_is_read_from_its_head(name: str, size: tuple[int, int]) -> None:
    """Of all kinds of WebP, so that the page does not jump while it loads."""
    content = (SAMPLES / "figures" / "en" / name).read_bytes()
    assert dimensions(content[:HEAD]) == size


@pytest.mark.parametrize(
    "head", [b"", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8Q" + bytes(16), b"GIF89a"]
)
def test_size_of_anything_else_is_unknown(head: bytes) -> None:
    """Cut and foreign files."""
    assert dimensions(head) is None


def test_figure_of_another_language_stands_in(samples: Library) -> None:
    """Shown at half its size: it was taken for sharp screens."""
    figure = samples.figure("lamp", "it")
    assert figure is not None
    assert figure.picture.address.startswith("/help/figures/en/lamp.")
    assert (figure.picture.width, figure.picture.height) == (40, 20)


def test_the_articles_that_come_along_are_all_readable() -> None:
    """Strictly: a broken one would be left out in silence."""
    assert Library([knowledge_root()]).broken == []
