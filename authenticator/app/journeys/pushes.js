// Keeps the server's knowledge of this phone's push subscription right.

import { askPermission, permission, subscribe } from "../device/push.js";

/** @typedef {import("../app.js").App} App */

/** Enrollments whose server asked for a renewal that was made: once a start of the app is enough. @type {Set<string>} */
const renewed = new Set();

/** @type {Promise<void> | null} */
let running = null;

/**
 * Tells the server of every account whose subscription it does not know, or found dead. Quiet
 * when there is nothing to tell.
 *
 * @param {App} app
 */
export function keepPushes(app) {
  // Two at once would each subscribe anew, and the server might keep the one that died.
  running ??= keep(app).finally(() => (running = null));
  return running;
}

/** @param {App} app */
async function keep({ vault, server, watch }) {
  if (permission() !== "granted") return;
  const accounts = (await vault.accounts()).filter(({ vapid, ended, pending }) => vapid && !ended && !pending);
  if (accounts.length === 0) return;
  const asked = accounts.filter(({ id }) => !renewed.has(id) && (watch.pushes.get(id) ?? "ok") !== "ok");
  // After a response by hand, or a push that came back, the subscription may be dead without knowing.
  const anew = (await vault.thing("renewPushes")) === true || asked.some(({ id, pushed }) => pushed !== null && watch.pushes.get(id) === "gone");
  for (const { id } of asked) renewed.add(id);
  const subscription = await subscribe(accounts[0].vapid, anew);
  for (const account of accounts) {
    if (account.pushed === subscription.endpoint && !anew && !asked.includes(account)) continue;
    await server.setSubscription(account, subscription);
    await vault.change(account.id, { pushed: subscription.endpoint });
  }
  if (anew) await vault.keep("renewPushes", undefined);
}

/** In a tap: asks for permission, subscribes and tells the server. @param {App} app @returns {Promise<"unsupported" | "undecided" | "denied" | "granted">} */
export async function allowPushes(app) {
  const state = await askPermission();
  if (state === "granted") await keepPushes(app);
  return state;
}
