// Small objects whose members decide about each other, and single values (§3.2 and §3.3 of
// spec/captures.md).

import { body, isOpaque, message, opaque } from "./bodies.js";
import { cookieValue, headerValue, media } from "./headers.js";
import { marker } from "./markers.js";
import { Big, Num, Odd } from "./scalars.js";
import { host, pairValue, url } from "./urls.js";
import { remove, removed, safeName, stays } from "./values.js";

/**
 * @typedef {import("./values.js").Work} Work
 * @typedef {import("./table.js").Known} Known
 * @typedef {import("./reader.js").Scalar} Scalar
 * @typedef {(work: Work, text: string) => string} Judge
 * @typedef {{judge: Judge, place: string, name?: string, unseen?: (text: Big) => boolean}} Judged
 *   `unseen`: whether a long text goes without a look at it, because of its place
 * @typedef {Map<string, Scalar>} Values
 */

/** A text where a number is needed. */
export class WrongType extends Error {}

const SIZED_PLACES = new Set(["header", "cookie", "body", "websocket"]);
const NEEDS_ESCAPE = /["\\\n]/g;
/** @type {Record<string, string>} */
const ESCAPES = { '"': '\\"', "\\": "\\\\", "\n": "\\n" };

/** A safe text as a JSON string (§2): what is kept is printable ASCII and LF. @param {string} text */
export const written = (text) => `"${text.replace(NEEDS_ESCAPE, (letter) => ESCAPES[letter] ?? letter)}"`;

/** @type {Record<string, Judged>} */
const JUDGES = {
  "@url": { judge: url, place: "url" },
  "@host": { judge: host, place: "host" },
  "@title": { judge: (work, text) => (/^https?:\/\//.test(text) ? url(work, text) : removed(work, "title", text)), place: "title" },
  "@media": { judge: (work, text) => media(work, text, "unknown") ?? removed(work, "unknown", text), place: "unknown" },
  "@flag": { judge: (work, text) => removed(work, "unknown", text), place: "unknown" },
};

/** One value that stands for itself, as it is written. @param {Work} work @param {string} keep @param {Scalar} value @throws {WrongType} */
export function kept(work, keep, value) {
  const special = JUDGES[keep];
  if (special) return judged(work, value, special);
  const shape = work.rules.shape(keep);
  if (!shape.number) {
    return judged(work, value, { judge: (_, text) => (shape.fits(text) ? text : removed(work, "unknown", text)), place: "unknown" });
  }
  if (value === null) return "null";
  if (!(value instanceof Num)) throw new WrongType();
  if (shape.fits(value.raw)) return value.raw;
  work.taken.push("unknown");
  return shape.otherwise;
}

/**
 * A value as text: what it is made of decides first, what it says only then.
 * @param {Work} work @param {Scalar} value @param {Judged} how
 */
function judged(work, value, { judge, place, name = "", unseen }) {
  const { rules, taken } = work;
  if (value === null || typeof value === "boolean") return String(value);
  if (value instanceof Odd) {
    const reason = value.kind === "broken" ? "broken" : (name && rules.reasonByName(name)) || place;
    taken.push(reason);
    const sized = value.kind === "oversize" && SIZED_PLACES.has(place);
    return written(marker(rules, reason, sized ? value.size : undefined));
  }
  if (value instanceof Big && unseen?.(value)) {
    taken.push(place);
    return written(marker(rules, place, value.size));
  }
  const text = textOf(value);
  return written(stays(rules, text) ? text : judge(work, text));
}

/** @param {Scalar | undefined} value */
function textOf(value) {
  if (value instanceof Big) return value.text();
  return value instanceof Num ? value.raw : typeof value === "string" ? value : "";
}

/** @param {string} place @returns {(values: Values) => Record<string, Judged>} */
const parameter = (place) => (values) => {
  const name = textOf(values.get("name"));
  return {
    name: { judge: (work, text) => safeName(work, text, place), place },
    value: { judge: (work, text) => pairValue(work, name, text, place), place, name },
    fileName: { judge: (work, text) => removed(work, place, text), place },
  };
};

/** @type {Record<string, (values: Values, rules: Work["rules"]) => Record<string, Judged>>} */
const UNITS = {
  header: (values) => {
    const name = textOf(values.get("name"));
    return {
      name: { judge: (work, text) => safeName(work, text, "header"), place: "header" },
      value: { judge: (work, text) => headerValue(work, name, text), place: "header", name },
    };
  },
  query: parameter("query"),
  form: parameter("form"),
  cookie: () => ({
    name: { judge: (work, text) => safeName(work, text, "cookie"), place: "cookie" },
    value: { judge: cookieValue, place: "cookie" },
  }),
  body: (values, rules) => {
    const type = textOf(values.get("mimeType"));
    const encoding = values.get("encoding") ?? "";
    if (encoding !== "") return { text: { judge: opaque, place: "body", unseen: () => true } };
    return { text: { judge: (work, text) => body(work, text, type), place: "body", unseen: (text) => isOpaque(rules, type, text) } };
  },
  message: (values) => {
    const opcode = values.get("opcode");
    const whole = opcode instanceof Num && opcode.raw === "1";
    return {
      data: { judge: whole ? message : (work, text) => remove(work, "", text, "websocket", true), place: "websocket" },
    };
  },
  event: () => ({
    data: { judge: message, place: "websocket" },
    eventId: { judge: (work, text) => removed(work, "websocket", text, true), place: "websocket" },
  }),
};

/**
 * The members of a unit as they are written, in the order of the table.
 * @param {Work} work @param {Known} known @param {Values} values @returns {[string, string][]} @throws {WrongType}
 */
export function unit(work, known, values) {
  const judges = UNITS[known.unit]?.(values, work.rules) ?? {};
  /** @type {[string, string][]} */
  const safe = [];
  for (const [member, treatment] of known.members) {
    const value = values.get(member);
    if (value === undefined || (known.unit === "body" && member === "encoding")) continue;
    const how = judges[member];
    safe.push([member, how ? judged(work, value, how) : kept(work, treatment.keep ?? "", value)]);
  }
  for (const value of values.values()) if (value instanceof Big) value.release();
  return safe;
}
