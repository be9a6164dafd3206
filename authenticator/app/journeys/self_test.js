// Why no notification came: the nine checks in the order in which they help. What a web app can
// read is judged here from facts; what it cannot read is asked.

import { currentEndpoint, lastArrival, permission, workerActive } from "../device/push.js";
import { fetchHealth, followTestPush, sendTestPush } from "../device/notice_calls.js";
import { installed, system } from "../device/phone.js";
import { pause, within } from "../device/patience.js";
import { Problem } from "../protocol/errors.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/notice_calls.js").Health} Health */
/** @typedef {import("../device/notice_calls.js").TestPush} TestPush */
/** @typedef {"checking" | "good" | "todo" | "asks" | "ahead"} State */
/** @typedef {"portal" | "respond" | "again" | "allow" | "how" | "subscribe" | "install" | "persist" | "resync" | "list"} Remedy */
/** @typedef {{code: string, good: boolean | null, values?: Record<string, number>, remedy?: Remedy}} Line `when` and `until` in ms */
/** @typedef {{name: typeof CHECKS[number], state: State, lines: Line[]}} Row */

/**
 * What was found out; what is missing is still being asked.
 * @typedef {object} Facts
 * @property {Health | null} [health] null: the server did not say
 * @property {number | null} [roundTrip] ms; null: not reached
 * @property {number} [offset] ms, server minus phone
 * @property {ReturnType<typeof permission>} [permission]
 * @property {string | null} [endpoint] on which this phone listens
 * @property {string | null} [told] endpoint that the server was told last
 * @property {boolean} [worker]
 * @property {boolean} [offered] whether the house sends pushes at all
 * @property {boolean} [mustInstall] iOS, and not opened from the home screen
 * @property {boolean} [persisted]
 * @property {number} [waiting]
 * @property {number | null} [arrived] ms
 */

export const CHECKS = /** @type {const} */ (["seamless", "list", "silent", "focus", "allowed", "battery", "connection", "rooted", "resync"]);
/** Those that only a person can answer. */
export const ASKED = new Set(["list", "silent", "focus", "battery", "rooted"]);
const CLOCK_MS = 60_000;
const FOLLOW_MS = 350;
const PATIENCE_MS = 20_000;
/** For what the phone says of itself: a wrong finding sends its owner the wrong way, a late one does not. */
const OWN_PATIENCE_MS = 10_000;

/**
 * @param {Facts} facts
 * @param {ReadonlySet<string>} confirmed names of asked checks that the person has answered
 * @returns {Row[]}
 */
export function judge(facts, confirmed) {
  /** @type {Record<typeof CHECKS[number], Line[] | null>} null: not known yet */
  const found = {
    seamless: seamless(facts),
    list: list(facts),
    silent: [],
    focus: [],
    allowed: allowed(facts),
    battery: [],
    connection: connection(facts),
    rooted: facts.persisted === undefined ? null : [facts.persisted ? good("storage_kept") : { code: "storage_loose", good: null, remedy: "persist" }],
    resync: [{ code: "resync", good: null, remedy: "resync" }],
  };
  return CHECKS.map((name) => ({ name, lines: found[name] ?? [], state: stateOf(name, found[name], confirmed) }));
}

/** @param {string} name @param {Line[] | null} lines @param {ReadonlySet<string>} confirmed @returns {State} */
function stateOf(name, lines, confirmed) {
  if (lines === null) return "checking";
  if (lines.some((line) => line.good === false)) return "todo";
  if (name === "resync") return "ahead";
  return ASKED.has(name) && !confirmed.has(name) ? "asks" : "good";
}

/** @param {string} code @param {Record<string, number>} [values] @returns {Line} */
const good = (code, values) => ({ code, good: true, values });
/** @param {string} code @param {Remedy} remedy @param {Record<string, number>} [values] @returns {Line} */
const bad = (code, remedy, values) => ({ code, good: false, values, remedy });

/** @param {Facts} facts @returns {Line[] | null} */
function seamless({ health }) {
  if (health === undefined) return null;
  if (health === null) return [bad("unasked", "again")];
  const lines = [health.seamless ? good("seamless_on") : bad("seamless_off", "portal")];
  if (health.push_stopped_until) lines.push(bad("stopped", "respond", { until: health.push_stopped_until }));
  if (health.quiet && health.quiet_until) lines.push({ code: "quiet", good: null, values: { until: health.quiet_until } });
  return lines;
}

/** @param {Facts} facts @returns {Line[] | null} */
function list({ waiting, arrived }) {
  if (arrived === undefined) return null;
  /** @type {Line[]} */
  const lines = [arrived ? good("arrived", { when: arrived }) : { code: "never_arrived", good: null }];
  if (waiting) lines.push({ code: "waiting", good: null, values: { count: waiting }, remedy: "list" });
  return lines;
}

