// Bytes and text (spec §2). Decoders are strict: what has two spellings is refused, so that a
// message can be compared, hashed and signed by its text alone.

import { Malformed } from "./errors.js";

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** @param {string} text @returns {Bytes} */
export const utf8 = (text) => new TextEncoder().encode(text);

/**
 * @param {string} text
 * @returns {Bytes}
 * @throws {Malformed} `message_malformed` beyond ASCII
 */
export function ascii(text) {
  const bytes = utf8(text);
  if (bytes.some((byte) => byte > 0x7f)) throw new Malformed("message_malformed");
  return bytes;
}

/** @param {Bytes} bytes @returns {string} @throws {Malformed} `message_malformed` if not UTF-8 */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("message_malformed");
  }
}

/** base64url without padding. @param {Uint8Array} bytes */
export function b64u(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const group = (a << 16) | (b << 8) | c;
    for (let letter = 0; letter < Math.min(4, bytes.length - at + 1); letter++) {
      text += ALPHABET[(group >> (18 - 6 * letter)) & 63];
    }
  }
  return text;
}

/**
 * @param {string} text
 * @returns {Bytes}
 * @throws {Malformed} `message_malformed` for padding, white space, other alphabets and loose bits
 */
export function unb64u(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = VALUES.get(letter);
    if (value === undefined) throw new Malformed("message_malformed");
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  const loose = held & ((1 << bits) - 1);
  if (text.length % 4 === 1 || loose !== 0) throw new Malformed("message_malformed");
  return bytes;
}

/** @param {Uint8Array[]} parts @returns {Bytes} */
export function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @param {number} length @returns {Bytes} */
export const randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

/** A fresh id: 22 characters. */
export const newId = () => b64u(randomBytes(16));

/** @param {Bytes} bytes @returns {Promise<Bytes>} */
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]|-?[0-9][0-9.eE+-]*/gu;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/u;

/**
 * JSON as RFC 8259 has it, less what two readers might understand differently: a member named
 * twice, and numbers that are not integers (the protocol has no other numbers).
 *
 * @param {string} text
 * @returns {unknown}
 * @throws {Malformed} `json_malformed`
 */
export function parseJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Malformed("json_malformed");
  }
  /** @type {Set<string>[]} one per open bracket; arrays have one too, which stays empty */
  const open = [];
  let name = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const names = open.at(-1);
      if (names?.has(name)) throw new Malformed("json_malformed");
      names?.add(name);
    } else if (token.startsWith('"')) {
      name = JSON.parse(token);
      // An escape can spell half a character, which no UTF-8 can carry on.
      if (/\p{Cs}/u.test(name)) throw new Malformed("json_malformed");
    } else if (!INTEGER.test(token) || !Number.isSafeInteger(Number(token))) {
      throw new Malformed("json_malformed");
    }
  }
  return value;
}

const SEPARATORS = /[\p{White_Space}\u2010-\u2015\u2212-]/gu;

/** Drops what people put between groups: white space and dashes. @param {string} text */
export const withoutSeparators = (text) => text.replace(SEPARATORS, "");

/**
 * A number as a person typed it: no separators, the digits of any script as ASCII. What is no
 * digit stays, so that the caller can refuse it.
 *
 * @param {string} text
 */
export const foldDigits = (text) =>
  withoutSeparators(text.normalize("NFKC")).replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0) ?? 0;
    let zero = point;
    // The decimal digits of a script stand in a row, its zero first.
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((point - zero) % 10);
  });
