// Headers and cookies made safe (section 7 of spec/captures.md).

import { isMarker, marker } from "./markers.js";
import { lower } from "./table.js";
import { cut, host, url } from "./urls.js";
import { remove, safeName, stays } from "./values.js";

/** @typedef {import("./values.js").Work} Work */

/** Name and value of a header (§7.1). @param {Work} work @param {string} name @param {string} value @returns {[string, string]} */
export const header = (work, name, value) => [safeName(work, name, "header"), headerValue(work, name, value)];

/** The value of a header: by the rule that names the header, or taken out. @param {Work} work @param {string} name @param {string} value */
export function headerValue(work, name, value) {
  const { rules } = work;
  if (stays(rules, value)) return value;
  const keep = rules.headers.get(lower(name)) ?? "";
  const special = SPECIALS[keep];
  if (special) return special(work, value, name);
  if (keep && rules.shape(keep).fits(value)) return value;
  return remove(work, name, value, "header", true);
}

/** @param {string} text without spaces around it */
const stripped = (text) => text.replace(/^ +/, "").replace(/ +$/, "");

/** The media type without its parameters, in lower case. @param {string} text */
export const typeOf = (text) => lower(stripped(cut(text, ";")[0]));

/**
 * A media type with the parameters that are harmless; null when it is none (§7.2).
 * @param {Work} work @param {string} text @param {string} place
 */
export function media({ rules, taken }, text, place) {
  const kind = stripped(cut(text, ";")[0]);
  if (!rules.shape("media").fits(lower(kind)) && !rules.media.special.has(lower(kind))) return null;
  const parameters = pieces(cut(text, ";")[1] ?? "");
  const kept = parameters.filter((piece) => {
    const [name, value] = cut(piece, "=");
    return lower(name) === "charset" && rules.media.charsets.has(lower((value ?? "").replaceAll('"', "")));
  });
  if (kept.length === parameters.length) return text;
  for (let dropped = kept.length; dropped < parameters.length; dropped++) taken.push(place);
  return [kind, ...kept].join("; ");
}

/** The scheme stays, what it carries goes (§7.3). @param {Work} work @param {string} value */
function credentials(work, value) {
  const [scheme, rest] = cut(value, " ");
  if (!work.rules.credentials.has(lower(scheme))) return remove(work, "", value, "authorization", true);
  if (rest === null) return value;
  return `${scheme} ${isMarker(work.rules, rest) ? rest : remove(work, "", rest, "authorization", true)}`;
}

/** A content security policy without nonces, hashes, paths and reporting (§7.4). @param {Work} work @param {string} value */
function policy({ rules, taken }, value) {
  let dropped = 0;
  const directives = [];
  for (const directive of value.split(";")) {
    const words = directive.split(" ").filter(Boolean);
    const [first] = words;
    if (first === undefined) continue;
    const name = lower(first);
    if (!rules.shape("csp_directive").fits(name) || rules.droppedDirectives.has(name)) {
      dropped++;
      continue;
    }
    const kept = words.slice(1).filter((word) => rules.shape("csp_source").fits(word) || hostSource(rules, word));
    dropped += words.length - 1 - kept.length;
    directives.push([first, ...kept].join(" "));
  }
  if (dropped === 0) return value;
  for (let count = 0; count < dropped; count++) taken.push("header");
  return directives.join("; ");
}

/** @param {Work["rules"]} rules @param {string} word */
function hostSource(rules, word) {
  const scheme = [...rules.urls.schemes].find((each) => word.startsWith(`${each}://`));
  let bare = scheme === undefined ? word : word.slice(`${scheme}://`.length);
  bare = bare.replace(/\/$/, "").replace(/:\*$/, "");
  return bare.includes(".") && !isMarker(rules, bare) && host({ rules, taken: [] }, bare) === bare;
}

/** The value of a cookie: never kept. @param {Work} work @param {string} value */
export const cookieValue = (work, value) =>
  stays(work.rules, value) ? value : remove(work, "", value, "cookie", true);

/** @param {Work} work @param {string} piece */
function cookiePair(work, piece) {
  const { rules, taken } = work;
  if (isMarker(rules, piece)) return piece;
  const [name, value] = cut(piece, "=");
  if (value === null || !(rules.plain(name) || isMarker(rules, name))) {
    taken.push("cookie");
    return marker(rules, "cookie");
  }
  return `${name}=${cookieValue(work, value)}`;
}

/** @param {string} text */
const pieces = (text) => text.split(";").map(stripped).filter(Boolean);

/** @param {Work} work @param {string} value */
const cookie = (work, value) => pieces(value).map((piece) => cookiePair(work, piece)).join("; ");

/** Cookies as a server sets them, one a line (§7.5). @param {Work} work @param {string} value */
function setCookie(work, value) {
  const lines = value.split("\n").map((line) => {
    const [first, ...rest] = pieces(line);
    if (first === undefined) return "";
    return [cookiePair(work, first), ...rest.map((piece) => attribute(work, piece)).filter(Boolean)].join("; ");
  });
  return lines.join("\n");
}

/** @param {Work} work @param {string} piece @returns {string} */
function attribute(work, piece) {
  const { rules, taken } = work;
  const [name, value] = cut(piece, "=");
  const known = lower(name);
  const keep = rules.cookieAttributes.get(known);
  if (!rules.cookieAttributes.has(known) || (value !== null) !== Boolean(keep)) {
    taken.push("header");
    return "";
  }
  return keep && value !== null ? `${name}=${attributeValue(work, keep, value)}` : piece;
}

/** @param {Work} work @param {string} keep @param {string} value */
function attributeValue(work, keep, value) {
  const { rules, taken } = work;
  if (stays(rules, value)) return value;
  if (keep === "@url") return url(work, value);
  if (keep === "@host") return host(work, value);
  if (rules.shape(keep).fits(value)) return value;
  taken.push("header");
  return marker(rules, "header");
}

/** @type {Record<string, (work: Work, value: string, name: string) => string>} */
const SPECIALS = {
  "@url": url,
  "@host": host,
  "@media": (work, value, name) => media(work, value, "header") ?? remove(work, name, value, "header", true),
  "@origin": (work, value) => (value === "*" || value === "null" ? value : url(work, value)),
  "@credentials": credentials,
  "@policy": policy,
  "@cookie": cookie,
  "@set_cookie": setCookie,
};
