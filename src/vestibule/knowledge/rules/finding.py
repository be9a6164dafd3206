"""Which article a person needs who wants to bring a phone: four questions. Pure."""

from typing import Final

QUESTIONS: Final = {
    "want": ("first", "add", "again", "move"),
    "phone": ("android", "iphone"),
    "screen": ("yes", "no"),
    "scan": ("yes", "no"),
}
"""What is asked, and what can be answered: bring the first phone, one more user, the same phone
again, a new phone; which phone; whether a second screen shows the portal; whether the phone can
scan it."""

# want, phone, screen, scan; a dash: it does not matter.
_TABLE: Final = {
    ("first", "android", "yes", "yes"): 3862,
    ("first", "android", "yes", "no"): 3864,
    ("first", "iphone", "yes", "yes"): 3861,
    ("first", "iphone", "yes", "no"): 3863,
    ("first", "android", "no", "-"): 2277,
    ("first", "iphone", "no", "-"): 2278,
    ("add", "android", "yes", "yes"): 3865,
    ("add", "android", "yes", "no"): 3867,
    ("add", "iphone", "yes", "yes"): 3866,
    ("add", "iphone", "yes", "no"): 3868,
    ("add", "-", "no", "-"): 3432,
    ("again", "-", "-", "-"): 2748,
    ("move", "-", "-", "-"): 3073,
}


def article_for(*, want: str, phone: str, screen: str, scan: str) -> int | None:
    """The number of the article; None: the answers are none of ours."""
    for pattern, number in _TABLE.items():
        pairs = zip(pattern, (want, phone, screen, scan), strict=True)
        if all(expected in ("-", given) for expected, given in pairs):
            return number
    return None


def found_articles() -> frozenset[int]:
    """Every article that the questions may lead to."""
    return frozenset(_TABLE.values())
