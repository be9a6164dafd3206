"""Refusals, ids, catalogues and the log: what leaves the program as words."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given, strategies as st

from vestibule.base import i18n, ids, log
from vestibule.base.clock import SteppedClock, SystemClock
from vestibule.base.errors import CODES, Fault, Refused
from vestibule.base.i18n import CatalogueBroken, catalogue, spoken, t

PARTS = ("title", "cause", "next")


def test_every_code_says_what_why_and_what_now() -> None:
    """Each refusal has its three texts in English, and no text stands without its code."""
    wanted = {f"error.{name}.{part}" for name in CODES for part in PARTS}
    written = {key for key in catalogue("en") if key.startswith("error.")}
    assert written == wanted
    assert all(400 <= code.status < 600 for code in CODES.values())


def test_a_refusal_carries_its_facts() -> None:
    """Facts fill the texts; an unknown code is a fault of ours."""
    refusal = Refused("password_wait", wait=40)
    assert "40 seconds" in t(refusal.code.next, **spoken(refusal.facts, "en"))
    assert str(refusal) == "password_wait wait=40"
    with pytest.raises(KeyError):
        Fault("no_such_code")


def test_a_missing_fact_does_not_break_the_sentence() -> None:
    """A page that explains a failure must not fail itself; an unknown key must."""
    assert "…" in t("error.password_wait.next")
    with pytest.raises(KeyError):
        t("error.no_such_code.title")


@pytest.mark.parametrize(
    "content",
    ['{"login.a": "x"}', '{"web.a": "x", "web.a": "y"}', '{"web.a": 1}', '{"web.a": {"b": "x"}}'],
)
def test_a_broken_catalogue_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Keys of another room, keys written twice and values that are no text are found at once."""
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "web.json").write_text(content)
    monkeypatch.setattr(i18n, "_LOCALE", tmp_path)
    with pytest.raises(CatalogueBroken):
        catalogue.__wrapped__("xx")


def test_every_catalogue_loads() -> None:
    """All languages that have a folder."""
    assert "en" in i18n.languages()
    for language in i18n.languages():
        assert catalogue(language)


def test_ids_are_128_bits_and_never_repeat() -> None:
    """22 characters of base64url; secrets have 43."""
    made = {ids.new_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert {len(name) for name in made} == {ids.ID_LENGTH}
    assert len(ids.new_secret()) == 43


def test_challenges_never_begin_with_zero() -> None:
    """Six digits from 100000 on: RFC 6287 would drop a leading zero."""
    made = [int(ids.new_challenge()) for _ in range(5_000)]
    assert min(made) >= 100_000
    assert max(made) <= 999_999
    assert len({number // 100_000 for number in made}) == 9


def test_clocks_tell_milliseconds() -> None:
    """The system's clock is in this century; the stepped one moves as told."""
    assert 1_700_000_000_000 < SystemClock().now() < 4_000_000_000_000
    clock = SteppedClock(10)
    assert clock.step(-3) == clock.now() == 7


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged; logging is put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("info", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_json_with_its_request(lines: io.StringIO) -> None:
    """Ours and the standard library's lines are alike, and both carry what is bound."""
    with log.bound(request="r1"):
        structlog.get_logger("vestibule.test").info("login.began", account="a1")
        logging.getLogger("uvicorn.error").warning("started %s", "now")
    structlog.get_logger("vestibule.test").debug("quiet")
    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert ours["event"] == "login.began"
    assert ours["request"] == theirs["request"] == "r1"
    assert ours["account"] == "a1"
    assert (theirs["event"], theirs["level"]) == ("started now", "warning")


SECRET = (
    *("password", "new_password", "pin", "typed_code", "response", "challenge", "number"),
    *("session_cookie", "Authorization", "private_key", "csrf_token", "endpoint", "body"),
)


@pytest.mark.parametrize("name", SECRET)
def test_secrets_are_removed_by_name(lines: io.StringIO, name: str) -> None:
    """A value under a name that speaks of a secret never reaches the log, however deep."""
    structlog.get_logger("t").info("x", **{name: "canary", "deep": [{name: "canary"}]})
    assert "canary" not in lines.getvalue()
    assert log.REMOVED in lines.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        "Authorization: Bearer canary-canary",
        "postgresql://user:canary@host/db failed",
        "jws eyJhbGciOiJFUzI1NiJ9.canary.canary",
        b"canary",
    ],
)
def test_secrets_are_removed_from_texts(lines: io.StringIO, value: str | bytes) -> None:
    """Headers, signed messages, passwords of URLs and raw bytes are cut out of any value."""
    structlog.get_logger("t").info("x", said=value)
    assert "canary" not in lines.getvalue()


@given(text=st.text(max_size=300))
def test_whatever_is_logged_stays_one_line(text: str) -> None:
    """Line breaks, U+2028, escapes and lone surrogates cannot forge a second line."""
    scrubbed = log.scrub(None, "info", {"event": text, "name": text})
    line = structlog.processors.JSONRenderer(ensure_ascii=True)(None, "info", scrubbed)
    assert isinstance(line, str)
    assert line.isascii()
    assert len(line.splitlines()) == 1


def test_long_values_are_cut(lines: io.StringIO) -> None:
    """Nobody fills the disk with one request."""
    structlog.get_logger("t").info("x", name="n" * 100_000)
    assert len(lines.getvalue()) < 3_000


def test_code_of_a_refusal_is_kept(lines: io.StringIO) -> None:
    """The code of a refusal is no secret, and operators search by it."""
    structlog.get_logger("t").info("request.refused", code="ticket_used")
    assert json.loads(lines.getvalue())["code"] == "ticket_used"
