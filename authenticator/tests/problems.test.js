// Every failure that the specification or this app names has its own message and next step.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const APP = new URL("../app/", import.meta.url);
/** @type {Record<string, string>} */
const words = JSON.parse(readFileSync(new URL("../i18n/en.json", import.meta.url), "utf8"));
const spec = readFileSync(new URL("../../spec/protocol.md", import.meta.url), "utf8");
const screen = readFileSync(new URL("screens/problem.js", APP), "utf8");

// The module itself reaches for the browser; its table is read as text.
const table = /export const NEXT = \{([^]*?)\n\};/u.exec(screen)?.[1] ?? "";
const next = new Map([...table.matchAll(/\b([a-z_]+): "([a-z]+)"/gu)].map(([, code, step]) => [code, step]));

/** @param {string} start @param {string} end */
const part = (start, end) => spec.slice(spec.indexOf(start), spec.indexOf(end));
// Names of members stand in the same letters as codes.
const MEMBERS = new Set(["resend_at", "rests_until", "retires_at"]);
const CODE = /`([a-z]+(?:_[a-z]+)+)`/gu;

test("every code of the specification that can reach a phone has its message", () => {
  const texts = [part("## 5.", "## 6."), part("## 6.", "## 7.").split("Refusals:")[1], part("**Diagnosis.**", "**Knowledge check.**").split("Refusals:")[1], part("## 8.", "## 9.").split("Refusals:")[1], part("## 11.", "## 12."), part("## 12.", "    POST /device/notices/")];
  const named = new Set(texts.flatMap((text) => [...(text ?? "").matchAll(CODE)].map(([, code]) => code)));
  assert.ok(named.size > 25);
  assert.deepEqual([...named].filter((code) => !next.has(code) && !MEMBERS.has(code)), []);
});

test("every code that this app raises has its message", () => {
  const files = readdirSync(APP, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
  const raised = files.flatMap((path) => [...readFileSync(new URL(path, APP), "utf8").matchAll(/new (?:Problem|Refused|Malformed|Unavailable)\("([a-z_]+)"/gu)].map(([, code]) => code));
  const inline = new Set(["challenge_characters", "challenge_length", "challenge_range", "suite_unsupported"]);
  assert.deepEqual([...new Set(raised)].filter((code) => !next.has(code) && !inline.has(code)), []);
});

test("every message says what happened, why, and what to do, in words of its own", () => {
  for (const [code, step] of next) {
    for (const what of ["title", "why", "next"]) assert.ok(words[`problem.${code}.${what}`], `problem.${code}.${what}`);
    assert.ok(words[`problem.button.${step}`], `problem.button.${step}`);
  }
  const titled = Object.keys(words).filter((key) => /^problem\.\w+\.title$/u.test(key)).map((key) => key.split(".")[1]);
  assert.deepEqual(titled.filter((code) => !next.has(code)), []);
});
