"""The look holds its promises: contrast, logical properties, one set of words."""

import re
from pathlib import Path

import pytest

from vestibule.base.i18n import catalogue
from vestibule.web.rendering import environment

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "vestibule"
SHEET = (PACKAGE / "web" / "static" / "portal.css").read_text()
TEMPLATES = sorted(PACKAGE.glob("*/templates/**/*.html"))

# Text and what lies under it; for edges of fields and marks 3 : 1 is asked (WCAG 1.4.11).
TEXT = [
    ("ink", "paper"), ("ink", "sheet"), ("ink", "sunk"), ("soft", "paper"), ("soft", "sheet"),
    ("soft", "sunk"), ("brass", "paper"), ("brass", "sheet"), ("brass-ink", "brass"),
    ("good", "sheet"), ("good", "paper"), ("good", "good-wash"), ("bad", "sheet"),
    ("bad", "paper"), ("bad", "bad-wash"), ("paper", "good"), ("paper", "bad"),
]  # fmt: skip
EDGES = [("edge", "paper"), ("edge", "sheet")]


def tokens(scheme: str) -> dict[str, str]:
    """The colours of a scheme."""
    light, dark = SHEET.split("@media (prefers-color-scheme: dark)", 1)
    text = light if scheme == "light" else dark.split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2)."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_both_schemes(scheme: str) -> None:
    """4.5 : 1 for text, 3 : 1 for the edges of fields."""
    colours = tokens(scheme)
    weak = [
        (one, other, round(contrast(colours[one], colours[other]), 2))
        for pairs, least in ((TEXT, 4.5), (EDGES, 3.0))
        for one, other in pairs
        if contrast(colours[one], colours[other]) < least
    ]
    assert weak == []


def test_styles_are_logical() -> None:
    """Nothing says left or right: a right-to-left language needs no second sheet."""
    physical = re.findall(
        r"(?:margin|padding|border)-(?:left|right)|text-align:\s*(?:left|right)|float:"
        r"|^\s*(?:left|right|width|height|min-width|max-width):",
        SHEET,
        re.MULTILINE,
    )
    assert physical == []


def test_motion_is_off_unless_wanted() -> None:
    """Every animation and transition stands inside the query for it."""
    before, _ = SHEET.split("@media (prefers-reduced-motion: no-preference)")
    assert not re.search(r"\b(animation|transition)(-[a-z]+)?:", before)


def test_templates_say_nothing_by_themselves() -> None:
    """Every word of a page comes from the catalogue."""
    spoken = {}
    for path in TEMPLATES:
        text = re.sub(r"{% block width %}.*?{% endblock %}", " ", path.read_text())
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
        text = re.sub(r"<(title|[^>]+)>", " ", text)
        if words := re.findall(r"[A-Za-z]{2,}", re.sub(r"&\w+;", " ", text)):
            spoken[path.name] = words
    assert spoken == {}


def test_templates_use_only_texts_that_are_there() -> None:
    """A key in a template has its text; one that is put together has at least a beginning."""
    there = catalogue("en")
    missing = []
    for path in TEMPLATES:
        source = path.read_text()
        for key, rest in re.findall(r"""\bt\(["']([a-z_.]+)["'](\s*~)?""", source):
            known = any(k.startswith(key) for k in there) if rest else key in there
            if not known:
                missing.append((path.name, key))
    assert missing == []


def test_templates_compile() -> None:
    """Every template of every room."""
    assert len(environment().list_templates(extensions=["html"])) == len(TEMPLATES)
