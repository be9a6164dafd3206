// What the self-test makes of facts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ASKED, CHECKS, judge } from "../app/journeys/self_test.js";
import { reportOf } from "../app/journeys/self_test_report.js";
import { stepsDone } from "../app/journeys/resync.js";

/** @typedef {import("../app/journeys/self_test.js").Facts} Facts */

/** @type {Facts} */
const WELL = {
  health: { now: 0, seamless: true, push: "ok", push_stopped_until: null, quiet: false, quiet_until: null, last_delivered_at: null, second: null },
  roundTrip: 40, offset: 200, permission: "granted", endpoint: "https://push.example/s3cr3t-token", told: "https://push.example/s3cr3t-token",
  worker: true, offered: true, mustInstall: false, persisted: true, waiting: 0, arrived: 1000,
};
const NOBODY = new Set();

/** @param {Partial<Facts>} facts @param {string} name */
const row = (facts, name) => judge({ ...WELL, ...facts }, NOBODY).find((one) => one.name === name) ?? assert.fail(name);
/** @param {Partial<Facts>} facts @param {string} name */
const codes = (facts, name) => row(facts, name).lines.map(({ code }) => code);

test("the nine checks come in the order in which they help", () => {
  const names = ["seamless", "list", "silent", "focus", "allowed", "battery", "connection", "rooted", "resync"];
  assert.deepEqual(CHECKS, names);
  assert.deepEqual(judge({}, NOBODY).map(({ name }) => name), names);
});

test("what is not known yet is being checked, and what nobody can read is asked", () => {
  const states = Object.fromEntries(judge({}, NOBODY).map(({ name, state }) => [name, state]));
  assert.deepEqual(states, {
    seamless: "checking", list: "checking", silent: "asks", focus: "asks", allowed: "checking", battery: "asks", connection: "checking", rooted: "checking", resync: "ahead",
  });
});

test("a phone on which all is well has only its owner's own checks left, and those are ticked by looking", () => {
  for (const { name, state } of judge(WELL, NOBODY)) assert.equal(state, name === "resync" ? "ahead" : ASKED.has(name) ? "asks" : "good", name);
  for (const { name, state } of judge(WELL, ASKED)) assert.equal(state, name === "resync" ? "ahead" : "good", name);
});

test("every cause is found, and has its remedy", () => {
  /** @type {[Partial<Facts>, string, string, string][]} */
  const cases = [
    [{ health: { ...WELL.health, seamless: false } }, "seamless", "seamless_off", "portal"],
    [{ health: { ...WELL.health, push_stopped_until: 5 } }, "seamless", "stopped", "respond"],
    [{ health: null }, "seamless", "unasked", "again"],
    [{ permission: "undecided" }, "allowed", "undecided", "allow"],
    [{ permission: "denied" }, "allowed", "denied", "how"],
    [{ permission: "unsupported" }, "allowed", "unsupported", "how"],
    [{ mustInstall: true }, "allowed", "must_install", "install"],
    [{ worker: false }, "allowed", "no_worker", "again"],
    [{ endpoint: null }, "allowed", "no_subscription", "subscribe"],
    [{ told: "https://push.example/another" }, "allowed", "other_subscription", "subscribe"],
    [{ health: { ...WELL.health, push: "gone" } }, "allowed", "dead_subscription", "subscribe"],
    [{ roundTrip: null }, "connection", "unreached", "again"],
  ].map((one) => /** @type {any} */ (one));
  for (const [facts, name, code, remedy] of cases) {
    const found = row(facts, name);
    assert.equal(found.state, "todo", code);
    assert.ok(found.lines.some((line) => line.code === code && line.remedy === remedy), code);
  }
});

test("what hinders nothing is said without alarm", () => {
  assert.equal(row({ offset: 600_000 }, "connection").state, "good");
  assert.deepEqual(codes({ offset: -600_000 }, "connection"), ["reached", "clock_off"]);
  assert.equal(row({ health: { .../** @type {any} */ (WELL.health), quiet: true, quiet_until: 9 } }, "seamless").state, "good");
  assert.deepEqual(codes({ offered: false }, "allowed"), ["not_offered"]);
});

test("the report tells what was found and opens nothing", async () => {
  const account = /** @type {any} */ ({ id: "AAAAAAAAAAAAAAAAAAAAAA", issuer: "https://portal.example", label: "Pixel", vapid: "BKey" });
  const flight = { outcome: /** @type {const} */ ("sent"), second: /** @type {const} */ ("none"), taken: 20, arrived: 400, over: true };
  // A younger Node has a navigator of its own; an older one has none.
  if (!("navigator" in globalThis)) Object.assign(globalThis, { navigator: { userAgent: "Chrome/156 on Android" } });
  globalThis.matchMedia ??= /** @type {any} */ (() => ({ matches: false }));
  const app = /** @type {any} */ ({ clock: { now: () => 0 } });
  const text = await reportOf(app, { account, rows: judge(WELL, NOBODY), facts: WELL, flight, language: "de" });
  assert.match(text, /5 allowed: good \(granted, worker, subscription\)/u);
  assert.match(text, /7 connection: good \(reached 40 ms, clock_right\)/u);
  assert.match(text, /push service: push\.example; server says: ok/u);
  assert.match(text, /arrived after 400 ms/u);
  for (const secret of ["s3cr3t-token", account.id, "BKey"]) assert.ok(!text.includes(secret), secret);
});

test("a resynchronisation is as far as its last step that was seen", () => {
  const none = { id: "a", at: 0, responded: null, signedIn: null, arrived: null };
  assert.equal(stepsDone(none), 0);
  assert.equal(stepsDone({ ...none, responded: 1 }), 6);
  assert.equal(stepsDone({ ...none, responded: 1, signedIn: 2 }), 7);
  assert.equal(stepsDone({ ...none, responded: 1, signedIn: 2, arrived: 3 }), 9);
});
