"""The phone app outside of a browser: its types, its own tests, what it is built from."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import segno
from argon2.low_level import Type, hash_secret_raw

APP = Path(__file__).resolve().parent.parent / "authenticator"
# Set-up puts Node beside Python where the machine's own is missing or too old.
NODE = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "node"


def node(*arguments: str | Path, stdin: str = "") -> str:
    """What Node printed; its complaint is the message of the failure."""
    done = subprocess.run(
        [NODE, *map(str, arguments)],
        cwd=APP,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "config", ["tsconfig.json", "tsconfig.worker.json", "tsconfig.portal.json"]
)
def test_types_hold(config: str) -> None:
    """The compiler accepts the JSDoc types of app, worker and tests, and of the portal's module."""
    node("node_modules/typescript/bin/tsc", "--project", config)


def test_own_tests_pass() -> None:
    """The app's tests run in Node, the protocol's vectors among them."""
    node("--test", *sorted((APP / "tests").glob("*.test.js")))


def pixels(text: str) -> dict[str, object]:
    """A QR code as the RGBA pixels that a camera would give."""
    rows = [list(row) for row in segno.make(text, error="m").matrix_iter(scale=5, border=4)]
    colours = (b"\xff\xff\xff\xff", b"\x00\x00\x00\xff")
    data = b"".join(colours[bool(module)] for row in rows for module in row)
    return {"width": len(rows[0]), "height": len(rows), "data": base64.b64encode(data).decode()}


READ = """
import { readFileSync } from "node:fs";
const sent = JSON.parse(readFileSync(0, "utf8"));
const image = { ...sent, data: new Uint8ClampedArray(Buffer.from(sent.data, "base64")) };
"""
READERS = {
    "qr": READ
    + """
const { decodeQR } = await import("./vendor/qr.js");
console.log(decodeQR(image));
""",
    # Node cannot fetch a file as a browser does, so the wasm is handed over.
    "zxing": READ
    + """
const { prepareZXingModule, readBarcodes } = await import("./vendor/zxing.js");
const wasmBinary = readFileSync("vendor/zxing_reader.wasm").buffer;
prepareZXingModule({ overrides: { wasmBinary } });
console.log((await readBarcodes(image, { formats: ["QRCode"] }))[0].text);
""",
}


@pytest.mark.parametrize("reader", sorted(READERS))
def test_readers_read_what_the_portal_draws(reader: str) -> None:
    """Both QR readers, as built for the app, read a code drawn by the portal's library."""
    link = "https://phone.example/a#7Q2M-K9FX-4T6W-RD3H-PZ8C"
    said = node("--input-type=module", "--eval", READERS[reader], stdin=json.dumps(pixels(link)))
    assert said.strip() == link


def test_argon2_equals_the_servers() -> None:
    """The app's argon2id, as built, gives the bytes that the server's library gives."""
    script = """
    const { argon2id } = await import("./vendor/argon2.js");
    const salt = new TextEncoder().encode("sixteen bytes ok");
    console.log(await argon2id({
      password: "2580", salt, iterations: 2, memorySize: 19456, parallelism: 1, hashLength: 32,
    }));
    """
    expected = hash_secret_raw(b"2580", b"sixteen bytes ok", 2, 19456, 1, 32, Type.ID)
    assert node("--input-type=module", "--eval", script).strip() == expected.hex()
