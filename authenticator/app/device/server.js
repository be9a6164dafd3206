// The device interface (spec §6, §7, §11) over fetch. Whether there is a network is known only
// from a call that failed: browsers' own word on being online is not to be trusted.

import { Malformed, Problem, Refused, Unavailable } from "../protocol/errors.js";
import { callProof } from "../protocol/messages.js";

/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./vault.js").Account} Account */
/** @typedef {import("../protocol/messages.js").Subscription} Subscription */
/** @typedef {{now: number, account: string, seamless: boolean, label: string, push: string, rests_until?: number | null, retires_at?: number | null, requests: string[]}} Attempts */
/** @typedef {{now: number, enrollment: string, account: string, portal: string, seamless: boolean, rests_until?: number | null}} Enrolled */
/** @typedef {{id: string, kind: string, label: string, rests: boolean}} Way */
/** @typedef {{id: string, label: string, platform: string, used_at: number | null}} OtherPhone */
/** @typedef {{now: number, case: string, situation: string, phones: OtherPhone[], ways: Way[], organisation: string, application: string, account: string}} OpenedCase */
/** @typedef {{now: number, situation: string, rests: boolean, resend_at: number | null, sends_left: number | null, number: string | null, expires_at: number}} ChosenWay */
/** @typedef {{now: number, state?: string, request: string | null, rests_until: number | null, attested?: boolean}} CaseOutcome */
/** @typedef {{username: string, password: string, device: string, label: string, platform: string, former: string | null}} Credentials */
/** @typedef {{method: string, path: string, body?: () => Promise<string>, account?: Account, headers?: Record<string, string>}} Call */

const LIMIT_MS = 12_000;

export class Server {
  /** @param {Clock} clock @param {typeof fetch} [send] */
  constructor(clock, send = (input, init) => fetch(input, init)) {
    this.clock = clock;
    this.send = send;
    /** @type {(reached: boolean) => void} told after every call whether the server was reached */
    this.contact = () => {};
  }

  /** @param {{link: string} | {code: string}} ticket @returns {Promise<{now: number, request: string, attested?: boolean}>} */
  openTicket(ticket) {
    return this.call({ method: "POST", path: "/device/tickets", body: async () => JSON.stringify(ticket) });
  }

  /** @param {() => Promise<string>} response dated anew when it has to be repeated @returns {Promise<Enrolled>} */
  enroll(response) {
    const body = async () => JSON.stringify({ response: await response() });
    return this.call({ method: "POST", path: "/device/enrollments", body });
  }

  /** @param {Account} account @returns {Promise<Attempts>} */
  attempts(account) {
    return this.call({ method: "GET", path: "/device/attempts", account });
  }

  /** @param {() => Promise<string>} approval @returns {Promise<{now: number, result: string}>} */
  answer(approval) {
    const body = async () => JSON.stringify({ answer: await approval() });
    return this.call({ method: "POST", path: "/device/answers", body });
  }

  /** @param {Account} account @param {Subscription | null} push */
  setSubscription(account, push) {
    return this.call({ method: "PUT", path: "/device/subscription", account, body: async () => JSON.stringify({ push }) });
  }

  /** @param {Account} account @param {string} label */
  setLabel(account, label) {
    return this.call({ method: "PUT", path: "/device/label", account, body: async () => JSON.stringify({ label }) });
  }

  /** @param {Account} account */
  remove(account) {
    return this.call({ method: "POST", path: "/device/removal", account, body: async () => "{}" });
  }

  /** Whether a PIN was right (spec §7). @param {Account} account @param {{nonce: string, proof: string}} check @returns {Promise<{now: number, ok: boolean}>} */
  knowledge(account, check) {
    return this.call({ method: "POST", path: "/device/knowledge", account, body: async () => JSON.stringify(check) });
  }

  /** For the desk (spec §7); the same text is the same one. @param {Account} account @param {string} text @returns {Promise<{now: number, reference: string, kept_until: number}>} */
  sendDiagnosis(account, text) {
    return this.call({ method: "POST", path: "/device/diagnosis", account, body: async () => JSON.stringify({ text }) });
  }

  // --- an app that comes with username and password (spec §12) ----------------------------

  /** @param {Credentials} credentials @returns {Promise<OpenedCase>} */
  openCase(credentials) {
    return this.call({ method: "POST", path: "/device/cases", body: async () => JSON.stringify(credentials) });
  }

  /** @param {string} token @param {{way: string, replaces: string}} choice @returns {Promise<ChosenWay>} */
  chooseWay(token, choice) {
    return this.call({ method: "POST", path: "/device/cases/way", body: async () => JSON.stringify({ case: token, ...choice }) });
  }

  /** @param {string} token @param {() => Promise<string>} response @returns {Promise<Enrolled>} */
  enrollCase(token, response) {
    const body = async () => JSON.stringify({ case: token, response: await response() });
    return this.call({ method: "POST", path: "/device/cases/enrollments", body });
  }

  /** @param {string} token @returns {Promise<{now: number}>} */
  endCase(token) {
    return this.call({ method: "POST", path: "/device/cases/end", body: async () => JSON.stringify({ case: token }) });
  }

  /** @param {string} token @param {string} code @returns {Promise<CaseOutcome>} */
  caseCode(token, code) {
    return this.call({ method: "POST", path: "/device/cases/code", body: async () => JSON.stringify({ case: token, code }) });
  }

  /** @param {string} token @returns {Promise<CaseOutcome>} */
  caseOutcome(token) {
    return this.call({ method: "GET", path: "/device/cases/outcome", headers: { "Vestibule-Case": token } });
  }

  /** @param {Account} account @param {string} method @param {string} path @param {string} [body] */
  async authorization(account, method, path, body = "") {
    const by = { id: account.id, dk: account.dk, issuer: account.issuer, now: this.clock.seconds() };
    return `Vestibule ${await callProof(by, { method, path, body })}`;
  }

  /**
   * One call; after `clock_wrong`, which has set the clock, one more.
   *
   * @param {Call} call
   * @returns {Promise<any>} its shape is the interface's; what counts in it is signed and checked there
   * @throws {Problem} with the server's code, or `offline`, `timeout`, `server_failed`, `server_strange`
   */
  async call(call) {
    try {
      return await this.once(call);
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.code !== "clock_wrong") throw problem;
      return this.once(call);
    }
  }

  /** @param {Call} call */
  async once({ method, path, body, account, headers: more }) {
    const text = body ? await body() : undefined;
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json", ...more };
    if (text !== undefined) headers["Content-Type"] = "application/json";
    if (account) headers.Authorization = await this.authorization(account, method, path, text);
    const sentAt = Date.now();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), LIMIT_MS);
    try {
      const response = await this.send(path, { method, headers, body: text, signal: stop.signal, cache: "no-store", credentials: "omit" });
      const answer = await response.json().catch(() => undefined);
      this.contact(true);
      if (Number.isSafeInteger(answer?.now)) this.clock.hear(answer.now, sentAt);
      if (response.ok && answer) return answer;
      throw problemOf(response, answer);
    } catch (problem) {
      if (problem instanceof Problem) throw problem;
      this.contact(false);
      throw new Unavailable(stop.signal.aborted ? "timeout" : "offline");
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @param {Response} response @param {Record<string, unknown> | undefined} answer */
export function problemOf(response, answer) {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/problem+json") || typeof answer?.code !== "string") {
    return new Unavailable(response.status >= 500 ? "server_failed" : "server_strange", { status: response.status });
  }
  if (response.status >= 500) return new Unavailable("server_failed", answer);
  const kind = response.status === 400 ? Malformed : Refused;
  return new kind(answer.code, answer);
}
