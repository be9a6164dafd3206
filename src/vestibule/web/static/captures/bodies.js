// Bodies and messages made safe (section 8 of spec/captures.md).

import { typeOf } from "./headers.js";
import { parse } from "./json_texts.js";
import { isMarker, marker } from "./markers.js";
import { folded } from "./table.js";
import { cut, pairs } from "./urls.js";
import { remove, safeName, stays } from "./values.js";

/** @typedef {import("./values.js").Work} Work */
/** @typedef {import("./json_texts.js").Value} Value */

const OPENS_JSON = /^[ \t\n\r]*[{[]/;
const PART = /^content-disposition: form-data;/i;
const PART_NAME = /[; ]name="([ !#-~]*)"/;

/** A body by its media type, as the capture has it (§8.1). @param {Work} work @param {string} text @param {string} type @returns {string} */
export function body(work, text, type) {
  const { rules } = work;
  if (stays(rules, text)) return text;
  const kind = typeOf(type);
  if (rules.media.form.has(kind)) return pairs(work, text, "form");
  let safe = null;
  if (kind.startsWith(rules.media.multipart)) safe = multipart(work, text);
  else if (rules.media.json.has(kind) || kind.endsWith(rules.media.jsonEnding) || (rules.media.plain.has(kind) && OPENS_JSON.test(text))) {
    safe = jsonText(work, text);
  }
  return safe ?? opaque(work, text);
}

/** Whether nothing of a body of this type is kept, whatever it says. @param {Work["rules"]} rules @param {string} type @param {import("./scalars.js").Big} text */
export function isOpaque({ media }, type, text) {
  const kind = typeOf(type);
  if (media.form.has(kind) || kind.startsWith(media.multipart)) return false;
  if (media.json.has(kind) || kind.endsWith(media.jsonEnding)) return false;
  return !media.plain.has(kind) || !text.mayOpenJson();
}

/** A body of which nothing is kept. @param {Work} work @param {string} text */
export const opaque = (work, text) => (stays(work.rules, text) ? text : remove(work, "", text, "body", true));

/** A message on a WebSocket or of an event stream (§8.4). @param {Work} work @param {string} text */
export function message(work, text) {
  if (stays(work.rules, text)) return text;
  const safe = OPENS_JSON.test(text) ? jsonText(work, text) : null;
  return safe ?? remove(work, "", text, "websocket", true);
}

/** The names of the parts, as a form without values; null without any (§8.2). @param {Work} work @param {string} text */
function multipart({ rules, taken }, text) {
  if (text.split("&").every((piece) => isSafePair(rules, piece))) return text;
  const fields = [];
  for (const line of text.split("\n")) {
    const name = PART.test(line) ? PART_NAME.exec(line)?.[1] : undefined;
    if (name === undefined) continue;
    taken.push("form");
    fields.push((rules.plain(name) ? `${name}=` : "") + marker(rules, "form"));
  }
  return fields.join("&") || null;
}

/** @param {Work["rules"]} rules @param {string} piece */
function isSafePair(rules, piece) {
  const [name, value] = cut(piece, "=");
  return isMarker(rules, piece) || (value !== null && rules.plain(name) && isMarker(rules, value));
}

/** JSON with its structure and what is harmless; null when it cannot be read (§8.3). @param {Work} work @param {string} text */
export function jsonText(work, text) {
  const read = parse(text, work.rules.limits.body_depth ?? 0);
  return read === undefined ? null : written(work, read, "");
}

/** @param {Work} work @param {Value} value @param {string} name @returns {string} */
function written(work, value, name) {
  if (typeof value === "string") return string(work, value, name);
  if (value === null || typeof value === "boolean") return String(value);
  if (value.kind === "array") return `[${value.items.map((item) => written(work, item, name)).join(",")}]`;
  if (value.kind === "object") {
    return `{${value.members.map(([key, inner]) => `"${safeName(work, key, "json")}":${member(work, inner, key)}`).join(",")}}`;
  }
  return work.rules.harmless(name, value.raw) ? value.raw : `"${remove(work, name, value.raw, "json")}"`;
}

/** @param {Work} work @param {Value} value @param {string} name */
function member(work, value, name) {
  const { rules, taken } = work;
  const kept = value === null || typeof value === "boolean" || (typeof value === "string" && stays(rules, value));
  if (kept || !rules.storageNames.has(folded(name))) return written(work, value, name);
  taken.push("storage");
  return `"${marker(rules, "storage")}"`;
}

/** A text. What is kept needs no escape: no shape here admits a quote. @param {Work} work @param {string} text @param {string} name */
const string = (work, text, name) =>
  `"${stays(work.rules, text) || work.rules.harmless(name, text) ? text : remove(work, name, text, "json")}"`;
