// What waits for this phone. Asked for on start, whenever the app becomes visible, and when a
// stream says that something changed; pushes only make this happen sooner.

import { clearNotifications } from "../device/push.js";
import { listen } from "../device/stream.js";
import { Problem, Refused } from "../protocol/errors.js";
import { readApprovalRequest } from "../protocol/messages.js";
import { settle } from "./activate.js";
import { coalesced } from "./coalesced.js";
import { keepPushes } from "./pushes.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../protocol/messages.js").ApprovalRequest} ApprovalRequest */
/** @typedef {{id: string, account: Account, request: ApprovalRequest, text: string}} Waiting */
/** @typedef {{request: string, result: string}} Outcome */

// Browsers allow few connections to one host: more accounts than this are asked in turns.
const STREAMS = 3;
const TURN_MS = 15_000;
// The reasons for which the server no longer knows an enrollment.
const ENDS = new Set(["enrollment_unknown", "enrollment_revoked"]);

export class Watch {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {Waiting[]} the one that ends first, first */
    this.waiting = [];
    /** @type {Account[]} */
    this.accounts = [];
    /** @type {boolean | null} whether the server was reached the last time; null before any try */
    this.reached = null;
    /** @type {Map<string, string>} what the server knows of nudging this phone, by enrollment */
    this.pushes = new Map();
    /** @type {Map<string, string>} outcomes heard of, by request */
    this.outcomes = new Map();
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    /** @type {(() => void)[]} */
    this.stops = [];
    /** Asks for every account. */
    this.refresh = coalesced(() => this.fetch());
  }

  /** @param {() => void} watcher @returns {() => void} stops it */
  subscribe(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  tell() {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Reads the accounts anew, without asking the server. */
  async reload() {
    this.accounts = await this.app.vault.accounts();
    this.waiting = this.waiting.filter(({ account }) => this.accounts.some(({ id }) => id === account.id));
    this.tell();
  }

  async fetch() {
    await this.reload();
    const before = this.waiting;
    const lists = await Promise.all(this.accounts.map((account) => this.ask(account)));
    this.waiting = this.inTime(before, lists.flat());
    await this.reload();
    if (this.reached && this.waiting.length === 0) void clearNotifications("sign-in");
    if (this.reached) void keepPushes(this.app).catch(() => {});
  }

  /**
   * A list says what waited when it was made: what was claimed or answered since is newer.
   *
   * @param {Waiting[]} before what waited when the list was asked for
   * @param {Waiting[]} listed
   */
  inTime(before, listed) {
    const taken = this.waiting.filter((waiting) => !before.includes(waiting));
    const dropped = before.filter((waiting) => !this.waiting.includes(waiting));
    const known = new Set([...taken, ...dropped].map(({ id }) => id));
    return [...listed.filter(({ id }) => !known.has(id)), ...taken].sort((one, other) => one.request.exp - other.request.exp);
  }

  /** @param {Account} account @returns {Promise<Waiting[]>} */
  async ask(account) {
    const { server, vault } = this.app;
    if (account.ended) return [];
    try {
      if (account.pending && !(await settle(this.app, account))) return [];
      const { account: name, seamless, label, push, requests, rests_until: rests = null, retires_at: retires = null } = await server.attempts(account);
      this.pushes.set(account.id, push);
      const changed = name !== account.account || seamless !== account.seamless || label !== account.label || rests !== (account.rests ?? null) || retires !== (account.retires ?? null);
      if (changed) await vault.change(account.id, { account: name, seamless, label, rests, retires, opened: rests ? account.opened : null });
      const read = await Promise.all(requests.map((text) => this.read(account, text)));
      return read.filter((waiting) => waiting !== null);
    } catch (problem) {
      if (problem instanceof Refused && ENDS.has(problem.code)) await vault.change(account.id, { ended: problem.code });
      if (!(problem instanceof Problem)) throw problem;
      // Unreachable now: what is known to wait still does, until its time is over.
      return this.waiting.filter((waiting) => waiting.account.id === account.id && !this.isOver(waiting));
    }
  }

  /** Nothing of a request is shown unless it holds under the pinned key. @param {Account} account @param {string} text @returns {Promise<Waiting | null>} */
  async read(account, text) {
    const { id: enrollment, issuer, serverKey } = account;
    try {
      const request = await readApprovalRequest(text, { now: this.app.clock.seconds(), issuer, enrollment, serverKey });
      return { id: request.jti, account, request, text };
    } catch {
      return null;
    }
  }

  /**
   * A request that came by another way than the list: it waits from now on.
   *
   * @param {Account} account
   * @param {string} text
   * @returns {Promise<Waiting>}
   * @throws {Refused} `signature_wrong` if it does not hold under the pinned key
   */
  async take(account, text) {
    const waiting = await this.read(account, text);
    if (!waiting) throw new Refused("signature_wrong");
    this.waiting = [...this.waiting.filter(({ id }) => id !== waiting.id), waiting].sort((one, other) => one.request.exp - other.request.exp);
    this.tell();
    return waiting;
  }

  /** @param {Waiting} waiting */
  isOver({ request }) {
    return request.exp <= this.app.clock.seconds();
  }

  /** @param {string} id @returns {Waiting | undefined} */
  find(id) {
    return this.waiting.find((waiting) => waiting.id === id && !this.isOver(waiting));
  }

  /** Takes an answered request off the list before the server says so. @param {string} id */
  drop(id) {
    this.waiting = this.waiting.filter((waiting) => waiting.id !== id);
    this.tell();
  }

  /** While the app is seen. */
  async start() {
    this.stop();
    await this.refresh();
    const live = this.accounts.filter(({ ended }) => !ended);
    this.stops = live.slice(0, STREAMS).map((account) => listen(this.app.server, account, (event) => this.hear(event)));
    if (live.length > STREAMS) {
      const timer = setInterval(() => void this.refresh(), TURN_MS);
      this.stops.push(() => clearInterval(timer));
    }
  }

  stop() {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  /** @param {{event: string, data: string}} event */
  hear({ event, data }) {
    if (event === "outcome") {
      try {
        const { request, result } = JSON.parse(data);
        this.outcomes.set(request, result);
      } catch {
        return; // Only a courtesy; the list says the same.
      }
    }
    void this.refresh();
  }
}
