// What every screen is given, and how a screen is reached from a link, a push or a start.

import { mayMakeKeys } from "./device/phone.js";
import { parseLink } from "./protocol/activation_link.js";
import { parseClaimLink } from "./protocol/claim_link.js";
import { Problem } from "./protocol/errors.js";

/** @typedef {import("./journeys/activate.js").From} From */

/**
 * @typedef {object} App
 * @property {import("./device/vault.js").Vault} vault
 * @property {import("./device/clock.js").Clock} clock
 * @property {import("./device/server.js").Server} server
 * @property {import("./journeys/watch.js").Watch} watch
 * @property {import("./journeys/notices.js").Notices} notices
 * @property {import("./journeys/problems.js").Problems} problems
 * @property {import("./ui/router.js").Router} router
 * @property {import("./device/updates.js").Updates} updates
 */

/** @typedef {{link: string, expires: number}} Held a ticket kept alive while the app is installed; ms, server time */

/** The first screen there is: accounts, or the welcome. @param {App} app */
export const home = (app) => app.router.go("home", {}, { replace: true });

/** @param {App} app @param {unknown} problem @param {() => unknown} [retry] */
export async function fail(app, problem, retry) {
  const known = problem instanceof Problem ? problem : new Problem("unexpected", { cause: String(problem) });
  if (known.code === "unexpected") console.error(problem);
  await app.router.go("problem", { code: known.code, facts: known.facts, retry });
}

/** Whether a text is, by its path, a sign-in to claim and no activation. @param {string} text */
export const isClaim = (text) => /^https?:[^#?]*\/claim(?:#|$)/u.test(text.trim());

/** A sign-in shown as a code by a page of ours. @param {string} text @throws {Problem} `link_…` */
export function ownClaim(text) {
  const link = parseClaimLink(text);
  if (link.address !== location.origin) throw new Problem("link_elsewhere", { address: link.address });
  return link;
}

/** A scanned, opened or pasted link to this app. @param {string} text @throws {Problem} `link_…` */
export function ownLink(text) {
  // What people hold before the scanner by mistake is told by what it is.
  if (/^otpauth(?:-migration)?:/iu.test(text.trim())) throw new Problem("link_totp");
  if (!/^https?:/iu.test(text.trim())) throw new Problem("link_other");
  const link = parseLink(text);
  if (link.address !== location.origin) throw new Problem("link_elsewhere", { address: link.address });
  return link;
}

/**
 * From a ticket to the question whether to go on.
 *
 * @param {App} app
 * @param {From} from
 * @param {{newPin?: boolean}} [how] `newPin`: the PIN of this phone was forgotten
 */
export async function present(app, from, { newPin = false } = {}) {
  await app.router.go("activating", { from, newPin });
}

/** To the form for username and password; where no keys may be made, to the way to where they may. @param {App} app @param {object} params */
export async function beginWithPassword(app, params) {
  await (mayMakeKeys() ? app.router.go("credentials", params) : app.router.go("install"));
}

/** A notification was tapped: the one request that waits, or the list. @param {App} app */
export async function openWaiting(app) {
  await app.watch.refresh();
  const { waiting } = app.watch;
  if (app.router.name === "request") return;
  if (waiting.length === 1) await app.router.go("request", { id: waiting[0].id });
  else await home(app);
}

/**
 * A request that was asked for by a tap: shown if it still waits, else what waits instead.
 *
 * @param {App} app
 * @param {string} id
 */
export async function openRequest(app, id) {
  if (!app.watch.find(id)) await app.watch.refresh();
  const [other] = app.watch.waiting;
  if (app.watch.find(id)) await app.router.go("request", { id });
  else if (app.watch.reached === false) await fail(app, new Problem("offline"), () => openRequest(app, id));
  else await app.router.go("result", { result: "expired", other: other?.id ?? null });
}
