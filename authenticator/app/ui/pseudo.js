// The pseudo-languages: English made longer and accented, or read from right to left. What is
// cut off, glued together or not translatable shows itself in them.

/** @typedef {Record<string, string>} Words */

const ACCENTED = /** @type {Record<string, string>} */ ({
  a: "å", b: "ƀ", c: "ç", d: "ð", e: "é", f: "ƒ", g: "ĝ", h: "ĥ", i: "î", j: "ĵ", k: "ķ", l: "ļ", m: "ɱ",
  n: "ñ", o: "ö", p: "þ", q: "ǫ", r: "ŕ", s: "š", t: "ţ", u: "û", v: "ṽ", w: "ŵ", x: "ẋ", y: "ý", z: "ž",
  A: "Å", B: "Ɓ", C: "Ç", D: "Ð", E: "É", F: "Ƒ", G: "Ĝ", H: "Ĥ", I: "Î", J: "Ĵ", K: "Ķ", L: "Ļ", M: "Ṁ",
  N: "Ñ", O: "Ö", P: "Þ", Q: "Ǫ", R: "Ŕ", S: "Š", T: "Ţ", U: "Û", V: "Ṽ", W: "Ŵ", X: "Ẋ", Y: "Ý", Z: "Ž",
});
const PADDING = " one two three four five six seven eight nine ten eleven twelve";
// Embedding marks: the text within is laid out from right to left, whatever its letters are.
const RIGHT_TO_LEFT = "\u202e";
const END = "\u202c";

/** What is between the values: `{name}` stays as it is. @param {string} text @param {(part: string) => string} change */
const outsideValues = (text, change) => text.split(/(\{\w+\})/u).map((part) => (part.startsWith("{") ? part : change(part))).join("");

/** Accented, in brackets, and 40 % longer. @param {string} text */
export function accented(text) {
  const letters = outsideValues(text, (part) => [...part].map((letter) => ACCENTED[letter] ?? letter).join(""));
  return `[${letters}${PADDING.slice(0, Math.ceil(text.length * 0.4))}]`;
}

/** Each word mirrored, as Android's own ar-XB does. @param {string} text */
export const mirrored = (text) => outsideValues(text, (part) => part.replace(/\S+/gu, (word) => `${RIGHT_TO_LEFT}${word}${END}`));

/** @param {Words} english @param {string} tag `en-XA` or `ar-XB` @returns {Words} */
export function pseudo(english, tag) {
  const change = tag === "ar-XB" ? mirrored : accented;
  return Object.fromEntries(Object.entries(english).map(([key, text]) => [key, change(text)]));
}
