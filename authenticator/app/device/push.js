// Web Push. Only a nudge: whatever goes wrong here costs a tap, never a sign-in.

import { unb64u, b64u } from "../protocol/encoding.js";
import { Unavailable } from "../protocol/errors.js";
import { within } from "./patience.js";

/** @typedef {import("../protocol/messages.js").Subscription} Subscription */

/** @returns {"unsupported" | "undecided" | "denied" | "granted"} */
export function permission() {
  if (!("Notification" in globalThis) || !("PushManager" in globalThis) || !navigator.serviceWorker) return "unsupported";
  return Notification.permission === "default" ? "undecided" : Notification.permission;
}

/** To be called in a tap. */
export async function askPermission() {
  await within(60_000, Promise.resolve(Notification.requestPermission()), "push_unavailable");
  return permission();
}

/** @param {PushSubscription} subscription @returns {Subscription} */
function facts(subscription) {
  const key = (/** @type {PushEncryptionKeyName} */ name) => b64u(new Uint8Array(subscription.getKey(name) ?? []));
  return { endpoint: subscription.endpoint, p256dh: key("p256dh"), auth: key("auth") };
}

/**
 * The subscription of this phone under the server's key, made if there is none.
 *
 * @param {string} vapid
 * @param {boolean} [anew] even if there is one: it may have died without telling
 * @returns {Promise<Subscription>}
 * @throws {Unavailable} `push_unavailable`
 */
export async function subscribe(vapid, anew = false) {
  if (!vapid || permission() !== "granted") throw new Unavailable("push_unavailable");
  try {
    // Without its push service a browser may wait here for ever.
    return await within(20_000, subscribed(unb64u(vapid), anew), "push_unavailable");
  } catch {
    throw new Unavailable("push_unavailable");
  }
}

/** @param {Uint8Array<ArrayBuffer>} applicationServerKey @param {boolean} anew */
async function subscribed(applicationServerKey, anew) {
  const { pushManager } = await navigator.serviceWorker.ready;
  const existing = await pushManager.getSubscription();
  const key = existing?.options.applicationServerKey;
  const same = key && b64u(new Uint8Array(key)) === b64u(applicationServerKey);
  if (existing && same && !anew) return facts(existing);
  await existing?.unsubscribe();
  return facts(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
}

/**
 * The endpoint that this phone listens on, if any.
 *
 * @param {number} [patience] ms; a slow phone that is not waited for looks like one without
 * @returns {Promise<string | null>}
 */
export async function currentEndpoint(patience = 2000) {
  try {
    const registration = await within(patience, navigator.serviceWorker.ready, "push_unavailable");
    const existing = await within(patience, registration.pushManager.getSubscription(), "push_unavailable");
    return existing?.endpoint ?? null;
  } catch {
    return null;
  }
}

/** Whether the worker that shows notifications is at work. @param {number} patience ms @returns {Promise<boolean>} */
export async function workerActive(patience) {
  const found = navigator.serviceWorker?.getRegistration("/");
  const registration = await within(patience, Promise.resolve(found), "push_unavailable").catch(() => undefined);
  return registration?.active?.state === "activated";
}

/**
 * When a push arrived here last, as the worker noted it.
 *
 * @param {...("sign-in" | "notice" | "test")} kinds
 * @returns {Promise<number | null>} ms, this phone's clock
 */
export async function lastArrival(...kinds) {
  try {
    const cache = await caches.open("kept");
    const found = await Promise.all(kinds.map(async (kind) => Number(await (await cache.match(`/kept/push-${kind}`))?.text())));
    return Math.max(0, ...found.filter(Number.isFinite)) || null;
  } catch {
    return null;
  }
}

/** Takes away what lies in the phone's list and is of no use any more. @param {"sign-in" | "notice" | "test"} kind */
export async function clearNotifications(kind) {
  try {
    const registration = await within(2000, navigator.serviceWorker.ready, "push_unavailable");
    for (const notification of await registration.getNotifications()) {
      if ((notification.data?.kind ?? "sign-in") === kind) notification.close();
    }
  } catch {
    // Only tidiness.
  }
}

/** What an approval tells the server about pushes. @returns {Promise<"ok" | "denied" | "unavailable">} */
export async function health() {
  const state = permission();
  if (state === "denied") return "denied";
  return state === "granted" && (await currentEndpoint()) ? "ok" : "unavailable";
}
