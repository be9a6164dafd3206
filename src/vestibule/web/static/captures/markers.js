// Markers: what stands where something was taken out (section 4 of spec/captures.md).
//
// A marker is kept when it is met again, so its grammar is the one hole through which a forger
// could carry something. It admits reasons, a number and words of the table, and nothing else.

import { parse } from "./json_texts.js";

/** @typedef {import("./table.js").Rules} Rules */
/** @typedef {import("./json_texts.js").Value} Value */

const OPENING = "~removed.";
const SIZE = /^(?:0|[1-9][0-9]{0,11})$/;
const TIME = /^[0-9]{9,11}$/;
const OTHERS = /^others_[1-9][0-9]{0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const MOST_OTHERS = 999;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The marker of a reason, with the size of what was removed where that may be told.
 * @param {Rules} rules @param {string} reason @param {number} [size]
 */
export const marker = (rules, reason, size) =>
  size === undefined || !rules.sized.has(reason) ? `${OPENING}${reason}~` : `${OPENING}${reason}.${size}~`;

/** Whether a whole text is a marker by the strict grammar. @param {Rules} rules @param {string} text */
export function isMarker(rules, text) {
  if (!text.startsWith(OPENING) || !text.endsWith("~")) return false;
  const [reason = "", ...rest] = text.slice(OPENING.length, -1).split(".");
  if (!rules.reasons.includes(reason)) return false;
  const [size, algorithm = "", claims = ""] = rest;
  if (size === undefined) return true;
  if (!rules.sized.has(reason) || !SIZE.test(size)) return false;
  return rest.length === 1 || (reason === "jwt" && rest.length === 3 && told(rules, algorithm, claims));
}

/** @param {Rules} rules @param {string} algorithm @param {string} claims */
function told(rules, algorithm, claims) {
  if (!rules.jwt.algorithms.has(algorithm) && algorithm !== "other") return false;
  if (claims === "encrypted" || claims === "none") return true;
  const items = claims.split("-");
  if (OTHERS.test(items.at(-1) ?? "")) items.pop();
  return items.length <= (rules.limits.claims ?? 0) && items.every((item) => isItem(rules, item));
}

/** @param {Rules} rules @param {string} item */
function isItem(rules, item) {
  if (rules.jwt.claims.has(item)) return true;
  const end = item.lastIndexOf("_");
  return end >= 0 && rules.jwt.times.has(item.slice(0, end)) && TIME.test(item.slice(end + 1));
}

/** The marker of a JWT: its algorithm and the names of its claims, if it can be read (§4.1). @param {Rules} rules @param {string} token */
export function jwtMarker(rules, token) {
  const parts = token.split(".");
  const header = part(rules, parts[0] ?? "");
  const algorithm = header?.find(([name]) => name === "alg")?.[1];
  const plain = marker(rules, "jwt", token.length);
  if (typeof algorithm !== "string" || (parts.length !== 3 && parts.length !== 5)) return plain;
  const known = rules.jwt.algorithms.has(algorithm) ? algorithm : "other";
  if (parts.length === 5) return `${plain.slice(0, -1)}.${known}.encrypted~`;
  const payload = part(rules, parts[1] ?? "");
  return payload ? `${plain.slice(0, -1)}.${known}.${claimsOf(rules, payload)}~` : plain;
}

/** @param {Rules} rules @param {string} text @returns {[string, Value][] | null} the JSON object in one part of a token */
function part(rules, text) {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return null;
  const letters = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  let decoded;
  try {
    decoded = utf8.decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
  } catch {
    return null;
  }
  const read = parse(decoded, rules.limits.body_depth ?? 0);
  return typeof read === "object" && read?.kind === "object" ? read.members : null;
}

/** @param {Rules} rules @param {[string, Value][]} payload */
function claimsOf(rules, payload) {
  /** @type {string[]} */
  const items = [];
  let others = 0;
  for (const [name, value] of payload) {
    if (!rules.jwt.claims.has(name) || items.length === rules.limits.claims) others++;
    else if (rules.jwt.times.has(name) && typeof value === "object" && value?.kind === "number" && TIME.test(value.raw)) {
      items.push(`${name}_${value.raw}`);
    } else items.push(name);
  }
  if (others) items.push(`others_${Math.min(others, MOST_OTHERS)}`);
  return items.join("-") || "none";
}
