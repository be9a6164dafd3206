// The server's half of the protocol, in JavaScript: for the vectors and for the toy house.

import { b64u, sha256, utf8 } from "../app/protocol/encoding.js";
import { Malformed, Refused } from "../app/protocol/errors.js";
import { kid, knowledgeProof } from "../app/protocol/keys.js";
import {
  APPROVAL, APPROVAL_REQUEST, APPROVAL_REQUEST_SHAPE, DATES, ENROL_REQUEST, ENROL_REQUEST_SHAPE, ENROL_RESPONSE, LEEWAY, PROOF, has, isId, isJwk, openSecrets, parseMessage,
  verifySignature,
} from "../app/protocol/messages.js";
import { respond } from "../app/protocol/ocra.js";

/** @typedef {import("../app/protocol/encoding.js").Bytes} Bytes */
/** @typedef {import("../app/protocol/keys.js").PublicJwk} PublicJwk */
/** @typedef {import("../app/protocol/messages.js").Check} Check */

/** @param {RegExp} form @returns {Check} */
const like = (form) => (value) => typeof value === "string" && form.test(value);
/** @param {Check} check @returns {Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @type {Check} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const BYTES32 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/u;
const POINT = /^B[A-Za-z0-9_-]{85}[AEIMQUYcgkosw048]$/u;
const PRINTED = (/** @type {number} */ most) => new RegExp(`^[^\\x00-\\x1f\\x7f-\\x9f]{1,${most}}$`, "u");
const PUSH = has({ endpoint: like(/^https?:\/\/[!-~]+$/u), p256dh: like(POINT), auth: isId });

/** The payload of every message, by its type. */
export const SHAPES = /** @type {Record<string, Check>} */ ({
  [ENROL_REQUEST]: ENROL_REQUEST_SHAPE,
  [APPROVAL_REQUEST]: APPROVAL_REQUEST_SHAPE,
  [ENROL_RESPONSE]: has({
    ...DATES,
    request: like(/./u),
    jwk: isJwk,
    device: isId,
    label: like(PRINTED(40)),
    platform: like(PRINTED(80)),
    secrets: like(/./u),
    proof: like(BYTES32),
    push: orNull(PUSH),
    webauthn: orNull(isObject),
  }),
  [PROOF]: has({ ...DATES, method: like(/^[A-Z]{1,10}$/u), path: like(/^\/[!-~]*$/u), body: like(BYTES32) }),
  [APPROVAL]: has({
    ...DATES,
    request: isId,
    hash: like(BYTES32),
    act: like(/^(approve|deny|report)$/u),
    number: like(/^([0-9]{6})?$/u),
    proof: (value) => value === "" || like(BYTES32)(value),
    assertion: orNull(isObject),
    push: like(/^(ok|denied|unavailable)$/u),
  }),
});

/** @param {string} text @param {string} typ */
function parsePhone(text, typ) {
  const parsed = parseMessage(text, typ, SHAPES[typ]);
  return { parsed, claims: /** @type {any} */ (parsed.payload) };
}

/** @param {{iat: number, exp: number}} claims @param {number} now @param {number} life */
function checkTimes({ iat, exp }, now, life) {
  if (exp <= iat || exp - iat > life) throw new Malformed("message_malformed");
  if (iat > now + LEEWAY || exp < now - LEEWAY) throw new Refused("clock_wrong");
}

/** @param {string} text @param {{signKey: PublicJwk, encryptKey: CryptoKey, encryptKid: string, issuer: string, now: number}} by */
export async function openEnrolResponse(text, { signKey, encryptKey, encryptKid, issuer, now }) {
  const { parsed, claims } = parsePhone(text, ENROL_RESPONSE);
  const id = await kid(claims.jwk);
  if (parsed.header.kid !== id || claims.iss !== id) throw new Malformed("message_malformed");
  await verifySignature(parsed, claims.jwk);
  const request = parseMessage(claims.request, ENROL_REQUEST, ENROL_REQUEST_SHAPE);
  await verifySignature(request, signKey);
  const payload = /** @type {any} */ (request.payload);
  if (payload.exp <= now) throw new Refused("ticket_expired");
  if (claims.aud !== issuer || payload.iss !== issuer) throw new Malformed("message_malformed");
  checkTimes(claims, now, 600);
  const secrets = await openSecrets(encryptKey, encryptKid, claims.secrets);
  const knowledge = bytesOf(secrets.knowledge);
  if (claims.proof !== (await knowledgeProof(knowledge, "enrol", claims.request))) throw new Malformed("message_malformed");
  return { id, claims, request: payload, secrets };
}

/** @param {string} text */
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64url"));

/** @param {string} text @param {{jwk: PublicJwk, issuer: string, now: number, method: string, path: string, body: Bytes}} call */
export async function checkProof(text, { jwk, issuer, now, method, path, body }) {
  const { parsed, claims } = parsePhone(text, PROOF);
  await verifySignature(parsed, jwk);
  if (claims.iss !== parsed.header.kid || claims.aud !== issuer) throw new Malformed("message_malformed");
  checkTimes(claims, now, 60);
  const same = claims.method === method && claims.path === path && claims.body === b64u(await sha256(body));
  if (!same) throw new Refused("signature_wrong");
}

/** @param {string} text @param {{jwk: PublicJwk, request: string, issuer: string, now: number, knowledge: Bytes}} by */
export async function readApproval(text, { jwk, request, issuer, now, knowledge }) {
  const { parsed, claims } = parsePhone(text, APPROVAL);
  const proofs = Number(claims.proof !== "") + Number(claims.assertion !== null);
  const approve = claims.act === "approve";
  if (proofs !== Number(approve) || (claims.number && !approve)) throw new Malformed("message_malformed");
  await verifySignature(parsed, jwk);
  if (claims.iss !== parsed.header.kid || claims.aud !== issuer) throw new Malformed("message_malformed");
  if (claims.hash !== b64u(await sha256(utf8(request)))) throw new Refused("request_changed");
  checkTimes(claims, now, 30);
  if (claims.proof && claims.proof !== (await knowledgeProof(knowledge, "approve", request))) throw new Refused("proof_wrong");
  return claims;
}

/** @param {Bytes} key @param {string} challenge @param {string} given @param {number} last */
export async function findCounter(key, challenge, given, last) {
  for (let counter = last + 1; counter <= last + 500; counter++) {
    if ((await respond(key, counter, challenge)) === given) return { counter, near: counter <= last + 5 };
  }
  return null;
}
