// Addresses made safe (section 6 of spec/captures.md).
//
// Cut by hand and not by a library: browsers and the servers that a capture talks about each parse
// addresses in their own way, and both programs must cut at the same byte.

import { isMarker, marker } from "./markers.js";
import { longer, lower } from "./table.js";
import { detected, remove, removed, stays } from "./values.js";

/** @typedef {import("./values.js").Work} Work */

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const REMOVED_HOST = "~removed.host~";

/** A text before and after the first `mark`; null: it has none. @param {string} text @param {string} mark @returns {[string, string | null]} */
export function cut(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** An address with everything taken out that may be a secret (§6.1). @param {Work} work @param {string} text @returns {string} */
export function url(work, text) {
  const { rules } = work;
  if (stays(rules, text)) return text;
  let start = SCHEME.exec(text)?.[0] ?? "";
  let rest = text.slice(start.length);
  if (start) {
    const scheme = lower(start.slice(0, -1));
    if (rules.urls.kept.has(text)) return text;
    if (rules.urls.opaque.has(scheme)) return start + (isMarker(rules, rest) ? rest : remove(work, "", rest, "url"));
    if (!rules.urls.schemes.has(scheme) || !rest.startsWith("//")) return remove(work, "", text, "url");
  }
  if (rest.startsWith("//")) {
    const found = rest.slice(2).search(/[/?#]/);
    const end = found < 0 ? rest.length : 2 + found;
    start += `//${authority(work, rest.slice(2, end))}`;
    rest = rest.slice(end);
  }
  const [before, after] = cut(rest, "#");
  const safe = start + pathAndQuery(work, before);
  return after === null ? safe : `${safe}#${fragment(work, after)}`;
}

/** @param {Work} work @param {string} text */
function pathAndQuery(work, text) {
  const [before, query] = cut(text, "?");
  const safe = path(work, before);
  return query === null ? safe : `${safe}?${pairs(work, query, "query")}`;
}

/** @param {Work} work @param {string} text @returns {string} */
function fragment(work, text) {
  if (stays(work.rules, text)) return text;
  if (text.startsWith("/")) return pathAndQuery(work, text);
  if (text.startsWith("!/")) return `!${pathAndQuery(work, text.slice(1))}`;
  return text.includes("=") ? pairs(work, text, "query") : segment(work, text, "");
}

/** @param {Work} work @param {string} text */
function authority(work, text) {
  const at = text.lastIndexOf("@");
  if (at < 0) return host(work, text);
  let user = text.slice(0, at);
  if (!isMarker(work.rules, user)) user = removed(work, "url-user", user);
  return `${user}@${host(work, text.slice(at + 1))}`;
}

/** A host with its port; labels that look like keys go (§6.3). @param {Work} work @param {string} text @returns {string} */
export function host(work, text) {
  const { rules } = work;
  if (stays(rules, text)) return text;
  /** @param {string} port */
  const isPort = (port) => port === "" || rules.shape("port").fits(port);
  if (text.startsWith("[")) {
    const end = text.lastIndexOf("]");
    const address = text.slice(0, Math.max(0, end));
    const rest = text.slice(end + 1);
    const fits = rules.shape("host_address").fits(`${address}]`) && (rest === "" || rest.startsWith(":"));
    return fits && isPort(rest.slice(1)) ? text : removed(work, "host", text);
  }
  const colon = text.lastIndexOf(":");
  const port = colon < 0 ? "" : text.slice(colon);
  let name = colon < 0 ? text : text.slice(0, colon);
  if (!isPort(port.slice(1))) return removed(work, "host", text);
  let prefix = "";
  if (name.startsWith(`${REMOVED_HOST}.`)) {
    prefix = `${REMOVED_HOST}.`;
    name = name.slice(prefix.length);
  } else if (name === REMOVED_HOST) return text;
  const labels = name.split(".");
  const wrong = labels.findLastIndex((label) => label !== "" && !rules.shape("host_label").fits(label));
  if (wrong >= 0) {
    work.taken.push("host");
    name = [REMOVED_HOST, ...labels.slice(wrong + 1)].join(".");
    prefix = "";
  }
  return prefix + name + port;
}

/** @param {Work} work @param {string} text */
function path(work, text) {
  let previous = "";
  const segments = [];
  for (const each of text.split("/")) {
    const safe = segment(work, each, previous);
    segments.push(safe);
    if (each) previous = safe === each ? lower(each) : "";
  }
  return segments.join("/");
}

/** One part of a path, after the one before it (§6.4). @param {Work} work @param {string} text @param {string} previous @returns {string} */
function segment(work, text, previous) {
  const { rules } = work;
  if (text === "" || text === "." || text === ".." || isMarker(rules, text)) return text;
  if (longer(text, rules.urls.longest)) return remove(work, previous, text, "path");
  const after = rules.urls.after.get(previous);
  if (after && !rules.urls.verbs.has(lower(text))) return removed(work, detected(rules, text) || after, text);
  if (rules.urls.segments.some((matches) => matches(text))) return text;
  return remove(work, previous, text, "path");
}

/** A query or form: plain names stay, values only when they are harmless (§6.5). @param {Work} work @param {string} text @param {string} place */
export const pairs = (work, text, place) =>
  text.split("&").map((piece) => pair(work, piece, place)).join("&");

/** @param {Work} work @param {string} piece @param {string} place @returns {string} */
function pair(work, piece, place) {
  const { rules, taken } = work;
  if (stays(rules, piece)) return piece;
  const [name, value] = cut(piece, "=");
  if (value === null) return remove(work, "", piece, place);
  if (!rules.plain(name) && !isMarker(rules, name)) {
    if (!stays(rules, value)) return remove(work, name, value, place);
    taken.push(place);
    return marker(rules, place);
  }
  return `${name}=${pairValue(work, name, value, place)}`;
}

/** The value of a parameter or field. @param {Work} work @param {string} name @param {string} value @param {string} place */
export const pairValue = (work, name, value, place) =>
  stays(work.rules, value) || work.rules.harmless(name, value) ? value : remove(work, name, value, place);
