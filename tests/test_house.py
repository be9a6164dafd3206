"""The walls of the house: what CONTRIBUTING promises and a machine can hold."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import grimp
import pytest
from sqlalchemy import Table

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGE = ROOT / "src" / "vestibule"
PYTHON_FOLDERS = ("src", "tests", "tools", "bench")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
README_LINES = 120

# Rooms that are no capability: they have no floors of their own.
GROUND = {"base", "captures", "cli", "client", "outside", "protocol", "schema", "web"}
DOORS = {"rules", "service"}
FACES = {"admin", "device_api", "pages"}

# Tables and lists of routes, which are read from top to bottom: "path" or "path::function".
LONG_BY_NATURE: set[str] = set()


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def written(*suffixes: str) -> list[Path]:
    """Tracked files with one of these suffixes."""
    return [path for path in tracked() if path.suffix in suffixes]


def named(path: Path) -> str:
    """Its path as the project writes it."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file with its number of lines, docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = ast.get_docstring(node, clean=False)
            described = (first.end_lineno or 0) - first.lineno + 1 if doc is not None else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - described


def passes(*command: str | Path) -> None:
    """Run a checking program; what it found is the message of the failure."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def folders() -> list[str]:
    """The folders of Python that are there."""
    return [name for name in PYTHON_FOLDERS if (ROOT / name).is_dir()]


# --- order ------------------------------------------------------------------------------------


def test_import_contracts_hold() -> None:
    """Rooms, floors and purity are as pyproject.toml draws them."""
    passes(BIN / "lint-imports", "--no-cache")


def test_capabilities_all_have_floors() -> None:
    """A new capability cannot be forgotten in the contract that orders its floors."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in contracts if "floors" in contract["name"])
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {f"vestibule.{room}" for room in rooms - GROUND} == set(floors["containers"])


def test_capabilities_meet_only_at_rules_and_service() -> None:
    """What one capability imports of another is its rules or its service.

    One exception, decision 0003: a store may join the tables of a lower capability.
    """
    graph = grimp.build_graph("vestibule", cache_dir=None)
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - GROUND
    side_doors = []
    for importer in graph.modules:
        _, room, floor, *_ = [*importer.split("."), "", ""]
        doors = DOORS | ({"store"} if floor == "store" else set())
        for imported in graph.find_modules_directly_imported_by(importer):
            _, other, door, *_ = [*imported.split("."), "", ""]
            if room in rooms and other in rooms - {room} and door not in doors:
                side_doors.append(f"{importer} -> {imported}")
    assert side_doors == []


