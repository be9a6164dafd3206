"""The table of rules: each has its reason, each name means something, each pattern is quick."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.effort import least_effort
from vestibule.base.i18n import catalogue
from vestibule.captures import REASONS, RULES_JSON, table
from vestibule.captures.bodies import body, message
from vestibule.captures.headers import header
from vestibule.captures.urls import url
from vestibule.captures.values import reason_of

RULES: dict[str, Any] = json.loads(RULES_JSON)
SPECIAL = {
    "members": {"@flag", "@url", "@host", "@media", "@title", "@name", "@value", "@text"},
    "headers": {
        "@url", "@host", "@media", "@origin", "@credentials", "@policy", "@cookie", "@set_cookie",
    },
    "cookie_attributes": {"@url", "@host"},
    "values": set(),
}  # fmt: skip


def named_rules() -> list[dict[str, Any]]:
    """Every rule with an id."""
    lists = ("words", "detectors", "late_detectors", "values", "headers", "cookie_attributes")
    rules = [rule for name in lists for rule in RULES[name]] + RULES["urls"]["segments"]
    return [*rules, RULES["urls"]["after"], RULES["urls"]["after_people"]]


def patterns() -> list[tuple[str, str]]:
    """Every expression of the table, with a name."""
    found = [(f"part {name}", source) for name, source in RULES["parts"].items()]
    for name, shape in RULES["shapes"].items():
        found += [(f"shape {name}", shape[key]) for key in ("match", "split") if key in shape]
    found += [(rule["id"], rule["match"]) for rule in named_rules() if "match" in rule]
    return found


def test_rules_say_why_under_names_of_their_own() -> None:
    """A rule can be cited, and whoever reads it learns its reason in one sentence."""
    rules = named_rules()
    ids = [rule["id"] for rule in rules]
    assert len(ids) == len(set(ids))
    explained = [*rules, *RULES["reasons"], *RULES["shapes"].values(), *RULES["structure"].values()]
    for rule in explained:
        assert rule["why"].endswith("."), rule
        assert not rule["why"][0].islower(), rule


def test_rules_name_only_what_there_is() -> None:
    """Shapes, objects and reasons that a rule names exist, and none is there for nothing."""
    kept = {
        "values": [rule["keep"] for rule in RULES["values"]],
        "headers": [rule["keep"] for rule in RULES["headers"]],
        "cookie_attributes": [r["keep"] for r in RULES["cookie_attributes"] if "keep" in r],
        "members": [
            how["keep"]
            for rule in RULES["structure"].values()
            for how in rule["members"].values()
            if "keep" in how
        ],
    }
    for where, keeps in kept.items():
        assert {keep for keep in keeps if keep.startswith("@")} <= SPECIAL[where]
        assert {keep for keep in keeps if not keep.startswith("@")} <= RULES["shapes"].keys()
    used = {keep for keeps in kept.values() for keep in keeps}
    in_code = {"name", "media", "csp_directive", "csp_source", "host_label", "host_address", "port"}
    assert RULES["shapes"].keys() == {keep for keep in used if keep[0] != "@"} | in_code
    reasons = [rule["reason"] for rule in named_rules() if "reason" in rule]
    dropped = [
        how["drop"]
        for rule in RULES["structure"].values()
        for how in rule["members"].values()
        if "drop" in how
    ]
    assert {*reasons, *dropped} <= set(REASONS)


def test_objects_are_all_reached_from_the_root() -> None:
    """The structure is one tree, and what an object needs is among its members."""
    reached, waiting = set(), ["root"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        rule = RULES["structure"][name]
        assert set(rule.get("needs", ())) <= rule["members"].keys()
        inner = {how.get("object") or how.get("list") for how in rule["members"].values()}
        waiting += [one for one in inner - {None} if one not in reached]
    assert reached == RULES["structure"].keys()


def test_names_stand_once_and_in_lower_case() -> None:
    """No header has two rules, and names are compared in lower case."""
    headers = [name for rule in RULES["headers"] for name in rule["names"]]
    assert len(headers) == len(set(headers))
    values = [name for rule in RULES["values"] for name in rule["names"]]
    for name in [*headers, *values]:
        assert name == name.lower()
    for rule in RULES["words"]:
        assert "" not in rule["has"]
        assert rule["has"]
        for word in [*rule["is"], *rule["has"]]:
            assert word == table.folded(word)


def test_secrets_are_never_harmless() -> None:
    """No name that stands for a secret is on the list of harmless ones."""
    secret = {"password", "card", "code", "token", "cookie", "saml", "storage"}
    for rule in RULES["values"]:
        for name in rule["names"]:
            # Moments of a token and its kind tell nothing of it.
            if name not in {"code_challenge_method", "token_type", "status_code", "statuscode",
                            "error_code", "errorcode", "version_number"}:  # fmt: skip
                assert table.reason_by_name(name) not in secret, name


def test_reasons_have_words_for_people() -> None:
    """What the client is told is in the catalogue, one text for each reason."""
    told = {key for key in catalogue("en") if key.startswith("captures.reason.")}
    assert told == {f"captures.reason.{reason}" for reason in REASONS}


@pytest.mark.parametrize("name, source", patterns(), ids=[name for name, _ in patterns()])
def test_pattern_reads_alike_in_both_programs(name: str, source: str) -> None:
    """ASCII; no look-around, back-reference or flag, no class that means more in one of them."""
    assert source.isascii(), name
    assert re.search(r"\\[dDwWsSbBAZ1-9pPuxk]", source) is None
    assert re.search(r"\(\?[^:]|\((?!\?:)", re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", source)) is None
    assert re.search(r"[*+?}][+]", re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", source)) is None
    table.pattern(source)


HOSTILE = [
    unit * (times // len(unit)) + end
    for times in (200, 30_000)
    for unit in ("a", "A", "Ab", "aB", "a-", "a1", "1", "-", "a.", "a,", "; ", "=", "%5B", "[", "/",
                 "4111 ", "eyJ", "eyJhbGciOiJ.", "a@", "+4 ", "a=b&", "<div>", "~removed.", "\\",
                 "https://", ":", "a/1-", "x1x", "1x1", "'self' ", "a=1; ", "--", "net::ERR_A_",
                 "Mozilla/5.0 (", "gzip,", "q=0.", "text/html,", "max-age=1,", "?", "#", "{", "\n")
    for end in ("", "!", "\u00e9")
]  # fmt: skip


def test_no_text_makes_a_rule_slow() -> None:
    """Time grows with the length of a text and not with its powers, for every header and shape."""
    names = ["x-a", *(rule["names"][0] for rule in RULES["headers"])]
    judges: list[Callable[[str], object]] = [
        *(partial(_header, name) for name in names),
        *(shape.fits for shape in table.SHAPES.values()),
        *(partial(_body, kind) for kind in ("form-data", "x-www-form-urlencoded", "json")),
        lambda text: url(text, []),
        lambda text: message(text, []),
        lambda text: reason_of(text, text, "query"),
    ]
    for text in HOSTILE:
        for judge in judges:
            assert least_effort(partial(judge, text), enough=0.5) < 0.5, (text[:40], judge)


def _header(name: str, text: str) -> None:
    header(name, text, [])


def _body(kind: str, text: str) -> None:
    body(text, f"multipart/{kind}" if kind == "form-data" else f"application/{kind}", [])
