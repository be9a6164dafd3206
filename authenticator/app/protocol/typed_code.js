// The typed form of an activation ticket (spec §5): 12 characters, shown 4-4-4.

import { withoutSeparators } from "./encoding.js";
import { Malformed } from "./errors.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 12;
const LOOK_ALIKES = /** @type {Record<string, string>} */ ({ O: "0", I: "1", L: "1" });

/**
 * What a person typed, with look-alikes read as what they mean.
 *
 * @param {string} text
 * @returns {string} upper case, without separators; perhaps not complete yet
 * @throws {Malformed} `code_characters`
 */
export function foldCode(text) {
  const folded = withoutSeparators(text.normalize("NFKC").toUpperCase());
  const code = [...folded].map((letter) => LOOK_ALIKES[letter] ?? letter).join("");
  if ([...code].some((letter) => !ALPHABET.includes(letter))) throw new Malformed("code_characters");
  return code;
}

/** @param {string} text @returns {string} the 12 characters @throws {Malformed} `code_characters`, `code_length` */
export function parseCode(text) {
  const code = foldCode(text);
  if (code.length !== LENGTH) throw new Malformed("code_length");
  return code;
}

/** @param {string} code */
export const renderCode = (code) => (code.match(/.{1,4}/gu) ?? []).join("-");
