// What a diagnosis says, and what it must not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cleaned, diagnosisOf } from "../app/journeys/diagnosis.js";
import { Problems } from "../app/journeys/problems.js";
import { Refused, Unavailable } from "../app/protocol/errors.js";
import { nextOf, setWords, whenExplained, whyOf } from "../app/ui/words.js";

const SECRET = "s3cr3t-token";
const ACCOUNT = /** @type {any} */ ({
  id: "AAAAAAAAAAAAAAAAAAAAAA", account: "ada.mercer", issuer: "https://portal.example", label: "Ada’s Pixel\u202e", vapid: "BKey", dk: "device-key", counter: 4711,
  pushed: `https://push.example/${SECRET}`, opened: { token: SECRET },
});
const SUBSCRIPTION = { endpoint: `https://push.example/${SECRET}` };

/** A browser as far as the diagnosis asks it. */
function standIn() {
  const registration = { active: {}, pushManager: { getSubscription: async () => SUBSCRIPTION } };
  const navigator = {
    userAgent: "Mozilla/5.0 Chrome/156 on Android", languages: ["de-DE", "en"], maxTouchPoints: 5,
    permissions: { query: async () => ({ state: "denied" }) },
    storage: { estimate: async () => ({ usage: 1_234_567, quota: 5e9 }), persisted: async () => true },
    serviceWorker: { ready: Promise.resolve(registration), getRegistration: async () => registration },
  };
  const stored = { open: async () => ({ match: async () => undefined }), keys: async () => ["shell-0123456789abcdef", "kept"] };
  for (const [name, value] of Object.entries({ navigator, caches: stored, location: { host: "phone.example" }, matchMedia: () => ({ matches: true }), Notification: { permission: "granted" } })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

/** @param {Partial<{reached: boolean}>} how */
function appWith({ reached = true } = {}) {
  const things = new Map();
  const vault = {
    thing: async (/** @type {string} */ name) => things.get(name),
    keep: async (/** @type {string} */ name, /** @type {unknown} */ value) => void things.set(name, structuredClone(value)),
    account: async () => ACCOUNT,
    accounts: async () => [ACCOUNT, { ...ACCOUNT, ended: "enrollment_revoked" }],
    device: async () => ({ id: SECRET, kd: SECRET, cpin: { data: SECRET }, bio: null }),
  };
  const health = { now: 0, seamless: true, push: "ok", push_stopped_until: null, quiet: false, quiet_until: null, last_delivered_at: null, second: null };
  const call = async () => {
    if (!reached) throw new Unavailable("offline");
    return health;
  };
  const app = /** @type {any} */ ({ vault, clock: { now: () => Date.UTC(2026, 10, 23), offset: -1500 }, server: { call }, watch: { waiting: [], reached } });
  app.problems = new Problems(/** @type {any} */ (vault), () => Date.UTC(2026, 10, 22));
  return { app, things };
}

test("a diagnosis tells what the app knows of itself", async () => {
  standIn();
  const { app } = appWith();
  app.problems.note("push_unavailable", "notifications");
  const text = await diagnosisOf(app, ACCOUNT, { flight: null, language: "de" });
  for (const said of [
    "app: build 0123456789abcdef; installed; phone.example", "Chrome/156 on Android", "languages: de in the app; de-DE, en on the phone", "clock: -1500 ms",
    "camera denied; storage kept", "1.2 MB used of 5000.0 MB", "accounts: 2 (1 ended); PIN set; phone lock not set", "T23:59:58.500Z push_unavailable (notifications)", "Vestibule self-test",
  ]) assert.ok(text.includes(said), `${said}\n${text}`);
});

test("it opens nothing and names nobody", async () => {
  standIn();
  const { app } = appWith();
  const text = await diagnosisOf(app, ACCOUNT, { flight: null, language: "en" });
  for (const secret of [SECRET, ACCOUNT.id, ACCOUNT.account, "BKey", "4711", "device-key", "\u202e"]) assert.ok(!text.includes(secret), secret);
});

test("it is made without a network too, and in a browser that says little", async () => {
  standIn();
  Object.assign(navigator, { permissions: undefined, storage: undefined });
  Object.defineProperty(globalThis, "caches", { value: undefined, configurable: true });
  const { app } = appWith({ reached: false });
  const text = await diagnosisOf(app, ACCOUNT, { flight: null, language: "en" });
  assert.match(text, /7 connection: todo \(unreached\)/u);
  assert.match(text, /build not kept on the phone/u);
  assert.match(text, /camera unknown/u);
  assert.match(text, /unknown used of unknown/u);
});

test("what nobody would see is made visible, and no line is endless", () => {
  assert.equal(cleaned("a\tb\0c\r\nd\u202ee\ud800f\u2028"), "a\ufffdb\ufffdc\ufffd\nd\ufffde\ufffdf\ufffd");
  assert.equal(cleaned("👩‍👧 é 携帯\n"), "👩‍👧 é 携帯\n");
  assert.equal(cleaned(`${"x".repeat(1000)}\ny`), `${"x".repeat(400)}\ny`);
});

test("the last twenty problems are kept, the older ones forgotten", async () => {
  const { app, things } = appWith();
  for (let at = 0; at < 25; at++) app.problems.note(`code_${at}`, "home");
  assert.equal(app.problems.list.length, 20);
  assert.equal(app.problems.list[0].code, "code_5");
  const again = new Problems(app.vault);
  await again.load();
  assert.deepEqual(again.list, things.get("problems"));
});

test("of a problem only what has the form of a code is kept", () => {
  const { app } = appWith();
  for (const code of ["Bearer abc", "", "x".repeat(60), "a\nb", "pin 8317"]) app.problems.note(code, code.slice(0, 1));
  assert.deepEqual(new Set(app.problems.list.map((/** @type {any} */ { code }) => code)), new Set(["unexpected"]));
});

test("a screen that is drawn twice counts once, and the same later counts again", () => {
  let now = 0;
  const problems = new Problems(/** @type {any} */ ({ keep: async () => {} }), () => now);
  problems.note("offline", "home");
  now = 500;
  problems.note("offline", "home");
  problems.note("offline", "request");
  now = 9000;
  problems.note("offline", "request");
  assert.deepEqual(problems.list.map(({ at, screen }) => [at, screen]), [[0, "home"], [500, "request"], [9000, "request"]]);
});

test("a phone that cannot store still knows them", async () => {
  const problems = new Problems(/** @type {any} */ ({ keep: async () => Promise.reject(new Unavailable("storage_failed")) }));
  problems.note("storage_failed", "home");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(problems.list.length, 1);
});

test("every problem that is put into words is heard of", () => {
  /** @type {string[]} */
  const heard = [];
  whenExplained((code) => heard.push(code));
  setWords({ "problem.offline.why": "No network.", "problem.offline.next": "Look.", "problem.unexpected.why": "Hm.", "problem.unexpected.next": "Again." });
  assert.equal(whyOf(new Unavailable("offline")), "No network.");
  assert.equal(nextOf(new Unavailable("offline")), "Look.");
  assert.equal(nextOf(new Refused("newer", { next: "Theirs." })), "Theirs.");
  assert.equal(whyOf(new TypeError("x")), "Hm.");
  whenExplained(() => {});
  assert.deepEqual(heard, ["offline", "unexpected"]);
});
