// WebAuthn: fingerprint, face or screen lock of this phone. With the PRF extension it also opens
// the root; without it, it only signs approvals, and a PIN stands beside it for offline use.

import { b64u } from "../protocol/encoding.js";
import { Unavailable } from "../protocol/errors.js";
import { prfSalt } from "../protocol/keys.js";
import { within } from "./patience.js";

/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */
/** @typedef {{prf?: {enabled?: boolean, results?: {first?: ArrayBuffer | Uint8Array}}}} PrfOutputs */

const LIMIT_MS = 60_000;

/** Whether this phone has a verifier of its own that browsers may use. */
export async function available() {
  if (!globalThis.PublicKeyCredential || !navigator.credentials) return false;
  try {
    const asked = PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
    return await within(3000, asked, "biometrics_unavailable");
  } catch {
    return false;
  }
}

/**
 * Without an authenticator `create` and `get` never settle, so each is aborted in time.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 */
async function asked(ask) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), LIMIT_MS);
  try {
    return await ask(stop.signal);
  } catch (problem) {
    if (stop.signal.aborted) throw new Unavailable("biometrics_timeout");
    const refused = problem instanceof DOMException && problem.name === "NotAllowedError";
    throw new Unavailable(refused ? "biometrics_refused" : "biometrics_unavailable");
  } finally {
    clearTimeout(timer);
  }
}

/** @param {ArrayBuffer} buffer */
const text = (buffer) => b64u(new Uint8Array(buffer));

/** @param {PublicKeyCredential} credential @returns {Bytes | null} */
function prfOf(credential) {
  const first = /** @type {PrfOutputs} */ (credential.getClientExtensionResults()).prf?.results?.first;
  return first ? new Uint8Array(/** @type {ArrayBuffer} */ (first)) : null;
}

/** The extension's answer holds a secret: it is left out of what is sent. @param {PublicKeyCredential} credential @param {object} response */
const json = ({ id, rawId, type, authenticatorAttachment }, response) => ({
  id,
  rawId: text(rawId),
  type,
  ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
  clientExtensionResults: {},
  response,
});

/**
 * @param {{challenge: Bytes, user: Bytes, name: string, organisation: string, attested: boolean}} what
 *   attested: the phone's maker is to vouch that the key lives in its hardware
 * @returns {Promise<{id: Bytes, registration: object, prf: Bytes | null}>}
 * @throws {Unavailable} `biometrics_refused`, `biometrics_timeout`, `biometrics_unavailable`
 */
export async function register({ challenge, user, name, organisation, attested }) {
  const salt = await prfSalt();
  /** @type {PublicKeyCredentialCreationOptions} */
  const publicKey = {
    challenge,
    rp: { name: organisation },
    user: { id: user, name, displayName: name },
    pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { authenticatorAttachment: "platform", residentKey: "preferred", userVerification: "required" },
    attestation: attested ? "direct" : "none",
    extensions: { prf: { eval: { first: salt } } },
  };
  const created = await asked((signal) => navigator.credentials.create({ publicKey, signal }));
  const credential = /** @type {PublicKeyCredential | null} */ (created);
  if (!credential) throw new Unavailable("biometrics_unavailable");
  const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response);
  const id = new Uint8Array(credential.rawId);
  const enabled = /** @type {PrfOutputs} */ (credential.getClientExtensionResults()).prf?.enabled;
  // Some phones answer the extension only on use, not on creation.
  const prf = prfOf(credential) ?? (enabled ? (await assert({ credential: id, challenge })).prf : null);
  const registration = json(credential, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? ["internal"],
  });
  return { id, registration, prf };
}

/**
 * @param {{credential: Bytes, challenge: Bytes}} what
 * @returns {Promise<{assertion: object, prf: Bytes | null}>}
 * @throws {Unavailable} `biometrics_refused`, `biometrics_timeout`, `biometrics_unavailable`
 */
export async function assert({ credential, challenge }) {
  const salt = await prfSalt();
  /** @type {PublicKeyCredentialRequestOptions} */
  const publicKey = {
    challenge,
    allowCredentials: [{ type: "public-key", id: credential, transports: ["internal"] }],
    userVerification: "required",
    extensions: { prf: { eval: { first: salt } } },
  };
  const got = await asked((signal) => navigator.credentials.get({ publicKey, signal }));
  const answer = /** @type {PublicKeyCredential | null} */ (got);
  if (!answer) throw new Unavailable("biometrics_unavailable");
  const response = /** @type {AuthenticatorAssertionResponse} */ (answer.response);
  const assertion = json(answer, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : null,
  });
  return { assertion, prf: prfOf(answer) };
}
