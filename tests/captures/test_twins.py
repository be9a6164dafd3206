"""The browser's program and the server's give the same bytes, reports and refusals."""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.captures.generated import Maker
from tests.test_phone_app import NODE
from vestibule import captures
from vestibule.captures import CaptureRefused, sanitise
from vestibule.captures.table import LIMITS
from vestibule.web import static

HERE = Path(__file__).parent
CORPUS = sorted((HERE / "corpus").glob("*.har"))
MODULE = Path(static.__file__).parent / "static" / "captures" / "sanitising.js"
TABLE = Path(captures.__file__).parent / "rules.json"
GENERATED = 600


def in_browser(folder: Path) -> None:
    """Run the browser's program on every .har of the folder."""
    paths = map(str, (HERE / "twin.mjs", folder, MODULE, TABLE))
    subprocess.run([NODE, *paths], check=True, timeout=300)


def on_server(path: Path) -> tuple[bytes, dict[str, Any]]:
    """What the server's program writes and tells of a file."""
    written: list[bytes] = []
    entries: list[captures.Entry] = []
    try:
        with path.open("rb") as file:
            report = sanitise(file.read, written.append, entry=entries.append)
    except CaptureRefused as refused:
        return b"", {"refused": refused.code}
    told = [dataclasses.asdict(entry) for entry in entries]
    return b"".join(written), {"report": report.as_json(), "entries": told}


def differences(folder: Path, *, one_fault: bool = True) -> Iterator[str]:
    """Files on which the two do not agree."""
    in_browser(folder)
    for path in sorted(folder.glob("*.har")):
        safe, told = on_server(path)
        other = json.loads(path.with_name(f"{path.name}.told").read_text())
        if "refused" in told and "refused" in other:
            # A file with several faults is refused for whichever a program meets first.
            if one_fault and told["refused"] != other["refused"]:
                yield f"{path.name}: {told['refused']} here, {other['refused']} there"
        elif told != other or safe != path.with_name(f"{path.name}.out").read_bytes():
            yield f"{path.name}: {str(told)[:200]} here, {str(other)[:200]} there"


def test_corpus_is_the_same_from_both(tmp_path: Path) -> None:
    """What five browsers wrote, and once more what came out of it."""
    assert CORPUS
    for path in CORPUS:
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / f"twice-{path.name}").write_bytes(on_server(path)[0])
    assert list(differences(tmp_path)) == []


def test_generated_captures_are_the_same_from_both(tmp_path: Path) -> None:
    """Whole and broken ones, with everything in which programs could differ."""
    for seed in range(GENERATED):
        (tmp_path / f"{seed:04}.har").write_bytes(Maker(seed).capture())
    assert list(differences(tmp_path, one_fault=False)) == []
    told = [on_server(path)[1] for path in sorted(tmp_path.glob("*.har"))]
    whole = sum("report" in each for each in told)
    assert GENERATED // 4 < whole < GENERATED, "both kinds are needed"


def test_cut_captures_are_the_same_from_both(tmp_path: Path) -> None:
    """Wherever the file ends, both say that it was cut, and nothing else."""
    whole = Maker.compact(Maker(7).thing("root", 0)).encode()
    for end in range(1, len(whole) - 1, max(1, len(whole) // 400)):
        (tmp_path / f"{end:06}.har").write_bytes(whole[:end])
    assert list(differences(tmp_path)) == []
    told = {on_server(path)[1].get("refused") for path in tmp_path.glob("*.har")}
    assert told == {"capture_cut"}


@pytest.mark.parametrize("unit", ["x", "é", "😀", "\\n", "\\ud83d\\ude00"])
def test_long_strings_are_the_same_from_both(tmp_path: Path, unit: str) -> None:
    """Kept or only counted, wherever a piece that is read ends inside a character or escape."""
    longest, piece = LIMITS["string"], 256 * 1024
    written = unit.encode()
    for size in (piece - 100, longest - 1, longest, longest + 1, 2 * longest + piece):
        times, rest = divmod(size, len(written))
        text = b"y" * rest + written * times
        for shift in range(3):
            opening = b'{"log":{"entries":[{"request":{"url":"https://a.example/"},"response":{'
            body = b'"content":{"mimeType":"text/plain","text":"' + text + b'"}},"comment":"'
            whole = b" " * shift + opening + body + text + b'"}]}}'
            (tmp_path / f"{size}-{shift}.har").write_bytes(whole)
    assert list(differences(tmp_path)) == []


@pytest.mark.parametrize("levels", [100, 253, 254, 255, 256, 257, 5000])
def test_depth_is_the_same_from_both(tmp_path: Path, levels: int) -> None:
    """Nested as deep as the limit, and one deeper."""
    nested = b"[" * levels + b"]" * levels
    objects = b'{"a":' * levels + b"1" + b"}" * levels
    for name, inner in (("lists", nested), ("objects", objects)):
        whole = b'{"x":' + inner + b',"log":{"entries":[]}}'
        (tmp_path / f"{name}.har").write_bytes(whole)
    assert list(differences(tmp_path)) == []
