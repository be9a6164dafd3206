// The vectors of spec/vectors, the same files that the Python side runs. A file, an operation or
// a case that is not run fails.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { parseLink } from "../app/protocol/activation_link.js";
import { claimOf, parseClaimLink, renderClaimLink } from "../app/protocol/claim_link.js";
import { b64u, foldDigits, fromUtf8, parseJson, unb64u } from "../app/protocol/encoding.js";
import { Malformed, Problem } from "../app/protocol/errors.js";
import * as keys from "../app/protocol/keys.js";
import { openSecrets, parseMessage, readApprovalRequest, readEnrolRequest, verifySignature } from "../app/protocol/messages.js";
import { ocra, respond } from "../app/protocol/ocra.js";
import { parseCode, renderCode } from "../app/protocol/typed_code.js";
import { argon2id } from "../vendor/argon2.js";
import { SHAPES, checkProof, findCounter, openEnrolResponse, readApproval } from "./house_side.js";

const FOLDER = new URL("../../spec/vectors/", import.meta.url);
// Those of captures are run by the tests of the program that makes captures safe.
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json") && !name.startsWith("captures"));

/** @typedef {{name: string, operation: string, input: any, ok?: any, error?: string}} Case */

/** @param {string} text */
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
/** @param {Uint8Array} data */
const hex = (data) => Buffer.from(data).toString("hex");
/** @param {any} jwk */
const publicHalf = ({ kty, crv, x, y }) => keys.parsePublicJwk({ kty, crv, x, y });
/** @param {any} jwk */
const agreementKey = (jwk) => crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);

/** @param {any} input */
async function unlock({ pin, salt_hex: salt, iv_hex: iv, device_key_hex: kd, stretch, sealed_hex: sealed }) {
  const cost = { iterations: stretch.t, memorySize: stretch.m, parallelism: 1, hashLength: 32 };
  const stretched =
    stretch.name === "argon2id"
      ? new Uint8Array(await argon2id({ password: keys.pinBytes(pin), salt: bytes(salt), ...cost, outputType: "binary" }))
      : await keys.stretchPbkdf2(pin, bytes(salt), stretch.rounds);
  const kek = await keys.hkdf(await keys.hkdfKey(bytes(kd)), stretched, "vestibule/1/pin-kek");
  const root = await keys.turnWithPin(await keys.hkdfKey(bytes(kd)), stretched, bytes(iv), bytes(sealed));
  return { stretched_hex: hex(stretched), kek_hex: hex(kek), root_hex: hex(root) };
}

/** @param {any} input */
async function runOcra({ suite, key_hex: key, question, ...inputs }) {
  return { response: await ocra(bytes(key), suite, question, inputs) };
}

/** @param {any} input */
async function hkdf({ ikm_hex: ikm, salt_hex: salt, info_hex: info, length }) {
  const key = await keys.hkdfKey(bytes(ikm));
  const method = { name: "HKDF", hash: "SHA-256", salt: salt ? bytes(salt) : new Uint8Array(32), info: bytes(info) };
  return { okm_hex: hex(new Uint8Array(await crypto.subtle.deriveBits(method, key, length * 8))) };
}

