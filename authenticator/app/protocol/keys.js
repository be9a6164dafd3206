// Keys of the phone (spec §3) and the PIN rules (§4).
//
// Nothing here can tell a right PIN from a wrong one: opening Cpin with any PIN gives 32 bytes
// that look like a root. Keep it so. A check value of any kind would let a thief of the
// phone's storage try all PINs.

import { b64u, joined, randomBytes, sha256, unb64u, utf8 } from "./encoding.js";
import { Malformed, Refused } from "./errors.js";

/** @typedef {import("./encoding.js").Bytes} Bytes */
/** @typedef {{kty: "EC", crv: "P-256", x: string, y: string}} PublicJwk */
/** @typedef {{name: "argon2id", m: number, t: number}} Argon2id */
/** @typedef {{name: "pbkdf2-sha256", rounds: number}} Pbkdf2 */
/** @typedef {Argon2id | Pbkdf2} Stretch */
/** @typedef {{pin_min: number, pin_max: number}} PinPolicy */

const NO_SALT = new Uint8Array(32);
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };

/** RFC 7638. @param {PublicJwk} jwk */
export const thumbprint = (jwk) =>
  sha256(utf8(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`));

/** The key id: 22 characters. @param {PublicJwk} jwk */
export const kid = async (jwk) => b64u((await thumbprint(jwk)).subarray(0, 16));

/**
 * @param {unknown} value
 * @returns {PublicJwk} a bare public P-256 key; that the point is on the curve shows at its import
 * @throws {Malformed} `message_malformed`
 */
export function parsePublicJwk(value) {
  const jwk = /** @type {Record<string, unknown>} */ (value ?? {});
  const coordinate = (/** @type {unknown} */ text) => typeof text === "string" && unb64u(text).length === 32;
  const exact = typeof value === "object" && Object.keys(jwk).sort().join() === "crv,kty,x,y";
  if (!exact || jwk.kty !== "EC" || jwk.crv !== "P-256" || !coordinate(jwk.x) || !coordinate(jwk.y)) {
    throw new Malformed("message_malformed");
  }
  return /** @type {PublicJwk} */ (value);
}

/** @param {PublicJwk} jwk */
export async function verifyingKey(jwk) {
  try {
    return await crypto.subtle.importKey("jwk", jwk, ECDSA, false, ["verify"]);
  } catch {
    throw new Malformed("message_malformed");
  }
}

/** dk and its public half. The private half never leaves WebCrypto. */
export async function makeDeviceKey() {
  const pair = await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk = /** @type {PublicJwk} */ ({ kty: "EC", crv: "P-256", x, y });
  return { dk: pair.privateKey, jwk, id: await kid(jwk) };
}

/** Bytes as a key for HKDF that nobody can read again. @param {Bytes} bytes */
export const hkdfKey = (bytes) =>
  crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);

/**
 * @param {CryptoKey} key
 * @param {Bytes} salt
 * @param {string} info
 */
export const hkdf = async (key, salt, info) =>
  new Uint8Array(
    await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info: utf8(info) }, key, 256),
  );

/** S by PBKDF2, where WebAssembly does not run. @param {string} pin @param {Bytes} salt @param {number} rounds */
export async function stretchPbkdf2(pin, salt, rounds) {
  const key = await crypto.subtle.importKey("raw", pinBytes(pin), "PBKDF2", false, ["deriveBits"]);
  const method = { name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds };
  return new Uint8Array(await crypto.subtle.deriveBits(method, key, 256));
}

/** @param {string} pin */
export const pinBytes = (pin) => utf8(pin.normalize("NFC"));

/**
 * Cpin from a root, or a root from Cpin: the counter mode is its own inverse.
 *
 * @param {CryptoKey} kd
 * @param {Bytes} stretched S
 * @param {Bytes} iv the initial counter block, 16 bytes
 * @param {Bytes} data 32 bytes
 */
export async function turnWithPin(kd, stretched, iv, data) {
  const kek = await hkdf(kd, stretched, "vestibule/1/pin-kek");
  const key = await crypto.subtle.importKey("raw", kek, "AES-CTR", false, ["encrypt"]);
  kek.fill(0);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CTR", counter: iv, length: 128 }, key, data));
}

/** The salt that the WebAuthn PRF extension is asked with. */
export const prfSalt = () => sha256(utf8("vestibule/1/prf"));

/** @param {Bytes} prf what the authenticator answered */
async function biometricKey(prf) {
  const kek = await hkdf(await hkdfKey(prf), NO_SALT, "vestibule/1/bio-kek");
  return crypto.subtle.importKey("raw", kek, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Cbio. @param {Bytes} prf @param {Bytes} root */
export async function wrapWithBiometrics(prf, root) {
  const iv = randomBytes(12);
  const key = await biometricKey(prf);
  return { iv, data: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, root)) };
}

/** @param {Bytes} prf @param {{iv: Bytes, data: Bytes}} cbio */
export async function openWithBiometrics(prf, { iv, data }) {
  const key = await biometricKey(prf);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, data));
}

/**
 * K_response or K_knowledge of one enrollment.
 *
 * @param {CryptoKey} root R as an HKDF key
 * @param {"response" | "knowledge"} purpose
 * @param {string} enrollment its id
 */
export const childKey = (root, purpose, enrollment) =>
  hkdf(root, NO_SALT, `vestibule/1/${purpose}/${enrollment}`);

/** @param {Bytes} key @param {Bytes} message */
export async function hmac(key, message) {
  const mac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", mac, message));
}

/**
 * The knowledge proof over a message of the server.
 *
 * @param {Bytes} knowledge K_knowledge
 * @param {"enrol" | "approve"} act
 * @param {string} message the compact JWS that is answered
 */
export async function knowledgeProof(knowledge, act, message) {
  const label = utf8(`vestibule/1/${act}`);
  return b64u(await hmac(knowledge, joined(label, new Uint8Array(1), await sha256(utf8(message)))));
}

/**
 * The knowledge check: whether the PIN was right, before something is built on it. It approves
 * nothing, and only the server can tell.
 *
 * @param {Bytes} knowledge K_knowledge
 * @param {string} nonce base64url of 16 random bytes
 */
export const nonceProof = async (knowledge, nonce) =>
  b64u(await hmac(knowledge, joined(utf8("vestibule/1/check"), new Uint8Array(1), unb64u(nonce))));

/** Every reason a PIN may be refused for, in the order in which they are checked. */
export const PIN_REASONS = [
  "pin_characters",
  "pin_short",
  "pin_long",
  "pin_repeated",
  "pin_sequence",
  "pin_year",
  "pin_pattern",
  "pin_name",
];

/** @param {string} text */
const fold = (text) => text.normalize("NFKC").toLowerCase();

/**
 * @param {string} pin
 * @param {PinPolicy} policy
 * @param {string[]} [names] account names that the PIN may be no part of
 * @returns {string | null} the first reason against it
 */
export function pinRefusal(pin, policy, names = []) {
  const text = pin.normalize("NFC");
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const steps = new Set(points.slice(1).map((point, at) => point - points[at]));
  const [step] = steps;
  const folded = fold(text);
  if (/[\p{Cc}\p{Cs}\p{Z}]/u.test(text)) return "pin_characters";
  if (points.length < policy.pin_min) return "pin_short";
  if (points.length > Math.min(policy.pin_max, 12)) return "pin_long";
  if (steps.size === 1 && step === 0) return "pin_repeated";
  if (steps.size === 1 && Math.abs(step) === 1) return "pin_sequence";
  if (/^(?:19[0-9]{2}|20[0-2][0-9])$/u.test(text)) return "pin_year";
  if (/^(.{2,3})\1+$/su.test(text)) return "pin_pattern";
  if (names.some((name) => fold(name).includes(folded))) return "pin_name";
  return null;
}

/** @param {string} pin @param {PinPolicy} policy @param {string[]} [names] @throws {Refused} the reason */
export function checkPin(pin, policy, names) {
  const reason = pinRefusal(pin, policy, names);
  if (reason) throw new Refused(reason);
}
