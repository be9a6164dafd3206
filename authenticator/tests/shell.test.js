// What names every file of the app names all of them.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { renew, shellFiles } from "../shell.mjs";

const ROOT = new URL("../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, ROOT), "utf8");

test("the service worker and the page are up to date with the files", () => {
  assert.equal(renew({ write: false }), false, "run: node authenticator/shell.mjs");
});

test("every module that is imported exists and is kept for offline use", () => {
  const kept = new Set(shellFiles());
  for (const file of [...kept].filter((path) => path.startsWith("/app/"))) {
    const imports = [...read(`.${file}`).matchAll(/^import[^"]*"(\.[^"]+)"/gmu)].map(([, path]) => new URL(path, `http://app${file}`).pathname);
    for (const path of imports.filter((one) => !one.startsWith("/vendor/"))) assert.ok(kept.has(path), `${file} imports ${path}`);
  }
});

test("no file of the app makes markup from strings, styles by attribute or talks to other hosts", () => {
  const files = readdirSync(new URL("app/", ROOT), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
  for (const path of files) {
    const text = read(`app/${path}`);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|navigator\.onLine/u, path);
    assert.doesNotMatch(text, /\bstyle: /u, path);
    assert.doesNotMatch(text, /["'`]https?:\/\/(?!www\.w3\.org)/u, path);
  }
});

test("the protocol reaches neither the page nor the network", () => {
  for (const path of readdirSync(new URL("app/protocol/", ROOT))) {
    const text = read(`app/protocol/${path}`);
    assert.doesNotMatch(text, /\b(?:document|window|location|navigator|fetch|indexedDB|setTimeout|Date\.now)\b/u, path);
    assert.doesNotMatch(text, /from "\.\.\//u, path);
  }
});

test("styles are logical, so that the app can be read from right to left", () => {
  for (const path of readdirSync(new URL("css/", ROOT))) {
    assert.doesNotMatch(read(`css/${path}`), /^\s*(?:margin|padding|border|inset)?-?(?:left|right|top|bottom)(?:-\w+)?:|text-align: (?:left|right)|^\s*(?:min-|max-)?(?:width|height):/mu, path);
  }
});
