"""Captures that browsers wrote, with known secrets in hundreds of places, made safe."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.captures import recording, site
from tests.captures.canaries import Canaries
from tests.captures.checks import Comparison, breaches
from tests.captures.finder import find
from vestibule import captures

CORPUS = Path(__file__).with_name("corpus")
FILES = sorted(path.name for path in CORPUS.glob("*.har"))
CANARIES = Canaries.load(CORPUS / "canaries.json")
LIMIT = 500 * 1024 * 1024
LEAST_COMPARED = {"by-hand.har": 400}


@cache
def original(name: str) -> bytes:
    """A file of the corpus."""
    return (CORPUS / name).read_bytes()


def sanitised(data: bytes) -> tuple[bytes, str, list[captures.Entry]]:
    """The safe capture, the report on it, and the index of its entries."""
    out = io.BytesIO()
    entries: list[captures.Entry] = []
    report = captures.sanitise(io.BytesIO(data).read, out.write, limit=LIMIT, entry=entries.append)
    return out.getvalue(), report.as_json(), entries


@cache
def safe(name: str) -> tuple[bytes, str, list[captures.Entry]]:
    """A file of the corpus, made safe once."""
    return sanitised(original(name))


def told(data: bytes, report: str, entries: list[captures.Entry]) -> bytes:
    """All that is known of a capture once it is safe, as one JSON text."""
    index = json.dumps([asdict(entry) for entry in entries])
    return b"[%b,%b,%b]" % (data, report.encode(), index.encode())


# --- the corpus itself ------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_finder_sees_each_secret_in_the_originals(name: str) -> None:
    """The search that finds nothing later does find what was planted: the test can fail."""
    places = json.loads((CORPUS / "places.json").read_text())[name]
    assert set(places) <= set(find(original(name), CANARIES))
    assert len(places) >= (70 if name == "by-hand.har" else 280)


def test_corpus_holds_every_secret_and_stays_small() -> None:
    """Each place on the list is in some file; the files together stay under 3 MB."""
    places = json.loads((CORPUS / "places.json").read_text())
    assert set(places) == set(FILES)
    assert {place for planted in places.values() for place in planted} == set(CANARIES)
    assert sum(len(original(name)) for name in FILES) < 3_000_000


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "in capitals": str.upper,
    "backwards": lambda secret: secret[::-1],
    "nineteen of its letters": lambda secret: secret[4:23],
    "url": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "url twice": lambda secret: "".join(f"%25{byte:02x}" for byte in secret.encode()),
    "base64 from the first byte": lambda secret: site.encoded(secret.encode()),
    "base64 from the second byte": lambda secret: site.encoded(b"x" + secret.encode() + b"yz"),
    "base64 from the third byte": lambda secret: site.encoded(b"xy" + secret.encode() + b"z"),
    "base64 inside a word": lambda secret: "abc" + site.encoded(secret.encode()),
    "base64 twice": lambda secret: site.encoded(site.encoded(secret.encode()).encode()),
    "hex": lambda secret: secret.encode().hex(),
    "JSON escapes": lambda secret: "".join(f"\\u{ord(letter):04x}" for letter in secret),
    "UTF-16": lambda secret: "".join(f"{letter}\0" for letter in secret),
    "UTF-16 in base64": lambda secret: site.encoded(secret.encode("utf-16-le")),
    "entities": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "inside JSON": lambda secret: json.dumps({"a": json.dumps({"b": secret})}),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_finder_sees_through_a_disguise(disguise: str) -> None:
    """A secret written in any of these ways is found."""
    secret = CANARIES["json.access_token"]
    data = json.dumps({"log": [{"text": f"x={DISGUISES[disguise](secret)}&y"}]}).encode()
    assert "json.access_token" in find(data, {"json.access_token": secret})


def test_finder_sees_a_secret_split_over_messages() -> None:
    """Parts too short to be found alone are found one after the other."""
    secret = CANARIES["websocket.split"]
    parts = [{"data": secret[at : at + 4], "time": at} for at in range(0, len(secret), 4)]
    assert find(json.dumps(parts).encode(), {"split": secret})


# --- made safe --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_no_secret_is_left_in_any_encoding(name: str) -> None:
    """Neither the safe capture nor the report nor the index holds a planted secret."""
    assert find(told(*safe(name)), CANARIES) == {}


@pytest.mark.parametrize("name", FILES)
def test_measurements_are_as_they_were(name: str) -> None:
    """Timings, sizes, statuses, methods, dates and harmless headers stay, in order and number."""
    comparison = Comparison(CANARIES)
    comparison.captures(original(name), safe(name)[0])
    assert comparison.changed == []
    assert comparison.compared > LEAST_COMPARED.get(name, 3000)


@pytest.mark.parametrize("name", FILES)
def test_a_safe_capture_is_as_valid_a_har(name: str) -> None:
    """Every member that HAR 1.2 requires is there in its type, wherever the browser wrote it."""
    before, after = breaches(original(name)), breaches(safe(name)[0])
    assert after.items() <= before.items()
    assert len(before) < 12


def test_validity_is_really_checked() -> None:
    """A capture without one of the required members is no valid HAR."""
    document = json.loads(safe("firefox.har")[0])
    del document["log"]["entries"][3]["response"]["redirectURL"]
    assert 3 in breaches(json.dumps(document).encode())


@pytest.mark.parametrize("name", FILES)
def test_twice_is_once(name: str) -> None:
    """A safe capture made safe again is the same bytes, and nothing more was removed."""
    data, _, entries = safe(name)
    again, report, entries_again = sanitised(data)
    assert again == data
    assert json.loads(report)["already_safe"]
    assert entries_again == entries


@pytest.mark.parametrize("name", FILES)
def test_index_leads_to_each_entry(name: str) -> None:
    """Offset and length cut exactly one entry out of the safe capture, in the original's order."""
    data, _, entries = safe(name)
    whole = json.loads(data)["log"]["entries"]
    assert [entry.number for entry in entries] == list(range(len(whole)))
    cut = [json.loads(data[entry.offset : entry.offset + entry.length]) for entry in entries]
    assert cut == whole


@pytest.mark.parametrize("name", FILES)
def test_command_line_writes_the_same(name: str, tmp_path: Path) -> None:
    """`vestibule har sanitize` writes what the library writes, and prints no secret."""
    path = tmp_path / name
    path.write_bytes(original(name))
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "vestibule.cli", "har", "sanitize", str(path)]
    done = subprocess.run([*command, "--report", str(report)], capture_output=True, check=True)
    made = path.with_name(f"{path.stem}.safe.har").read_bytes()
    assert made == safe(name)[0]
    assert find(report.read_bytes() + done.stdout + done.stderr, CANARIES) == {}


# --- recorded anew ----------------------------------------------------------------------------


@pytest.mark.browser
def test_a_capture_of_this_machines_chromium_is_made_safe(tmp_path: Path) -> None:
    """What Chromium's own exporter writes now, with new secrets, comes out without them."""
    canaries = Canaries.fresh()
    with sync_playwright() as playwright, site.served(canaries) as origin:
        made = recording.by_chromium(playwright, canaries, origin, tmp_path)
    for text in made.values():
        before = text.encode()
        assert len(find(before, canaries)) > 280
        after, report, entries = sanitised(before)
        assert find(told(after, report, entries), canaries) == {}
        comparison = Comparison(canaries)
        comparison.captures(before, after)
        assert comparison.changed == []
        assert breaches(after).items() <= breaches(before).items()
