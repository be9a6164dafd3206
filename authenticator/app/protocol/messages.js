// Messages (spec §2, §6 to §8): compact JWS under ES256, and the envelope of the secrets.

import {
  ascii, b64u, fromUtf8, joined, newId, parseJson, randomBytes, sha256, unb64u, utf8,
} from "./encoding.js";
import { Malformed, Refused } from "./errors.js";
import { kid, parsePublicJwk, verifyingKey } from "./keys.js";
import { SUITE } from "./ocra.js";

/** @typedef {import("./encoding.js").Bytes} Bytes */
/** @typedef {import("./keys.js").PublicJwk} PublicJwk */
/** @typedef {import("./keys.js").PinPolicy} PinPolicy */

/** @typedef {{iss: string, aud: string, iat: number, exp: number, jti: string}} Dates */
/**
 * @typedef {object} EnrolRequestMembers
 * @property {string} ticket
 * @property {string} account masked
 * @property {string} organisation
 * @property {string} application
 * @property {{sign: PublicJwk, encrypt: PublicJwk}} keys
 * @property {PinPolicy & {suite: string, argon2id: {m: number, t: number}, pbkdf2: {rounds: number}}} policy
 * @property {string} vapid
 */
/** @typedef {Dates & EnrolRequestMembers} EnrolRequest */
/**
 * @typedef {object} Shown what a person decides by
 * @property {string} organisation
 * @property {string} application
 * @property {string} account
 * @property {string} browser
 * @property {string} place
 * @property {string} address
 * @property {boolean} known
 * @property {number} others how many more attempts wait for this account
 * @property {string} detail what a request of another kind than "sign-in" is for
 * @property {boolean} far at the claim, browser and phone were seen in different countries
 */
/** @typedef {Dates & {kind: string, number: boolean, show: Shown}} ApprovalRequest */
/** @typedef {{header: {alg: string, typ: string, kid: string}, payload: Record<string, unknown>, signature: Bytes, signed: Bytes}} Parsed */
/** @typedef {{endpoint: string, p256dh: string, auth: string}} Subscription */

export const MAX_BYTES = 8192;
/** Seconds of difference between two clocks that are let pass. */
export const LEEWAY = 60;
const ECDSA = { name: "ECDSA", hash: "SHA-256" };

export const ENROL_REQUEST = "vestibule-enrol-request+jwt";
export const ENROL_RESPONSE = "vestibule-enrol-response+jwt";
export const PROOF = "vestibule-proof+jwt";
export const APPROVAL_REQUEST = "vestibule-approval-request+jwt";
export const APPROVAL = "vestibule-approval+jwt";

// --- shapes ---------------------------------------------------------------------------------
// Exported because the tests' own server holds messages of phones to the same standard.

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
export const isText = (value) => typeof value === "string";
/** @type {Check} */
export const isWhole = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @type {Check} */
export const isFlag = (value) => typeof value === "boolean";
/** @type {Check} */
export const isId = (value) => typeof value === "string" && /^[A-Za-z0-9_-]{21}[AQgw]$/u.test(value);
/** @type {Check} */
export const isJwk = (value) => Boolean(parsePublicJwk(value));
/** @param {Record<string, Check>} shape @returns {Check} exactly these members */
export const has = (shape) => (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const members = /** @type {Record<string, unknown>} */ (value);
  const names = Object.keys(members);
  return names.length === Object.keys(shape).length && names.every((name) => Object.hasOwn(shape, name) && shape[name](members[name]));
};

const HEADER = has({ alg: (value) => value === "ES256", typ: isText, kid: isId });
export const DATES = { iss: isText, aud: isText, iat: isWhole, exp: isWhole, jti: isId };
export const ENROL_REQUEST_SHAPE = has({
  ...DATES,
  ticket: isId,
  account: isText,
  organisation: isText,
  application: isText,
  keys: has({ sign: isJwk, encrypt: isJwk }),
  policy: has({
    pin_min: isWhole,
    pin_max: isWhole,
    suite: (value) => value === SUITE,
    argon2id: has({ m: isWhole, t: isWhole }),
    pbkdf2: has({ rounds: isWhole }),
  }),
  vapid: isText,
});
export const APPROVAL_REQUEST_SHAPE = has({
  ...DATES,
  kind: isText,
  number: isFlag,
  show: has({
    organisation: isText,
    application: isText,
    account: isText,
    browser: isText,
    place: isText,
    address: isText,
    known: isFlag,
    others: isWhole,
    detail: isText,
    far: isFlag,
  }),
});

// --- compact JWS ----------------------------------------------------------------------------

/**
 * @param {string} text
 * @param {string} typ the only name that is let in
 * @param {Check} shape of its payload
 * @returns {Parsed} not verified yet
 * @throws {Malformed} `message_malformed`
 */
