// The last rung: one sign-in by challenge and response brings phone and server back into step,
// and the phone subscribes anew. Each step is seen where it can be seen.

import { lastArrival, permission } from "../device/push.js";
import { keepPushes } from "./pushes.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {{id: string, at: number, responded: number | null, signedIn: number | null, arrived: number | null}} Resync times in ms, this phone's clock */

// Later it is another day's trouble.
const LASTS_MS = 30 * 60_000;
/** Outcomes that were known when it began. @type {Set<string>} */
let known = new Set();

/** @param {App} app @param {string} id enrollment @returns {Promise<Resync>} */
export async function beginResync({ vault, watch }, id) {
  /** @type {Resync} */
  const resync = { id, at: Date.now(), responded: null, signedIn: null, arrived: null };
  known = new Set(watch.outcomes.keys());
  await vault.keep("resync", resync);
  return resync;
}

/** The one under way. @param {App} app @returns {Promise<Resync | null>} */
export async function currentResync({ vault }) {
  /** @type {Resync | undefined} */
  const resync = await vault.thing("resync");
  return resync && Date.now() - resync.at < LASTS_MS ? resync : null;
}

/** @param {App} app */
export const endResync = ({ vault }) => vault.keep("resync", undefined);

/**
 * Subscribes anew even where there is a subscription: it may be dead without knowing.
 *
 * @param {App} app
 * @returns {Promise<"ok" | "denied" | "unavailable">}
 */
export async function subscribeAnew(app) {
  if (permission() !== "granted") return permission() === "denied" ? "denied" : "unavailable";
  try {
    await app.vault.keep("renewPushes", true);
    await keepPushes(app);
    // It may have joined a run that had begun before.
    if (await app.vault.thing("renewPushes")) await keepPushes(app);
    return (await app.vault.thing("renewPushes")) ? "unavailable" : "ok";
  } catch {
    return "unavailable";
  }
}

/**
 * What has happened since it began.
 *
 * @param {App} app
 * @param {Resync} resync
 * @returns {Promise<Resync>}
 */
export async function advance({ vault, watch }, resync) {
  const next = { ...resync };
  const response = (await vault.history()).find(({ outcome, enrollment, at }) => outcome === "response" && enrollment === resync.id && at >= resync.at);
  next.responded ??= response?.at ?? null;
  const accepted = [...watch.outcomes].some(([id, result]) => result === "signed_in" && !known.has(id));
  if (next.responded && accepted) next.signedIn ??= Date.now();
  const arrival = await lastArrival("sign-in");
  if (next.responded && arrival && arrival > next.responded) next.arrived ??= arrival;
  if (JSON.stringify(next) !== JSON.stringify(resync)) await vault.keep("resync", next);
  return next;
}

/** How many of the nine steps are behind. @param {Resync} resync */
export function stepsDone({ responded, signedIn, arrived }) {
  if (arrived) return 9;
  if (signedIn) return 7;
  return responded ? 6 : 0;
}