/** @type {Record<string, (input: any) => Promise<any>>} by file and operation */
const OPERATIONS = {
  "activation_link parse": async ({ text }) => {
    const { address, secret, server } = parseLink(text);
    return { address, secret_hex: hex(unb64u(secret)), server };
  },
  "approval read": async (input) => {
    const by = { jwk: publicHalf(input.device_key), request: input.request, issuer: input.issuer, now: input.now };
    return readApproval(input.message, { ...by, knowledge: bytes(input.knowledge_key_hex) });
  },
  "approval_request read": async ({ message, server_key: key, ...expected }) => ({
    payload: await readApprovalRequest(message, { ...expected, serverKey: publicHalf(key) }),
  }),
  "claim_link parse": async ({ text }) => {
    const link = parseClaimLink(text);
    assert.equal(renderClaimLink(link), text.trim());
    return { address: link.address, attempt: link.attempt, token_hex: hex(unb64u(link.token)), claim: claimOf(link) };
  },
  "derivations hkdf": hkdf,
  "derivations children": async ({ root_hex: root, enrollment }) => {
    const key = await keys.hkdfKey(bytes(root));
    return {
      response_key_hex: hex(await keys.childKey(key, "response", enrollment)),
      knowledge_key_hex: hex(await keys.childKey(key, "knowledge", enrollment)),
    };
  },
  "derivations proofs": async ({ knowledge_key_hex: key, request }) => ({
    enrol: await keys.knowledgeProof(bytes(key), "enrol", request),
    approve: await keys.knowledgeProof(bytes(key), "approve", request),
  }),
  "derivations check": async ({ knowledge_key_hex: key, nonce }) => ({ check: await keys.nonceProof(bytes(key), nonce) }),
  "derivations bio_kek": async ({ prf_hex: prf }) => ({
    salt_hex: hex(await keys.prfSalt()),
    kek_hex: hex(await keys.hkdf(await keys.hkdfKey(bytes(prf)), new Uint8Array(32), "vestibule/1/bio-kek")),
  }),
  "encoding b64u_decode": async ({ text }) => {
    const decoded = unb64u(text);
    assert.equal(b64u(decoded), text);
    return { bytes_hex: hex(decoded) };
  },
  "encoding parse_json": async ({ bytes_hex: data }) => ({ value: parseJson(jsonText(bytes(data))) }),
  "encoding fold_digits": async ({ text }) => ({ text: foldDigits(text) }),
  "enrol_request read": async ({ message, now, server }) => ({
    payload: await readEnrolRequest(message, { now, server: server ?? undefined }),
  }),
  "enrol_response open": async (input) => {
    const opened = await openEnrolResponse(input.message, {
      signKey: publicHalf(input.sign_key),
      encryptKey: await agreementKey(input.encryption_key),
      encryptKid: await keys.kid(publicHalf(input.encryption_key)),
      issuer: input.issuer,
      now: input.now,
    });
    return {
      id: opened.id,
      response_key_hex: hex(unb64u(opened.secrets.response)),
      knowledge_key_hex: hex(unb64u(opened.secrets.knowledge)),
    };
  },
  "jwe open": async ({ envelope, encryption_key: jwk }) => {
    const secrets = await openSecrets(await agreementKey(jwk), await keys.kid(publicHalf(jwk)), envelope);
    return { response_key_hex: hex(unb64u(secrets.response)), knowledge_key_hex: hex(unb64u(secrets.knowledge)) };
  },
  "jws verify": async ({ message, typ, ...key }) => {
    const parsed = parseMessage(message, typ, SHAPES[typ]);
    await verifySignature(parsed, publicHalf(Object.values(key)[0]));
    return { payload: parsed.payload };
  },
  "key_ids kid": async ({ key }) => {
    await keys.verifyingKey(keys.parsePublicJwk(key));
    return { kid: await keys.kid(key) };
  },
  "ocra ocra": runOcra,
  "ocra response": async ({ key_hex: key, challenge, counter }) => ({ response: await respond(bytes(key), counter, challenge) }),
  "ocra find_counter": async ({ key_hex: key, challenge, response, last }) =>
    (await findCounter(bytes(key), challenge, response, last)) ?? { counter: null, near: false },
  "pin_rules check_pin": async ({ pin, account, ...policy }) => {
    keys.checkPin(pin, policy, account ? [account] : []);
    return { pin: pin.normalize("NFC") };
  },
  "pin_unlock unlock": unlock,
  "proof check": async ({ message, device_key: jwk, body_hex: body, ...call }) => {
    await checkProof(message, { ...call, jwk: publicHalf(jwk), body: bytes(body) });
    return {};
  },
  "typed_code parse": async ({ text }) => {
    const code = parseCode(text);
    return { locator: code.slice(0, 4), secret: code.slice(4), shown: renderCode(code) };
  },
  "typed_code render": async ({ code }) => ({ shown: renderCode(code) }),
};

/** What is not UTF-8 is not JSON either. @param {Uint8Array<ArrayBuffer>} data */
function jsonText(data) {
  try {
    return fromUtf8(data);
  } catch {
    throw new Malformed("json_malformed");
  }
}

/** The library refuses to stretch nothing, and the app refuses an empty PIN before. @param {Case} vector */
const isBeyondTheLibrary = ({ operation, input }) => operation === "unlock" && input.pin === "" && input.stretch.name === "argon2id";

/** @param {string} file @param {Case} vector */
async function run(file, { operation, input, ok, error }) {
  const act = OPERATIONS[`${file} ${operation}`];
  assert.ok(act, `no operation for ${file} ${operation}`);
  // Of a long message only the members that the case names are compared.
  if (error === undefined) {
    const got = await act(input);
    return assert.deepEqual(Object.fromEntries(Object.keys(ok).map((name) => [name, got[name]])), ok);
  }
  await assert.rejects(act(input), (problem) => {
    assert.ok(problem instanceof Problem, String(/** @type {Error} */ (problem).stack));
    // Which of the two kinds of malformed it was is the reader's own affair inside a message.
    const code = problem.code === "json_malformed" && error === "message_malformed" ? error : problem.code;
    return assert.equal(code, error) === undefined;
  });
}

for (const name of FILES) {
  const file = name.replace(/\.json$/u, "");
  /** @type {{cases: Case[]}} */
  const { cases } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  test(`vectors: ${file}`, async (t) => {
    assert.ok(cases.length > 0);
    for (const vector of cases) await t.test(`${vector.operation}: ${vector.name}`, { skip: isBeyondTheLibrary(vector) }, () => run(file, vector));
  });
}

test("every operation written here occurs in the vectors", () => {
  const used = new Set();
  for (const name of FILES) {
    const { cases } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
    for (const { operation } of cases) used.add(`${name.replace(/\.json$/u, "")} ${operation}`);
  }
  assert.deepEqual(Object.keys(OPERATIONS).filter((operation) => !used.has(operation)), []);
});