def test_a_store_takes_only_tables_from_another() -> None:
    """Joining is all that a store may do with a foreign store: its queries stay private."""
    taken = [
        (named(path), node.module, alias.name)
        for path in [*PACKAGE.glob("*/store.py"), *PACKAGE.glob("*/store/*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and ".store" in node.module
        if path.relative_to(PACKAGE).parts[0] not in node.module.split(".")
        for alias in node.names
    ]
    foreign = [
        (path, name)
        for path, module, name in taken
        if not isinstance(getattr(importlib.import_module(module), name), Table)
    ]
    assert foreign == []


@pytest.mark.parametrize("where", ["protocol/*.py", "*/rules.py", "*/rules/*.py"])
def test_rules_read_no_clock(where: str) -> None:
    """Time is handed to rules and protocol as `now=`; they never ask for it."""
    asked = [
        f"{named(path)}:{node.lineno}"
        for path in PACKAGE.glob(where)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}
    ]
    assert asked == []


def test_no_module_has_a_name_that_means_anything() -> None:
    """Files are named after what they hold."""
    shapeless = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
    assert [named(path) for path in written(".py", ".js") if path.stem in shapeless] == []


# --- size -------------------------------------------------------------------------------------


def test_files_stay_short() -> None:
    """A file that outgrows one reading is split by record or by protocol."""
    sizes = {named(path): len(path.read_text().splitlines()) for path in written(".py", ".js")}
    long = {name for name, lines in sizes.items() if lines > LONGEST_FILE}
    assert long - LONG_BY_NATURE == set()


def test_functions_stay_short() -> None:
    """A function fits on a screen."""
    long = {
        f"{named(path)}::{name}"
        for path in written(".py")
        for name, lines in functions(path)
        if lines > LONGEST_FUNCTION
    }
    assert long - LONG_BY_NATURE == set()


def test_exceptions_from_size_are_still_needed() -> None:
    """An entry that no longer stands for a long file or function is deleted."""
    files = {named(path) for path in written(".py", ".js")}
    every = files | {f"{named(p)}::{name}" for p in written(".py") for name, _ in functions(p)}
    assert LONG_BY_NATURE - every == set()


# --- style and types --------------------------------------------------------------------------


def test_style_is_clean() -> None:
    """Ruff finds nothing."""
    passes(BIN / "ruff", "check", "--quiet", ".")


def test_format_is_the_formatters() -> None:
    """Nobody discusses spaces: `make format` writes them."""
    passes(BIN / "ruff", "format", "--check", "--quiet", ".")


def test_types_are_strict() -> None:
    """Mypy accepts the program, its tests and its tools."""
    passes(BIN / "mypy", "--no-error-summary", *folders())


def test_rules_left_out_say_why() -> None:
    """Every ruff rule ignored in pyproject.toml has its reason on the same line."""
    text = (ROOT / "pyproject.toml").read_text()
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8")]
    rules = re.findall(r'^ +"[A-Z]+\d*",?.*$', section, re.MULTILINE)
    assert rules
    assert [rule for rule in rules if not re.search(r"#\s+\S.{5,}", rule)] == []


def test_exceptions_in_the_code_say_why() -> None:
    """A `noqa` or `type: ignore` of the program has its reason behind it, or in the next line.

    Tests break a rule in order to see what happens: there the rule's name is reason enough.
    """
    marks = re.compile(r"#\s*(?:noqa\b|type:\s*ignore)")
    reasoned = re.compile(r"#\s*(?:noqa|type): ?[\w, ]+(?:\[[a-z, -]+\])?\s+(?:#|--?) \S.{4,}")
    bare = []
    for path in written(".py"):
        lines = [*path.read_text().splitlines(), ""]
        for number, line in enumerate(lines[:-1]):
            near = {lines[number - 1].strip()[:1], lines[number + 1].strip()[:1]}
            if marks.search(line) and not reasoned.search(line) and "#" not in near:
                bare.append(f"{named(path)}:{number + 1}: {line.strip()}")
    assert [mark for mark in bare if not mark.startswith("tests/")] == []


# --- what must not be here --------------------------------------------------------------------


def test_nothing_names_a_package_registry() -> None:
    """The locks pin bytes, not places; no file sends anybody to a registry's host."""
    halves = [("py", "pi.org"), ("python", "hosted.org"), ("npm", "js."), ("yarn", "pkg.com")]
    hosts = [start + end for start, end in [*halves, ("deb.", "debian.org")]]
    guilty = []
    for path in tracked():
        text = path.read_text(errors="ignore")
        guilty += [f"{named(path)}: {host}" for host in hosts if host in text]
    assert guilty == []


def test_locks_hold_hashes_and_no_addresses() -> None:
    """Every locked package has hashes, and no line names an index."""
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        pins = re.findall(r"^\S+==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert pins, lock
        assert all("--hash=sha256:" in pin for pin in pins), lock
        assert "://" not in text, lock
        assert not re.search(r"^-", text, re.MULTILINE), lock
    packages = json.loads((ROOT / "authenticator" / "package-lock.json").read_text())["packages"]
    fetched = {name: facts for name, facts in packages.items() if name}
    assert all("integrity" in facts and "resolved" not in facts for facts in fetched.values())


# --- dependencies ---------------------------------------------------------------------------

# Imports every module of the program while what is installed only for the tests is out of reach.
ALONE = """
import importlib, importlib.abc, pkgutil, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in set(sys.argv[1:]):
            raise ModuleNotFoundError(f"{name} is not among the run dependencies")

sys.meta_path.insert(0, Absent())
import vestibule
for module in pkgutil.walk_packages(vestibule.__path__, "vestibule."):
    if not module.name.endswith("__main__") and not module.name.startswith("vestibule.schema."):
        importlib.import_module(module.name)
"""


def run_packages() -> list[str]:
    """The names in the lock of what the server runs on."""
    lock = (ROOT / "requirements" / "run.txt").read_text()
    return re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)


def test_program_runs_on_its_run_dependencies_alone() -> None:
    """Whoever installs requirements/run.txt has all that the program imports, indirectly too."""
    locked = {*run_packages(), "vestibule"}
    absent = [
        module
        for module, names in metadata.packages_distributions().items()
        if locked.isdisjoint(re.sub(r"[._]", "-", name.lower()) for name in names)
    ]
    assert "pytest" in absent
    passes(sys.executable, "-c", ALONE, *absent)


# --- licences ---------------------------------------------------------------------------------

FLAGS = re.IGNORECASE
COPYLEFT = re.compile(
    r"\b(?:A|S)?GPL|\bAffero\b|\bSSPL\b|\bBUSL\b|General Public License", re.IGNORECASE
)
LESSER = re.compile(r"\bLGPL|Lesser General Public", FLAGS)


def licence(name: str) -> str:
    """Everything a package's metadata says of its licence; of a choice (SPDX), what we take."""
    about = metadata.metadata(name)
    words = about.get_all("License-Expression") or about.get_all("License") or []
    words += [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    offered = " ".join(words).strip().split(" OR ")
    return next((one for one in offered if not COPYLEFT.search(one)), " OR ".join(offered))


def test_run_dependencies_are_free_of_strong_copyleft() -> None:
    """What the server runs on may be used with Apache-2.0, and says so in its metadata."""
    installed = {
        (dist.metadata["Name"] or "").lower().replace("_", "-") for dist in metadata.distributions()
    }
    locked = run_packages()
    here = sorted(set(locked) & installed)
    assert len(here) > len(locked) * 0.8
    said = {name: licence(name) for name in here}
    assert [name for name, words in said.items() if not words] == []
    assert {name: words for name, words in said.items() if COPYLEFT.search(words)} == {}
    assert {name: words for name, words in said.items() if LESSER.search(words)} == {}


def test_phone_app_ships_permissive_packages_with_their_texts() -> None:
    """Each package inside the phone app is MIT or Apache, and its licence travels along."""
    app = ROOT / "authenticator"
    texts = (app / "vendor" / "LICENSES.txt").read_text()
    for name in json.loads((app / "package.json").read_text())["dependencies"]:
        about = json.loads((app / "node_modules" / name / "package.json").read_text())
        assert about["license"] in {"MIT", "Apache-2.0", "(MIT OR Apache-2.0)"}
        assert f"{name} {about['version']}\n" in texts


# --- the front door ---------------------------------------------------------------------------


def test_readme_opens_with_the_two_commands() -> None:
    """README is short, and what to type stands on the first screen."""
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < README_LINES
    top = "\n".join(lines[:15])
    assert "make run" in top
    assert "make test" in top


def test_ci_calls_the_readmes_command() -> None:
    """CI runs what a person runs: no second way to test."""
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "make test"
    assert [line for line in commands if "pytest" in line or "bootstrap" in line] == []


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a document names a file that exists; articles name figures elsewhere."""
    dead = [
        f"{named(path)}: {target}"
        for path in written(".md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if "://" not in target
        and not target.startswith("figure:")
        and not (path.parent / target).exists()
    ]
    assert dead == []
