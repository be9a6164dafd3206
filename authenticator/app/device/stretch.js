// Stretching a PIN. argon2id needs WebAssembly, which the page's own policy forbids; a worker
// whose response carries its own policy may run it. Where that fails, PBKDF2 does.

import { Unavailable } from "../protocol/errors.js";
import { pinBytes, stretchPbkdf2 } from "../protocol/keys.js";
import { within } from "./patience.js";
import { startWorker } from "./script_urls.js";

/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */
/** @typedef {import("../protocol/keys.js").Stretch} Stretch */
/** @typedef {import("../protocol/messages.js").EnrolRequest["policy"]} Policy */

const LIMIT_MS = 30_000;

/** @param {string} pin @param {Bytes} salt @param {{m: number, t: number}} cost @returns {Promise<Bytes>} */
async function argon2id(pin, salt, cost) {
  const worker = startWorker("/app/workers/stretch.worker.js");
  try {
    /** @type {Promise<Bytes>} */
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data instanceof Uint8Array ? resolve(/** @type {Bytes} */ (data)) : reject(new Unavailable("stretch_failed")));
      worker.onerror = () => reject(new Unavailable("stretch_failed"));
    });
    worker.postMessage({ pin: pinBytes(pin), salt, ...cost });
    return await within(LIMIT_MS, answer, "stretch_failed");
  } finally {
    worker.terminate();
  }
}

/** @param {string} pin @param {Bytes} salt @param {Stretch} how @throws {Unavailable} `stretch_failed` */
export const stretch = (pin, salt, how) =>
  how.name === "argon2id" ? argon2id(pin, salt, how) : stretchPbkdf2(pin, salt, how.rounds);

/**
 * For a new PIN: the best that this phone can do, never below the policy's floor.
 *
 * @param {string} pin
 * @param {Bytes} salt
 * @param {Policy} policy
 * @returns {Promise<{stretched: Bytes, how: Stretch}>}
 */
export async function stretchNew(pin, salt, policy) {
  /** @type {Stretch} */
  const best = { name: "argon2id", m: policy.argon2id.m, t: policy.argon2id.t };
  try {
    return { stretched: await stretch(pin, salt, best), how: best };
  } catch {
    /** @type {Stretch} */
    const fallback = { name: "pbkdf2-sha256", rounds: Math.max(policy.pbkdf2.rounds, 600_000) };
    return { stretched: await stretch(pin, salt, fallback), how: fallback };
  }
}