/** @param {Facts} facts @returns {Line[] | null} */
function allowed({ permission: state, endpoint, told, worker, offered, mustInstall, health }) {
  if (worker === undefined || endpoint === undefined) return null;
  if (offered === false) return [{ code: "not_offered", good: null }];
  if (mustInstall) return [bad("must_install", "install")];
  if (state === "unsupported") return [bad("unsupported", "how")];
  if (state === "undecided") return [bad("undecided", "allow")];
  if (state === "denied") return [bad("denied", "how")];
  const lines = [good("granted"), worker ? good("worker") : bad("no_worker", "again")];
  if (!endpoint) return [...lines, bad("no_subscription", "subscribe")];
  if (endpoint !== told) return [...lines, bad("other_subscription", "subscribe")];
  // Granted does not say that a message gets through: the server may know better.
  if (health && health.push !== "ok") return [...lines, bad("dead_subscription", "subscribe")];
  return [...lines, good("subscription")];
}

/** @param {Facts} facts @returns {Line[] | null} */
function connection({ roundTrip, offset = 0 }) {
  if (roundTrip === undefined) return null;
  if (roundTrip === null) return [bad("unreached", "again")];
  const lines = [good("reached", { ms: roundTrip })];
  const minutes = Math.round(Math.abs(offset) / 60_000);
  // Messages are dated in server time, so this alone stops nothing.
  lines.push(Math.abs(offset) > CLOCK_MS ? { code: "clock_off", good: null, values: { minutes } } : good("clock_right"));
  return lines;
}

/**
 * What the phone itself knows.
 *
 * @param {App} app
 * @param {Account} account
 * @returns {Promise<Facts>}
 */
export async function ownFacts(app, account) {
  const [endpoint, worker, arrived, persisted, stored] = await Promise.all([
    currentEndpoint(OWN_PATIENCE_MS),
    workerActive(OWN_PATIENCE_MS),
    lastArrival("sign-in", "notice", "test"),
    within(2000, navigator.storage?.persisted?.() ?? Promise.resolve(false), "storage_failed").catch(() => false),
    app.vault.account(account.id),
  ]);
  return {
    permission: permission(),
    mustInstall: system() === "ios" && !installed(),
    offered: account.vapid !== "",
    told: stored?.pushed ?? null,
    waiting: app.watch.waiting.filter((waiting) => !app.watch.isOver(waiting)).length,
    endpoint, worker, arrived, persisted,
  };
}

/**
 * What the server says, and how long it took to say it.
 *
 * @param {App} app
 * @param {Account} account
 * @returns {Promise<Facts>}
 */
export async function serverFacts(app, account) {
  const from = performance.now();
  try {
    const health = await fetchHealth(app.server, account);
    return { health, roundTrip: Math.round(performance.now() - from), offset: app.clock.offset };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { health: null, roundTrip: app.watch.reached ? Math.round(performance.now() - from) : null, offset: app.clock.offset };
  }
}

/**
 * A flight of one test push; times in ms since it was asked for.
 * @typedef {object} Flight
 * @property {TestPush["outcome"]} outcome
 * @property {TestPush["outcome"]} second
 * @property {number | null} taken when the push service had it, as far as this phone noticed
 * @property {number | null} arrived from sent to here, by the server's clock when its receipt came in
 * @property {boolean} over
 */

/**
 * Sends a real test push and follows it.
 *
 * @param {App} app
 * @param {Account} account
 * @param {(flight: Flight) => void} tell after every step
 * @param {() => boolean} left whether nobody looks any more
 * @returns {Promise<Flight>}
 * @throws {Problem}
 */
export async function flyTestPush(app, account, tell, left) {
  const from = performance.now();
  const before = Date.now();
  /** @type {Flight} */
  let flight = { outcome: "sending", second: "none", taken: null, arrived: null, over: false };
  tell(flight);
  const { id } = await sendTestPush(app.server, account);
  while (!flight.over && !left()) {
    const seen = await followTestPush(app.server, account, id);
    const past = Math.round(performance.now() - from);
    const here = await lastArrival("test");
    const arrived = seen.delivered_at ? Math.max(0, seen.delivered_at - seen.sent_at) : here && here >= before ? here - before : null;
    const failed = !["sending", "sent"].includes(seen.outcome) && !["sending", "sent"].includes(seen.second);
    flight = {
      outcome: seen.outcome,
      second: seen.second,
      taken: flight.taken ?? (seen.outcome === "sent" || arrived !== null ? past : null),
      arrived,
      over: arrived !== null || failed || past > PATIENCE_MS,
    };
    // The phone may notice the acceptance only after the arrival: no step is later than the next.
    if (flight.arrived !== null && flight.taken !== null) flight.taken = Math.min(flight.taken, flight.arrived);
    tell(flight);
    if (!flight.over) await pause(FOLLOW_MS);
  }
  return flight;
}
