// The catalogue and the code name the same texts.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PIN_REASONS } from "../app/protocol/keys.js";
import { t, counted, setWords } from "../app/ui/words.js";

const APP = new URL("../app/", import.meta.url);
const files = readdirSync(APP, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
const code = files.map((path) => readFileSync(new URL(path, APP), "utf8")).join("\n");
/** @type {Record<string, string>} */
const words = JSON.parse(readFileSync(new URL("../i18n/en.json", import.meta.url), "utf8"));
const PLURALS = /\.(zero|one|two|few|many|other)$/u;

/** Keys written whole, and keys with a part that varies as patterns. */
function used() {
  const whole = [...code.matchAll(/\b(?:t|counted)\(\s*"([a-z_0-9.]+)"/gu)].map(([, key]) => key);
  const varying = [...code.matchAll(/\bt\(\s*`([^`]+)`/gu)].map(([, key]) => key.replace(/\$\{[^}]*\}/gu, "*"));
  const indirect = [...code.matchAll(/const why = `([^`]+)`/gu)].map(([, key]) => key.replace(/\$\{[^}]*\}/gu, "*"));
  return { whole: new Set(whole), patterns: [...new Set([...varying, ...indirect])] };
}

/** @param {string} pattern */
const matcher = (pattern) => new RegExp(`^${pattern.split("*").map((part) => part.replaceAll(".", "\\.")).join("[a-z_0-9]+")}$`, "u");

test("every text that the code asks for is in the catalogue", () => {
  const missing = [...used().whole].filter((key) => !(key in words) && !(`${key}.other` in words));
  assert.deepEqual(missing, []);
  for (const pattern of used().patterns) {
    assert.ok(Object.keys(words).some((key) => matcher(pattern).test(key)), `nothing fits ${pattern}`);
  }
});

test("every text of the catalogue is asked for", () => {
  const { whole, patterns } = used();
  const forms = patterns.map(matcher);
  const unused = Object.keys(words).filter((key) => !whole.has(key) && !whole.has(key.replace(PLURALS, "")) && !forms.some((form) => form.test(key)));
  assert.deepEqual(unused, []);
});

test("every reason against a PIN has its sentence", () => {
  for (const reason of PIN_REASONS) assert.ok(words[`pin.reason.${reason}`], reason);
});

test("texts are written in the voice: no exclamation marks, nothing empty, straight quotes left out", () => {
  for (const [key, text] of Object.entries(words)) assert.match(text, /^[^!"']+$/u, key);
});

test("values are put in their places, and plural forms follow the language", () => {
  setWords({ hello: "Hello {name}, {name}", "n.one": "one", "n.other": "{count} things" });
  assert.equal(t("hello", { name: "Ada" }), "Hello Ada, Ada");
  assert.equal(t("hello"), "Hello {name}, {name}");
  assert.equal(counted("n", 1), "one");
  assert.equal(counted("n", 3), "3 things");
});
