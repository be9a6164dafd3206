// The vectors of spec/vectors/captures*.json through the program that makes recordings safe in the
// portal's pages, and what holds for it alone. A file or operation that is not run fails.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { body, message } from "../../src/vestibule/web/static/captures/bodies.js";
import { CaptureRefused } from "../../src/vestibule/web/static/captures/errors.js";
import { header, media } from "../../src/vestibule/web/static/captures/headers.js";
import { isMarker } from "../../src/vestibule/web/static/captures/markers.js";
import { sanitise } from "../../src/vestibule/web/static/captures/sanitising.js";
import { Rules } from "../../src/vestibule/web/static/captures/table.js";
import { host, pairs, url } from "../../src/vestibule/web/static/captures/urls.js";
import { reasonOf, remove } from "../../src/vestibule/web/static/captures/values.js";

const FOLDER = new URL("../../spec/vectors/", import.meta.url);
const TABLE = JSON.parse(readFileSync(new URL("../../src/vestibule/captures/rules.json", import.meta.url), "utf8"));
const rules = new Rules(TABLE);

/** @typedef {import("../../src/vestibule/web/static/captures/values.js").Work} Work */
/** @typedef {{name: string, operation: string, input: any, ok?: any, error?: string}} Case */

/** @param {any} input @returns {Uint8Array} the bytes of a file: a text, bytes, or texts that are repeated */
function content({ text, bytes_hex: bytes, pieces }) {
  if (bytes !== undefined) return new Uint8Array(Buffer.from(bytes, "hex"));
  if (pieces) return new Uint8Array(Buffer.from(pieces.map((/** @type {[string, number]} */ [piece, times]) => piece.repeat(times)).join("")));
  return new Uint8Array(Buffer.from(text));
}

/** @param {Uint8Array} bytes @param {number} [piece] bytes given at a time @returns {(most: number) => Uint8Array} */
function source(bytes, piece = Infinity) {
  let at = 0;
  return (most) => {
    const from = at;
    at += Math.min(most, piece);
    return bytes.subarray(from, at);
  };
}

/** @param {Uint8Array} bytes @param {{limit?: number, piece?: number}} [how] */
function safe(bytes, { limit, piece } = {}) {
  /** @type {Uint8Array[]} */
  const out = [];
  /** @type {import("../../src/vestibule/web/static/captures/report.js").Entry[]} */
  const entries = [];
  const report = sanitise(source(bytes, piece), (part) => out.push(part.slice()), TABLE, { limit, onEntry: (entry) => entries.push(entry) });
  return { text: Buffer.concat(out).toString("utf8"), report, entries };
}

/** @param {(work: Work) => string | null} judge */
function judged(judge) {
  /** @type {Work} */
  const work = { rules, taken: [] };
  const text = judge(work);
  return { text, removed: work.taken };
}

/** @type {Record<string, (input: any) => any>} */
const OPERATIONS = {
  sanitise: (input) => safe(content(input), { limit: input.limit }),
  plain: ({ text }) => ({ plain: rules.plain(text) }),
  marker: ({ text }) => ({ marker: isMarker(rules, text) }),
  reason: ({ name, text, place }) => ({ reason: reasonOf(rules, name, text, place) }),
  remove: ({ name, text, place }) => judged((work) => remove(work, name, text, place)),
  url: ({ text }) => judged((work) => url(work, text)),
  host: ({ text }) => judged((work) => host(work, text)),
  pairs: ({ text, place }) => judged((work) => pairs(work, text, place)),
  header: ({ name, value }) => {
    /** @type {Work} */
    const work = { rules, taken: [] };
    const [safeName, safeValue] = header(work, name, value);
    return { name: safeName, value: safeValue, removed: work.taken };
  },
  media: ({ text }) => judged((work) => media(work, text, "header")),
  body: ({ text, type }) => judged((work) => body(work, text, type)),
  message: ({ text }) => judged((work) => message(work, text)),
};

const FILES = readdirSync(FOLDER).filter((name) => /^captures.*\.json$/.test(name));

test("there are vectors", () => assert.ok(FILES.length > 1));

for (const file of FILES) {
  /** @type {{cases: Case[]}} */
  const { cases } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
  for (const { name, operation, input, ok, error } of cases) {
    test(`${file} ${operation}: ${name}`, () => {
      const run = OPERATIONS[operation];
      assert.ok(run, `nothing runs ${operation}`);
      if (error === undefined) assert.deepEqual(JSON.parse(JSON.stringify(run(input))), ok);
      else assert.throws(() => run(input), (fault) => fault instanceof CaptureRefused && fault.code === error);
    });
  }
}

test("where pieces end makes no difference", () => {
  const text = "é😀\\ud83d\\ude00\\n\\u00e9".repeat(9);
  const url = "https://a.example/users/3f9a?x=1";
  const bytes = new Uint8Array(
    Buffer.from(
      `\uFEFF {"log" : {"entries":[{"request":{"method":"GET","url":"${url}","headers":[{"name":"X","value":"${text}"}]},` +
        `"time":12.5e1,"_fromCache":null,"x":[true,false,{"y":"${text}"}]} , {"request":{}}]}}\n`,
    ),
  );
  const whole = safe(bytes);
  for (let piece = 1; piece < 40; piece++) assert.deepEqual(safe(bytes, { piece }), whole);
});

test("memory is bounded: one long string and many entries are never held as a whole", () => {
  const entry = Buffer.from(`{"request":{"url":"https://a.example/"},"comment":"${"c".repeat(1000)}"},`);
  const long = Buffer.from(`{"request":{},"comment":"${"é".repeat(40 << 20)}"}`);
  const pieces = [Buffer.from('{"log":{"entries":['), ...Array.from({ length: 40_000 }, () => entry), long, Buffer.from("]}}")];
  let [at, from, most] = [0, 0, 0];
  const before = process.memoryUsage().arrayBuffers;
  const next = (/** @type {number} */ wanted) => {
    const current = pieces[at] ?? new Uint8Array();
    const piece = current.subarray(from, from + wanted);
    from += wanted;
    if (from >= current.length) [at, from] = [at + 1, 0];
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    return new Uint8Array(piece);
  };
  const report = sanitise(next, () => {}, TABLE);
  assert.equal(report.entries, 40_001);
  assert.ok(most < 64 << 20, `${most} bytes were held`);
});
