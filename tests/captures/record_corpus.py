"""`python -m tests.captures.record_corpus`: the corpus anew, by every browser of this machine.

All files share one list of secrets, so they are written together. `places.json` says which of the
secrets each file holds: no browser writes everything.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.captures import by_hand, recording, recording_webkit, site
from tests.captures.canaries import Canaries
from tests.captures.finder import find

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Record, and note what was found."""
    canaries = Canaries.fresh()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for kind in ("chromium", "firefox"):
            (folder / kind).mkdir()
        with sync_playwright() as playwright:
            with site.served(canaries) as origin:
                recording.by_playwright(playwright, canaries, origin, CORPUS / "playwright.har")
            with site.served(canaries) as origin:
                profile = folder / "chromium"
                made = recording.by_chromium(playwright, canaries, origin, profile)
        (CORPUS / "chromium.har").write_text(made[False])
        (CORPUS / "chromium-sanitized.har").write_text(made[True])
        if recording.firefox():
            with site.served(canaries) as origin:
                made_there = recording.by_firefox(canaries, origin, folder / "firefox")
            (CORPUS / "firefox.har").write_text(made_there)
        if inspector := os.environ.get("VESTIBULE_WEBKIT"):
            with sync_playwright() as playwright, site.served(canaries) as origin:
                shown = recording_webkit.by_webkit(playwright, canaries, origin, inspector)
            (CORPUS / "webkit.har").write_text(shown)
    (CORPUS / "by-hand.har").write_text(by_hand.written(canaries))
    canaries.save(CORPUS / "canaries.json")
    note_places(canaries)


def note_places(canaries: Canaries) -> None:
    """Write down what each file holds."""
    places = {}
    for path in sorted(CORPUS.glob("*.har")):
        places[path.name] = sorted(find(path.read_bytes(), canaries))
        sys.stdout.write(f"{path.name}: {len(places[path.name])} of {len(canaries)}\n")
    (CORPUS / "places.json").write_text(json.dumps(places, indent=0) + "\n")


if __name__ == "__main__":
    main()