export function parseMessage(text, typ, shape) {
  const parts = text.split(".");
  if (text.length > MAX_BYTES || parts.length !== 3) throw new Malformed("message_malformed");
  const [header, payload, signature] = parts.map(unb64u);
  const head = readJson(header);
  if (!HEADER(head) || signature.length !== 64) throw new Malformed("message_malformed");
  const parsed = {
    header: /** @type {Parsed["header"]} */ (head),
    payload: /** @type {Record<string, unknown>} */ (readJson(payload)),
    signature,
    signed: ascii(`${parts[0]}.${parts[1]}`),
  };
  if (parsed.header.typ !== typ || !shape(parsed.payload)) throw new Malformed("message_malformed");
  return parsed;
}

/** @param {Bytes} bytes */
function readJson(bytes) {
  try {
    return parseJson(fromUtf8(bytes));
  } catch {
    throw new Malformed("message_malformed");
  }
}

/** @param {Parsed} parsed @param {PublicJwk} jwk @throws {Refused} `signature_wrong` */
export async function verifySignature(parsed, jwk) {
  const key = await verifyingKey(jwk);
  const holds = parsed.header.kid === (await kid(jwk)) && (await crypto.subtle.verify(ECDSA, key, parsed.signature, parsed.signed));
  if (!holds) throw new Refused("signature_wrong");
}

/**
 * @param {string} typ
 * @param {string} keyId
 * @param {CryptoKey} key
 * @param {object} payload
 */
export async function signMessage(typ, keyId, key, payload) {
  const header = { alg: "ES256", typ, kid: keyId };
  const signed = [header, payload].map((part) => b64u(utf8(JSON.stringify(part)))).join(".");
  const signature = new Uint8Array(await crypto.subtle.sign(ECDSA, key, ascii(signed)));
  return `${signed}.${b64u(signature)}`;
}

/** @param {number} now seconds, server time @param {number} life seconds @param {string} iss @param {string} aud */
const dates = (now, life, iss, aud) => ({ iss, aud, iat: now, exp: now + life, jti: newId() });

// --- what the server says -------------------------------------------------------------------

/**
 * @param {string} text
 * @param {{now: number, server?: string}} expected `now` in seconds of server time; `server` is
 *   the key id that the activation link pins, if it came by link
 * @returns {Promise<EnrolRequest>}
 * @throws {Malformed} `message_malformed`
 * @throws {Refused} `server_foreign`, `signature_wrong`, `clock_wrong`, `ticket_expired`
 */
export async function readEnrolRequest(text, { now, server }) {
  const parsed = parseMessage(text, ENROL_REQUEST, ENROL_REQUEST_SHAPE);
  const request = /** @type {EnrolRequest} */ (/** @type {unknown} */ (parsed.payload));
  // The pin first: under a foreign key a signature says nothing.
  if (server !== undefined && (await kid(request.keys.sign)) !== server) throw new Refused("server_foreign");
  await verifySignature(parsed, request.keys.sign);
  if (request.aud !== "phone") throw new Malformed("message_malformed");
  if (request.iat > now + LEEWAY) throw new Refused("clock_wrong");
  if (request.exp <= now) throw new Refused("ticket_expired");
  return request;
}

/**
 * @param {string} text
 * @param {{now: number, issuer: string, enrollment: string, serverKey: PublicJwk}} expected
 *   `serverKey` is the pinned one; `now` in seconds of server time
 * @returns {Promise<ApprovalRequest>}
 * @throws {Malformed} `message_malformed`
 * @throws {Refused} `signature_wrong`, `clock_wrong`, `request_expired`
 */
export async function readApprovalRequest(text, { now, issuer, enrollment, serverKey }) {
  const parsed = parseMessage(text, APPROVAL_REQUEST, APPROVAL_REQUEST_SHAPE);
  await verifySignature(parsed, serverKey);
  const request = /** @type {ApprovalRequest} */ (/** @type {unknown} */ (parsed.payload));
  // Signed, but for somebody else: as worthless as unsigned.
  if (request.iss !== issuer || request.aud !== enrollment) throw new Refused("signature_wrong");
  if (request.iat > now + LEEWAY) throw new Refused("clock_wrong");
  if (request.exp <= now) throw new Refused("request_expired");
  return request;
}

// --- what the phone says --------------------------------------------------------------------

/**
 * @typedef {object} EnrolResponseMembers
 * @property {string} request the enrol-request, whole
 * @property {PublicJwk} jwk
 * @property {string} device
 * @property {string} label
 * @property {string} platform
 * @property {string} secrets
 * @property {string} proof
 * @property {Subscription | null} push
 * @property {object | null} webauthn
 */

/**
 * @param {{id: string, dk: CryptoKey, issuer: string, now: number}} by the new enrollment
 * @param {EnrolResponseMembers} members
 */
