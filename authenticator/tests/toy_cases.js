// The toy house's recovery cases (spec §12): every way, in memory. The code by text message or
// call is always 246810, the recovery code 7Q2M-K9FX-4T6W-RD3H; POST /toy/case answers for the other phone.

import { newId } from "../app/protocol/encoding.js";
import { Refused } from "../app/protocol/errors.js";

/** @typedef {{token: string, account: string, device: string, former: string | null, state: string, way: string, replaces: string, ticket: any, rests: number | null, tries: number, resend: number}} ToyCase */

const SMS = "246810";
const RECOVERY = "7Q2MK9FX4T6WRD3H";
const REST_MS = 24 * 3_600_000;

/**
 * @param {object} house
 * @param {Map<string, any>} house.enrollments
 * @param {(of: {account: string}) => any} house.newTicket
 * @param {(ticket: any) => Promise<string>} house.requestOf
 * @param {(response: string) => Promise<any>} house.enroll
 * @param {() => number} house.now ms
 */
export function toyCases({ enrollments, newTicket, requestOf, enroll, now }) {
  /** @type {Map<string, ToyCase>} */
  const cases = new Map();
  const wish = { ways: ["phone", "code", "sms", "voice"], wrong: "" };
  const find = (/** @type {string} */ token) => {
    const found = cases.get(token);
    if (!found) throw new Refused("case_unknown");
    return found;
  };
  const phonesOf = (/** @type {ToyCase} */ { account, device, former }) =>
    [...enrollments].filter(([id, one]) => one.account === account && one.device !== device && id !== former);
  const grant = async (/** @type {ToyCase} */ opened, rests = false) => {
    opened.ticket = newTicket({ account: opened.account });
    opened.state = "approved";
    opened.rests = rests && phonesOf(opened).length > 0 ? now() + REST_MS : null;
    return { request: await requestOf(opened.ticket), rests_until: opened.rests };
  };

  /** @param {any} sent */
  function open({ username, password, device, former }) {
    if (wish.wrong) throw new Refused(wish.wrong, { wait: 840 });
    if (password === "wrong") throw new Refused("wrong_credentials");
    const opened = { token: newId(), account: username, device, former, state: "open", way: "", replaces: "", ticket: null, rests: null, tries: 5, resend: 0 };
    cases.set(opened.token, opened);
    const here = [...enrollments].some(([id, one]) => one.account === username && (one.device === device || id === former));
    const phones = phonesOf(opened);
    const labels = /** @type {Record<string, string>} */ ({ sms: "+39 ••• ••• 412", voice: "+39 ••• ••• 412", code: "8 left" });
    const known = phones.length > 0 || here;
    const ways = wish.ways.flatMap((kind) =>
      kind === "phone" ? phones.map(([id, one]) => ({ id, kind, label: one.label, rests: false })) : [{ id: kind, kind, label: labels[kind], rests: known && kind !== "code" }],
    );
    return {
      case: opened.token, situation: here ? "renew" : phones.length > 0 ? "move" : "first", organisation: "Northgate Bank", application: "Client Portal", account: username,
      phones: phones.map(([id, { label }]) => ({ id, label, platform: "Chrome 156 on Android 16", used_at: now() - 86_400_000 })), ways,
    };
  }

  /** @param {any} sent */
  function choose({ case: token, way, replaces }) {
    const opened = find(token);
    if (opened.resend > now() && (way === "sms" || way === "voice")) throw new Refused("code_wait", { wait: Math.ceil((opened.resend - now()) / 1000) });
    const phone = !["sms", "voice", "code"].includes(way);
    Object.assign(opened, { way, replaces, state: opened.rests ? "resting" : "waiting", resend: way === "sms" || way === "voice" ? now() + 45_000 : 0 });
    return { situation: "move", rests: !phone && way !== "code", resend_at: opened.resend || null, sends_left: phone ? null : 2, number: phone ? "482913" : null, expires_at: now() + 600_000 };
  }

  /** @param {any} sent */
  async function code({ case: token, code: given }) {
    const opened = find(token);
    const printed = opened.way === "code";
    if (given.replace(/[\s-]/gu, "").toUpperCase() === (printed ? RECOVERY : SMS)) return grant(opened, !printed);
    opened.tries--;
    throw new Refused(printed ? "recovery_code_wrong" : opened.tries > 0 ? "sms_code_wrong" : "sms_code_spent", { left: opened.tries });
  }

  /** @param {string | undefined} token */
  async function outcome(token) {
    const { state, ticket, rests } = find(token ?? "");
    return { state, request: state === "approved" ? await requestOf(ticket) : null, rests_until: rests };
  }

  /** @param {any} sent */
  async function enrolled({ case: token, response }) {
    const opened = find(token);
    if (opened.state !== "approved") throw new Refused("case_not_granted");
    for (const [id, one] of [...enrollments]) if (one.account === opened.account && (one.device === opened.device || id === opened.former)) enrollments.delete(id);
    const said = await enroll(response);
    enrollments.get(said.enrollment).rests = opened.rests;
    opened.state = opened.rests ? "resting" : "done";
    return { ...said, rests_until: opened.rests };
  }

  /** The other phone's answer, and what goes wrong. @param {any} sent */
  async function toy({ answer, ways, wrong }) {
    if (ways) wish.ways = ways;
    if (wrong !== undefined) wish.wrong = wrong;
    const opened = [...cases.values()].at(-1);
    if (!answer || !opened) return {};
    if (answer === "approve" && opened.rests) {
      opened.rests = null;
      opened.state = "done";
      for (const one of enrollments.values()) one.rests = null;
    } else if (answer === "approve") await grant(opened);
    else opened.state = answer;
    return {};
  }

  return { open, choose, code, outcome, enrolled, end: ({ case: /** @type {string} */ token = "" }) => (cases.delete(token), {}), toy };
}
