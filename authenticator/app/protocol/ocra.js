// Challenge and response (spec §9): OCRA, RFC 6287.

import { foldDigits, joined, utf8 } from "./encoding.js";
import { Malformed } from "./errors.js";

/** @typedef {import("./encoding.js").Bytes} Bytes */
/** @typedef {{counter?: number, pin?: string, session?: Bytes, time?: number}} OcraInputs */

export const SUITE = "OCRA-1:HOTP-SHA256-8:C-QN06";

const SUITE_FORM =
  /^OCRA-1:HOTP-SHA(1|256|512)-(0|4|5|6|7|8|9|10):(C-)?Q([ANH])(0[4-9]|[1-5][0-9]|6[0-4])(?:-PSHA(1|256|512))?(?:-S([0-9]{3}))?(?:-T[0-9]+[SMH])?$/u;
const HASHES = /** @type {Record<string, string>} */ ({ 1: "SHA-1", 256: "SHA-256", 512: "SHA-512" });

/** @param {string} digits hexadecimal, padded behind with zeroes @param {number} length in bytes */
function hexBytes(digits, length) {
  const padded = digits.padEnd(length * 2, "0");
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(padded.slice(at * 2, at * 2 + 2), 16));
}

/** @param {number} value @returns {Bytes} 8 bytes, big endian */
function longBytes(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** @param {string} format A, N or H @param {string} question */
function questionBytes(format, question) {
  if (format === "N") return hexBytes(BigInt(question).toString(16), 128);
  if (format === "H") return hexBytes(question, 128);
  return joined(utf8(question), new Uint8Array(128 - utf8(question).length));
}

/**
 * One response of any suite of RFC 6287. The app uses `respond`; the other inputs exist so
 * that the RFC's own test vectors can be run.
 *
 * @param {Bytes} key
 * @param {string} suite
 * @param {string} question
 * @param {OcraInputs} [inputs]
 * @returns {Promise<string>} decimal digits
 */
export async function ocra(key, suite, question, inputs = {}) {
  const form = SUITE_FORM.exec(suite);
  if (!form) throw new Malformed("suite_unsupported");
  const [, hash, digits, counter, format, , pinHash, sessionLength] = form;
  const parts = [utf8(suite), new Uint8Array(1)];
  if (counter) parts.push(longBytes(inputs.counter ?? 0));
  parts.push(questionBytes(format, question));
  if (pinHash) {
    parts.push(new Uint8Array(await crypto.subtle.digest(HASHES[pinHash], utf8(inputs.pin ?? ""))));
  }
  if (inputs.session) parts.push(new Uint8Array(Number(sessionLength) - inputs.session.length), inputs.session);
  if (inputs.time !== undefined) parts.push(longBytes(inputs.time));
  const mac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: HASHES[hash] }, false, ["sign"]);
  return truncated(await crypto.subtle.sign("HMAC", mac, joined(...parts)), Number(digits));
}

/** RFC 4226 §5.3. @param {ArrayBuffer} mac @param {number} digits */
function truncated(mac, digits) {
  const view = new DataView(mac);
  if (digits === 0) return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const offset = view.getUint8(view.byteLength - 1) & 0xf;
  const number = view.getUint32(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/**
 * @param {Bytes} key K_response
 * @param {number} counter already stored
 * @param {string} challenge six digits, 100000 or more
 * @returns {Promise<string>} eight digits
 */
export async function respond(key, counter, challenge) {
  return ocra(key, SUITE, parseChallenge(challenge), { counter });
}

/**
 * @param {string} text as typed: white space and dashes are dropped, other scripts' digits folded
 * @returns {string} six digits
 * @throws {Malformed} `challenge_characters`, `challenge_length`, `challenge_range`
 */
export function parseChallenge(text) {
  const challenge = foldDigits(text);
  if (!/^[0-9]*$/u.test(challenge)) throw new Malformed("challenge_characters");
  if (challenge.length !== 6) throw new Malformed("challenge_length");
  // Below 100000 the RFC's encoding of the number is not unique; no portal shows such a one.
  if (challenge.startsWith("0")) throw new Malformed("challenge_range");
  return challenge;
}

/** Eight digits as two groups of four. @param {string} digits */
export const grouped = (digits) => (digits.match(/.{1,4}/gu) ?? []).join(" ");
