// The PIN of a phone and the way in by username and password, against a house in memory: what is
// stored, what is asked of the server, and what a refusal leaves behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { begin } from "../app/journeys/activate.js";
import { chooseWay, enterCode, kept, openCase, outcomeOf } from "../app/journeys/credentials.js";
import { changePin, prove, witnesses } from "../app/journeys/pin.js";
import { unlockWithPin } from "../app/journeys/unlock.js";
import { newId, randomBytes } from "../app/protocol/encoding.js";
import { Problem, Refused } from "../app/protocol/errors.js";
import { childKey, hkdfKey, kid, makeDeviceKey, nonceProof, stretchPbkdf2, turnWithPin } from "../app/protocol/keys.js";
import { ENROL_REQUEST, signMessage } from "../app/protocol/messages.js";
import { SUITE } from "../app/protocol/ocra.js";

// A phone's browser says what it is; the journeys name the phone by it.
Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile" }, configurable: true });

const POLICY = { pin_min: 4, pin_max: 6, suite: SUITE, argon2id: { m: 8, t: 1 }, pbkdf2: { rounds: 1000 } };
const ROUNDS = 1000;

/** @param {string} pin */
async function newDevice(pin) {
  const [root, kd, salt, iv] = [randomBytes(32), await hkdfKey(randomBytes(32)), randomBytes(16), randomBytes(16)];
  const data = await turnWithPin(kd, await stretchPbkdf2(pin, salt, ROUNDS), iv, root);
  const stretch = /** @type {const} */ ({ name: "pbkdf2-sha256", rounds: ROUNDS });
  return { root, device: /** @type {any} */ ({ id: newId(), kd, cpin: { salt, iv, data, stretch }, bio: null, root: newId(), policy: POLICY }) };
}

/** @param {any} device @param {string} name @param {object} [more] */
const accountOf = (device, name, more = {}) =>
  /** @type {any} */ ({ id: newId(), account: name, issuer: "https://portal.example", label: "Blue phone", root: device.root, ended: null, pending: false, ...more });

/** The vault and the server as far as these journeys use them. @param {{device?: any, accounts?: any[], knowledge?: Function, server?: object}} what */
function appWith({ device, accounts = [], knowledge, server = {} }) {
  const state = { device, accounts, asked: /** @type {any[]} */ ([]) };
  const vault = {
    device: async () => state.device && { ...state.device },
    accounts: async () => state.accounts,
    newDevice: async (id = newId()) => ({ id, kd: await hkdfKey(randomBytes(32)), cpin: null, bio: null, root: newId() }),
    protect: async (/** @type {any} */ changed) => void (state.device = changed),
    change: async (/** @type {string} */ id, /** @type {object} */ changes) => void (state.accounts = state.accounts.map((one) => (one.id === id ? { ...one, ...changes } : one))),
  };
  const asks = { ...server, knowledge: async (/** @type {any} */ account, /** @type {any} */ check) => (state.asked.push(account.id), knowledge?.(account, check)) };
  return { state, app: /** @type {any} */ ({ vault, server: asks, clock: { seconds: () => Math.floor(Date.now() / 1000) } }) };
}

/** A server that knows the right root. @param {Uint8Array<ArrayBuffer>} root */
const knows = (root) => {
  const bytes = root.slice();
  return async (/** @type {any} */ { id }, /** @type {any} */ { nonce, proof }) => {
    const right = await nonceProof(await childKey(await hkdfKey(bytes), "knowledge", id), nonce);
    if (proof !== right) throw new Refused("proof_wrong", { left: 4 });
    return { ok: true };
  };
};

/** @param {CryptoKey} root */
const mark = async (root) => Buffer.from(await childKey(root, "response", "x")).toString("hex");
const refuses = (/** @type {string} */ code) => (/** @type {unknown} */ problem) => problem instanceof Problem && problem.code === code;

