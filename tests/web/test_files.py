"""The portal's files are kept for ever, the phone app's are asked for each time."""

import re
from pathlib import Path

import pytest
from starlette.requests import Request

from tests.desk import Desk
from vestibule.captures import RULES_JSON
from vestibule.web import static
from vestibule.web.middleware import CAPTURE_POLICY, PORTAL_POLICY
from vestibule.web.phone_files import PhoneFiles

FOLDER = Path(static.__file__).parent / "static"


async def test_portal_file_is_named_after_its_content(desk: Desk) -> None:
    """Whoever has it need not ask again; another content has another name."""
    address = static.asset("portal.css")
    answer = await desk.http.get(address)
    assert answer.text == (FOLDER / "portal.css").read_text()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    plain = await desk.http.get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


@pytest.mark.parametrize(
    "path", ["/static/portal.css", "/static/../app.py", "/static/%2e%2e/app.py", "/static/x.css"]
)
async def test_other_portal_file_is_not_there(desk: Desk, path: str) -> None:
    """Without its mark, or anywhere else, there is nothing."""
    assert (await desk.http.get(path)).status_code == 404


async def test_modules_of_a_folder_are_found_beside_each_other(desk: Desk) -> None:
    """Their imports are relative, and the folder's name changes with any of its files."""
    address = static.asset("captures/worker.js")
    folder, _, name = address.rpartition("/")
    assert (re.sub("[0-9a-f]{12}", "", folder), name) == ("/static/captures.", "worker.js")
    for each in ("reader.js", "sanitising.js", "rules.json"):
        assert static.asset(f"captures/{each}") == f"{folder}/{each}"
        assert (await desk.http.get(f"{folder}/{each}")).status_code == 200
    assert (await desk.http.get(f"{folder}/missing.js")).status_code == 404
    assert (await desk.http.get(folder)).status_code == 404


async def test_rules_of_captures_are_served_unchanged(desk: Desk) -> None:
    """The browser's program and the server's read the same bytes."""
    answer = await desk.http.get(static.asset("captures/rules.json"))
    assert answer.content == RULES_JSON
    assert answer.headers["content-type"] == "application/json"


async def test_worker_that_reads_captures_may_not_send(desk: Desk) -> None:
    """Its policy is its own: scripts of this origin, and no connection anywhere."""
    answer = await desk.http.get(static.asset("captures/worker.js"))
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; script-src 'self'"


def test_only_pages_with_captures_may_start_a_worker() -> None:
    """There by one policy of trusted types, elsewhere not at all; nothing else differs."""
    assert "worker-src" not in PORTAL_POLICY
    assert "trusted-types 'none'" in PORTAL_POLICY
    here = {part.strip() for part in CAPTURE_POLICY.split(";")}
    there = {part.strip() for part in PORTAL_POLICY.split(";")}
    assert here - there == {"worker-src 'self'", "trusted-types vestibule-captures"}
    assert there - here == {"trusted-types 'none'"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small phone app."""
    root = tmp_path / "app-root"
    for name, content in {
        "index.html": "<!doctype html>",
        "sw.js": "worker",
        "manifest.webmanifest": "{}",
        "app/workers/scan.js": "scan",
        "vendor/zxing.wasm": "wasm",
        "vendor/qr.d.ts": "types",
        "package.json": "{}",
        "build.mjs": "",
        "tests/x.js": "",
        "node_modules/y/index.js": "",
        ".env.json": "{}",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def get(path: str, method: str = "GET", **headers: str) -> Request:
    """A request for a file."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": raw,
            "server": ("phone.example", 443),
            "scheme": "https",
        }
    )


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/", "text/html; charset=utf-8"),
        ("/activate", "text/html; charset=utf-8"),
        ("/install", "text/html; charset=utf-8"),
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/vendor/zxing.wasm", "application/wasm"),
    ],
)
async def test_phone_file_has_its_type_and_is_asked_for_each_time(
    app: Path, path: str, kind: str
) -> None:
    """An update is there with the next start; what did not change is not sent again."""
    files = PhoneFiles(app)
    answer = await files.serve(get(path))
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "no-cache"
    again = await files.serve(get(path, if_none_match=answer.headers["etag"]))
    assert (again.status_code, again.body) == (304, b"")


async def test_changed_phone_file_is_served_anew(app: Path) -> None:
    """Without a restart."""
    files = PhoneFiles(app)
    before = await files.serve(get("/sw.js"))
    (app / "sw.js").write_text("another worker")
    after = await files.serve(get("/sw.js", if_none_match=before.headers["etag"]))
    assert after.body == b"another worker"


@pytest.mark.parametrize(
    "path",
    [
        "/package.json",
        "/build.mjs",
        "/tests/x.js",
        "/node_modules/y/index.js",
        "/.env.json",
        "/vendor/qr.d.ts",
        "/../etc/passwd",
        "/app/../package.json",
        "//etc/passwd",
        "/app",
        "/vendor/",
        "/activate/",
    ],
)
async def test_what_is_not_of_the_app_is_not_served(app: Path, path: str) -> None:
    """Neither the build's files nor anything outside."""
    with pytest.raises(Exception, match="404"):
        await PhoneFiles(app).serve(get(path))


async def test_only_workers_may_run_webassembly(app: Path) -> None:
    """Their policy allows it; the pages' own does not."""
    files = PhoneFiles(app)
    worker = await files.serve(get("/app/workers/scan.js"))
    assert "'wasm-unsafe-eval'" in worker.headers["content-security-policy"]
    assert "content-security-policy" not in (await files.serve(get("/"))).headers


async def test_real_app_is_served_under_the_strict_policy(desk: Desk) -> None:
    """From its own origin: no inline script, no WebAssembly on pages, the camera for itself."""
    answer = await desk.phone_http.get("/vendor/qr.js")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "wasm" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "camera=(self)" in answer.headers["permissions-policy"]


def test_no_asset_is_named_in_a_template_and_missing() -> None:
    """Every asset that a template names is there."""
    package = FOLDER.parents[1]
    named = {
        name
        for template in package.glob("*/templates/**/*.html")
        for name in re.findall(r"asset\('([^']+)'\)", template.read_text())
    }
    assert named
    for name in named:
        static.asset(name)
