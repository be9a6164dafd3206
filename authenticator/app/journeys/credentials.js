// The third way in (spec §12): an app that comes with username and password. The server answers
// with what this account may prove itself by; what comes out is an enrol-request, and from there
// everything is as with a scanned code.

import { describePhone } from "../device/phone.js";
import { newId } from "../protocol/encoding.js";
import { Refused } from "../protocol/errors.js";
import { readEnrolRequest } from "../protocol/messages.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/server.js").CaseOutcome} CaseOutcome */
/** @typedef {import("../device/server.js").Way} Way */
/** @typedef {import("./activate.js").Ticket} Ticket */
/** @typedef {import("../device/server.js").OtherPhone} OtherPhone */
/** @typedef {"first" | "add" | "renew" | "move"} Situation */

/**
 * What was opened with a password, in memory only.
 * @typedef {object} Case
 * @property {string} token
 * @property {string} device the id that the enrollment has to carry
 * @property {string} label the phone's name, as the case was opened with
 * @property {string} organisation
 * @property {string} account
 * @property {Situation} situation
 * @property {OtherPhone[]} phones that have this account
 * @property {string} replaces one of them, `all`, or "" for none
 * @property {Way[]} ways the preferred one first
 * @property {boolean} newPin all keys of this phone are made anew, under a new PIN
 */
/** @typedef {{token: string, ways: Way[]}} Kept of a case, for shortening the rest that it ended in */
/**
 * @typedef {object} Chosen
 * @property {Way} way
 * @property {boolean} rests
 * @property {number} resendAt ms, server time
 * @property {number | null} sendsLeft
 * @property {string | null} number to be typed on the other phone
 */
/** @typedef {{state: "approved", ticket: Ticket} | {state: "open" | "waiting" | "resting" | "done" | "denied" | "stopped" | "spent" | "expired"}} Outcome */

/**
 * @param {App} app
 * @param {{username: string, password: string, newPin?: boolean, label?: string, former?: string}} given `former`: the
 *   enrollment that this phone has for the account
 * @returns {Promise<Case>}
 * @throws {import("../protocol/errors.js").Problem} `wrong_credentials`, `password_wait`, `source_wait`, `platform_too_old` …
 */
export async function openCase({ vault, server }, { username, password, newPin = false, label, former }) {
  const stored = newPin ? undefined : await vault.device();
  const described = await describePhone();
  const name = label ?? (await nameHere(vault)) ?? described.label;
  // A root that is made anew gets a device id of its own; the one named here is the one enrolled.
  const device = stored?.id ?? newId();
  const same = (await vault.accounts()).find(({ account, pending }) => account === username && !pending);
  const named = { username, password, device, label: name, platform: described.platform, former: former ?? same?.id ?? null };
  const { case: token, situation, ...opened } = await server.openCase(named);
  return { ...opened, token, device, label: name, situation: /** @type {Situation} */ (situation), replaces: "", newPin };
}

/** What has to outlive the memory while the new phone rests. @param {Case} opened @returns {Kept} */
export const kept = ({ token, ways }) => ({ token, ways: ways.filter(({ kind }) => kind === "phone") });

/** The name that this phone has already. @param {import("../device/vault.js").Vault} vault */
export async function nameHere(vault) {
  const [known] = (await vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  return known?.label;
}

/** Sends a code, or asks another phone. @param {App} app @param {{token: string, replaces?: string}} opened @param {Way} way @returns {Promise<Chosen>} */
export async function chooseWay({ server }, { token, replaces = "" }, way) {
  const { rests, resend_at: resendAt, sends_left: sendsLeft, number } = await server.chooseWay(token, { way: way.id, replaces });
  return { way, rests, resendAt: resendAt ?? 0, sendsLeft, number };
}

/** @param {App} app @param {Case} opened @param {string} code @returns {Promise<Ticket>} */
export async function enterCode(app, opened, code) {
  return ticketOf(app, await app.server.caseCode(opened.token, code), opened);
}

/** What became of the question on the other phone. @param {App} app @param {Case} opened @returns {Promise<Outcome>} */
export async function outcomeOf(app, opened) {
  const said = await app.server.caseOutcome(opened.token);
  if (said.state === "approved") return { state: "approved", ticket: await ticketOf(app, said, opened) };
  return { state: /** @type {Exclude<Outcome["state"], "approved">} */ (said.state) };
}

/**
 * Whether the rest of a phone that is linked already has been shortened. The app learns it from the
 * list of what waits, too; this is for the person who looks on.
 *
 * @param {App} app
 * @param {Kept} opened
 * @returns {Promise<string>} `waiting`, `resting`, `done`, `denied`, `stopped` …
 */
export async function restOf({ server }, { token }) {
  return (await server.caseOutcome(token)).state ?? "";
}

/** The person thought better of it: what is open at the server is closed, if it can be reached. @param {App} app @param {Case} opened */
export const giveUp = ({ server }, { token }) => void server.endCase(token).catch(() => {});

/** @param {App} app @param {CaseOutcome} said @param {Case} opened @returns {Promise<Ticket>} */
async function ticketOf({ clock }, { request: text, rests_until: rests, attested }, opened) {
  if (!text) throw new Refused("case_not_granted");
  const request = await readEnrolRequest(text, { now: clock.seconds() });
  return { text, request, opened, rests, attested };
}
