// Removed texts and the reason that is shown for them (sections 4 and 5 of spec/captures.md).
//
// What is removed was decided before this module is asked: a word that is missing here costs a
// better reason, never a secret.

import { isMarker, jwtMarker, marker } from "./markers.js";
import { longer } from "./table.js";

/**
 * @typedef {import("./table.js").Rules} Rules
 * @typedef {{rules: Rules, taken: string[]}} Work the table, and the reasons of what was taken out so far
 */

/** @param {Rules} rules @param {string} text @param {import("./table.js").Detector[]} detectors @returns {string} */
function foundBy(rules, text, detectors) {
  if (longer(text, rules.limits.value ?? 0)) return "";
  return detectors.find(({ found }) => found(text))?.reason ?? "";
}

/** Why a text under a name is removed (§5.2). @param {Rules} rules @param {string} name @param {string} text @param {string} place */
export const reasonOf = (rules, name, text, place) =>
  foundBy(rules, text, rules.early) || (name && rules.reasonByName(name)) || foundBy(rules, text, rules.late) || place;

/** What the text itself shows to be, or nothing. @param {Rules} rules @param {string} text */
export const detected = (rules, text) => foundBy(rules, text, rules.early) || foundBy(rules, text, rules.late);

/** Bytes of a text in UTF-8; a lone surrogate counts three. @param {string} text */
export function sizeOf(text) {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // A pair of surrogates is four bytes: one more for each half.
    if (code >= 0x80) size += code < 0x800 || isPair(text, i) ? 1 : 2;
  }
  return size;
}

/** @param {string} text @param {number} i @returns {boolean} whether one half of a whole pair stands there */
function isPair(text, i) {
  const unit = text.charCodeAt(i);
  if (unit >= 0xd800 && unit <= 0xdbff) return /** @type {number} */ (text.codePointAt(i)) > 0xffff;
  return unit >= 0xdc00 && unit <= 0xdfff && i > 0 && /** @type {number} */ (text.codePointAt(i - 1)) > 0xffff;
}

/**
 * The marker for a text that goes for this reason, counted.
 * @param {Work} work @param {string} reason @param {string} text @param {boolean} [sized]
 */
export function removed(work, reason, text, sized = false) {
  work.taken.push(reason);
  if (reason === "jwt") return jwtMarker(work.rules, text);
  return marker(work.rules, reason, sized ? sizeOf(text) : undefined);
}

/**
 * The marker for a removed text, counted.
 * @param {Work} work @param {string} name @param {string} text @param {string} place @param {boolean} [sized]
 */
export const remove = (work, name, text, place, sized = false) =>
  removed(work, reasonOf(work.rules, name, text, place), text, sized);

/** Whether nothing is left to remove: the empty text and markers. @param {Rules} rules @param {string} text */
export const stays = (rules, text) => text === "" || isMarker(rules, text);

/** A name as it may stand: itself, or the marker of its place (§5.3). @param {Work} work @param {string} name @param {string} place */
export function safeName({ rules, taken }, name, place) {
  if (rules.plain(name) || isMarker(rules, name)) return name;
  taken.push(place);
  return marker(rules, place);
}
