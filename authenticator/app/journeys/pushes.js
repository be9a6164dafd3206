// Keeps the server's knowledge of this phone's push subscription right.

import { askPermission, permission, subscribe } from "../device/push.js";

/** @typedef {import("../app.js").App} App */

/**
 * Tells the server of every account whose subscription it does not know yet. Quiet when there
 * is nothing to tell.
 *
 * @param {App} app
 */
export async function keepPushes({ vault, server }) {
  if (permission() !== "granted") return;
  const accounts = (await vault.accounts()).filter(({ vapid, ended, pending }) => vapid && !ended && !pending);
  if (accounts.length === 0) return;
  const anew = (await vault.thing("renewPushes")) === true;
  const subscription = await subscribe(accounts[0].vapid, anew);
  for (const account of accounts) {
    if (account.pushed === subscription.endpoint && !anew) continue;
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