export const enrolResponse = ({ id, dk, issuer, now }, members) =>
  signMessage(ENROL_RESPONSE, id, dk, { ...dates(now, 600, id, issuer), ...members });

/**
 * The proof of any other device call.
 *
 * @param {{id: string, dk: CryptoKey, issuer: string, now: number}} by
 * @param {{method: string, path: string, body: string}} call `path` with its query
 */
export async function callProof({ id, dk, issuer, now }, { method, path, body }) {
  const payload = { ...dates(now, 60, id, issuer), method, path, body: b64u(await sha256(utf8(body))) };
  return signMessage(PROOF, id, dk, payload);
}

/**
 * @typedef {object} ApprovalMembers
 * @property {"approve" | "deny" | "report"} act
 * @property {string} number six digits, or ""
 * @property {string} proof
 * @property {object | null} assertion
 * @property {"ok" | "denied" | "unavailable"} push
 */

/**
 * @param {{id: string, dk: CryptoKey, issuer: string, now: number}} by
 * @param {{text: string, id: string}} request the approval-request as received, and its jti
 * @param {ApprovalMembers} members
 */
export async function approval({ id, dk, issuer, now }, request, members) {
  const hash = b64u(await requestHash(request.text));
  return signMessage(APPROVAL, id, dk, { ...dates(now, 30, id, issuer), request: request.id, hash, ...members });
}

/** What an approval signs, and the WebAuthn challenge of either request. @param {string} text */
export const requestHash = (text) => sha256(ascii(text));

// --- the envelope of the secrets ------------------------------------------------------------

const ECDH = { name: "ECDH", namedCurve: "P-256" };

/**
 * A compact JWE: ECDH-ES with a fresh key, A256GCM.
 *
 * @param {PublicJwk} recipient the server's encryption key
 * @param {object} secrets
 */
export async function sealSecrets(recipient, secrets) {
  const pair = await crypto.subtle.generateKey(ECDH, false, ["deriveBits"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const header = { alg: "ECDH-ES", enc: "A256GCM", epk: { kty: "EC", crv: "P-256", x, y }, kid: await kid(recipient) };
  const key = await contentKey(pair.privateKey, recipient, "encrypt");
  const iv = randomBytes(12);
  const protectedHeader = b64u(utf8(JSON.stringify(header)));
  const method = { name: "AES-GCM", iv, additionalData: ascii(protectedHeader) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(method, key, utf8(JSON.stringify(secrets))));
  return [protectedHeader, "", b64u(iv), b64u(sealed.subarray(0, -16)), b64u(sealed.subarray(-16))].join(".");
}

/**
 * The other direction, for tests and a server in JavaScript.
 *
 * @param {CryptoKey} key private, ECDH
 * @param {string} keyId of its public half
 * @param {string} text
 * @throws {Malformed} `message_malformed`
 */
export async function openSecrets(key, keyId, text) {
  const parts = text.split(".");
  if (parts.length !== 5 || parts[1] !== "") throw new Malformed("message_malformed");
  const header = /** @type {{epk: PublicJwk}} */ (readJson(unb64u(parts[0])));
  const same = (/** @type {string} */ wanted) => (/** @type {unknown} */ value) => value === wanted;
  const shape = has({ alg: same("ECDH-ES"), enc: same("A256GCM"), epk: isJwk, kid: same(keyId) });
  const iv = unb64u(parts[2]);
  if (!shape(header) || iv.length !== 12 || unb64u(parts[4]).length !== 16) throw new Malformed("message_malformed");
  const content = await contentKey(key, header.epk, "decrypt");
  const method = { name: "AES-GCM", iv, additionalData: ascii(parts[0]) };
  try {
    const sealed = joined(unb64u(parts[3]), unb64u(parts[4]));
    const plain = readJson(new Uint8Array(await crypto.subtle.decrypt(method, content, sealed)));
    const isKey = (/** @type {unknown} */ value) => typeof value === "string" && unb64u(value).length === 32;
    if (!has({ response: isKey, knowledge: isKey })(plain)) throw new Malformed("message_malformed");
    return /** @type {{response: string, knowledge: string}} */ (plain);
  } catch {
    throw new Malformed("message_malformed");
  }
}

/**
 * RFC 7518 §4.6.2, one round, with empty party info.
 *
 * @param {CryptoKey} own
 * @param {PublicJwk} other
 * @param {"encrypt" | "decrypt"} use
 */
async function contentKey(own, other, use) {
  let peer;
  try {
    peer = await crypto.subtle.importKey("jwk", other, ECDH, false, []);
  } catch {
    throw new Malformed("message_malformed");
  }
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, own, 256));
  const number = (/** @type {number} */ value) => Uint8Array.of(0, 0, value >> 8, value & 255);
  const algorithm = utf8("A256GCM");
  const info = joined(number(algorithm.length), algorithm, number(0), number(0), number(256));
  const key = await sha256(joined(number(1), shared, info));
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);
}