test("a changed PIN opens the same root, and the old one does not", async () => {
  const { root, device } = await newDevice("8317");
  const before = await mark(await hkdfKey(root));
  const { app, state } = appWith({ device, accounts: [accountOf(device, "ada")], knowledge: knows(root) });
  const done = /** @type {number[]} */ ([]);
  await changePin(app, { current: "8317", pin: "Mcso2c", policy: POLICY }, (step) => done.push(step));
  assert.deepEqual(done, [1, 2]);
  assert.equal(await mark(await unlockWithPin(state.device, "Mcso2c")), before);
  assert.notEqual(await mark(await unlockWithPin(state.device, "8317")), before);
  assert.notEqual(state.device.kd, device.kd, "the key beside the PIN is a new one, too");
});

test("a wrong current PIN changes nothing, and the tries left are told", async () => {
  const { root, device } = await newDevice("8317");
  const { app, state } = appWith({ device, accounts: [accountOf(device, "ada")], knowledge: knows(root) });
  const attempt = changePin(app, { current: "8318", pin: "5821", policy: POLICY }, () => assert.fail("no step has happened"));
  await assert.rejects(attempt, (problem) => refuses("proof_wrong")(problem) && /** @type {Problem} */ (problem).facts.left === 4);
  assert.equal(state.device, device);
});

test("a PIN is asked about once, under the first account that the server still knows", async () => {
  const { root, device } = await newDevice("8317");
  const [gone, live, other] = ["gone", "live", "other"].map((name) => accountOf(device, name));
  const known = knows(root);
  const knowledge = (/** @type {any} */ account, /** @type {any} */ check) => {
    if (account.account === "gone") throw new Refused("enrollment_revoked");
    return known(account, check);
  };
  const { app, state } = appWith({ device, accounts: [gone, live, other], knowledge });
  assert.equal(await prove(app, await hkdfKey(root)), true);
  assert.deepEqual(state.asked, [gone.id, live.id]);
  assert.equal(state.accounts[0].ended, "enrollment_revoked");
});

test("where no account is left to ask under, nothing is claimed and no PIN is changed", async () => {
  const { root, device } = await newDevice("8317");
  const accounts = [accountOf(device, "ended", { ended: "enrollment_revoked" }), accountOf(device, "sent", { pending: true }), accountOf(device, "locked", { root: newId() })];
  const { app, state } = appWith({ device, accounts });
  assert.deepEqual(witnesses(device, accounts), []);
  assert.equal(await prove(app, await hkdfKey(root)), false);
  await assert.rejects(changePin(app, { current: "8317", pin: "5821", policy: POLICY }, () => {}), refuses("pin_unprovable"));
  assert.equal(state.device, device);
});

test("no connection leaves the PIN as it was", async () => {
  const { device } = await newDevice("8317");
  const knowledge = () => {
    throw new Problem("offline");
  };
  const { app, state } = appWith({ device, accounts: [accountOf(device, "ada")], knowledge });
  await assert.rejects(changePin(app, { current: "8317", pin: "5821", policy: POLICY }, () => {}), refuses("offline"));
  assert.equal(state.device, device);
});

// --- username and password ----------------------------------------------------------------------

const signing = await makeDeviceKey();

/** An enrol-request as the server would sign it. @param {string} account @param {CryptoKey} [by] */
async function enrolRequest(account, by = signing.dk) {
  const now = Math.floor(Date.now() / 1000);
  const dates = { iss: "https://portal.example", aud: "phone", iat: now, exp: now + 600, jti: newId() };
  const members = { ticket: newId(), account, organisation: "Northwind", application: "Portal", keys: { sign: signing.jwk, encrypt: signing.jwk }, policy: POLICY, vapid: "" };
  return signMessage(ENROL_REQUEST, await kid(signing.jwk), by, { ...dates, ...members });
}

/** @param {object} [more] */
function caseServer(more = {}) {
  const sent = /** @type {any[]} */ ([]);
  const ways = [{ id: "p1", kind: "phone", label: "Pixel 8", rests: false }, { id: "s1", kind: "sms", label: "•••412", rests: true }];
  const server = {
    openCase: async (/** @type {any} */ given) => (sent.push(given), { now: 0, case: "token", situation: "move", organisation: "Northwind", application: "Portal", account: given.username, phones: [], ways }),
    chooseWay: async (/** @type {string} */ token, /** @type {any} */ choice) => (sent.push({ token, ...choice }), { situation: "move", rests: true, resend_at: 5000, sends_left: 2, number: null, expires_at: 1 }),
    caseCode: async () => ({ request: await enrolRequest("a…a"), rests_until: 99 }),
    caseOutcome: async () => ({ state: "waiting", request: null, rests_until: null }),
    ...more,
  };
  return { sent, server };
}

test("a case names the phone as it is called already, and the enrollment that it had", async () => {
  const { device } = await newDevice("8317");
  const held = accountOf(device, "ada");
  const { sent, server } = caseServer();
  const { app } = appWith({ device, accounts: [held], server });
  const opened = await openCase(app, { username: "ada", password: "secret" });
  assert.deepEqual([sent[0].device, sent[0].label, sent[0].former], [device.id, "Blue phone", held.id]);
  assert.equal(opened.device, device.id);
  assert.equal(JSON.stringify(opened).includes("secret"), false);
});

test("a forgotten PIN makes a new device id, and the enrolment carries it", async () => {
  const { device } = await newDevice("8317");
  const { sent, server } = caseServer();
  const { app } = appWith({ device, accounts: [accountOf(device, "ada")], server });
  const opened = await openCase(app, { username: "ada", password: "secret", newPin: true });
  assert.notEqual(sent[0].device, device.id);
  const draft = await begin(app, await enterCode(app, opened, "246810"));
  assert.equal(draft.existing, false);
  assert.equal(draft.device.id, sent[0].device);
  assert.equal(draft.device.cpin, null);
  assert.equal(draft.label, "Blue phone");
});

test("a further account uses the root that the phone has", async () => {
  const { device } = await newDevice("8317");
  const { server } = caseServer();
  const { app } = appWith({ device, accounts: [accountOf(device, "ada")], server });
  const draft = await begin(app, await enterCode(app, await openCase(app, { username: "bob", password: "x" }), "246810"));
  assert.deepEqual([draft.existing, draft.device.id, draft.bytes], [true, device.id, null]);
});

test("the choice says what the new phone replaces, and how long to wait for another code", async () => {
  const { sent, server } = caseServer();
  const { app } = appWith({ server });
  const opened = { ...(await openCase(app, { username: "ada", password: "x" })), replaces: "all" };
  const chosen = await chooseWay(app, opened, opened.ways[1]);
  assert.deepEqual(sent[1], { token: "token", way: "s1", replaces: "all" });
  assert.deepEqual([chosen.resendAt, chosen.sendsLeft, chosen.rests], [5000, 2, true]);
  assert.deepEqual(kept(opened), { token: "token", ways: [opened.ways[0]] }, "only another phone shortens the wait");
});

test("the other phone's answer is told as it is, and an approval without a request is not believed", async () => {
  const { server } = caseServer();
  const { app } = appWith({ server });
  const opened = await openCase(app, { username: "ada", password: "x" });
  assert.deepEqual(await outcomeOf(app, opened), { state: "waiting" });
  app.server.caseOutcome = async () => ({ state: "approved", request: null, rests_until: null });
  await assert.rejects(outcomeOf(app, opened), refuses("case_not_granted"));
  app.server.caseOutcome = async () => ({ state: "approved", request: await enrolRequest("a…a"), rests_until: null });
  const outcome = await outcomeOf(app, opened);
  assert.equal("ticket" in outcome && outcome.ticket.opened, opened);
});

test("a request that the server has not signed opens nothing", async () => {
  const forged = await enrolRequest("a…a", (await makeDeviceKey()).dk);
  const { server } = caseServer({ caseCode: async () => ({ request: forged, rests_until: null }) });
  const { app } = appWith({ server });
  await assert.rejects(enterCode(app, await openCase(app, { username: "ada", password: "x" }), "246810"), refuses("signature_wrong"));
});
