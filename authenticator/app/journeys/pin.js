// The PIN of this phone: proven, changed, set beside the phone's own lock. One root serves all
// accounts, so all of them get the new PIN at once. Whether a PIN was right only the server can
// say; it counts wrong ones per phone, so that several accounts give no more tries.

import { opens } from "../device/vault.js";
import { stretchNew } from "../device/stretch.js";
import { b64u, randomBytes } from "../protocol/encoding.js";
import { Problem, Refused } from "../protocol/errors.js";
import { childKey, hkdfKey, nonceProof, turnWithPin } from "../protocol/keys.js";
import { rootByBiometrics, rootByPin } from "./unlock.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/vault.js").Cpin} Cpin */
/** @typedef {import("../device/vault.js").Device} Device */
/** @typedef {import("../device/vault.js").Policy} Policy */
/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */

// What the server no longer knows cannot speak for a PIN.
const GONE = new Set(["enrollment_unknown", "enrollment_revoked"]);

/** The accounts under which the server can tell whether a PIN is this phone's. @param {Device | undefined} device @param {Account[]} accounts */
export const witnesses = (device, accounts) => accounts.filter((account) => opens(device, account) && !account.ended && !account.pending);

/**
 * Has the server say whether this root is the right one.
 *
 * @param {App} app
 * @param {CryptoKey} root
 * @returns {Promise<boolean>} false if no account of this phone is left to ask under
 * @throws {Problem} `proof_wrong` with `left`, `approvals_blocked` with `wait`, `offline` …
 */
export async function prove({ vault, server }, root) {
  for (const account of witnesses(await vault.device(), await vault.accounts())) {
    const nonce = b64u(randomBytes(16));
    const knowledge = await childKey(root, "knowledge", account.id);
    const proof = await nonceProof(knowledge, nonce);
    knowledge.fill(0);
    try {
      await server.knowledge(account, { nonce, proof });
      return true;
    } catch (problem) {
      if (!(problem instanceof Problem) || !GONE.has(problem.code)) throw problem;
      await vault.change(account.id, { ended: problem.code });
    }
  }
  return false;
}

/**
 * A root under a PIN, as it is stored.
 *
 * @param {CryptoKey} kd
 * @param {Bytes} root
 * @param {string} pin
 * @param {Policy} policy
 * @returns {Promise<Cpin>}
 */
export async function underPin(kd, root, pin, policy) {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const { stretched, how } = await stretchNew(pin, salt, policy);
  return { salt, iv, data: await turnWithPin(kd, stretched, iv, root), stretch: how };
}

/**
 * Another PIN for all accounts of this phone. Nothing is changed before the server has said that
 * the current one is right: a slip would seal a wrong root for good.
 *
 * @param {App} app
 * @param {{current: string | null, pin: string, policy: Policy}} pins `current` null: the phone's own
 *   lock opens the root; its seal shows by itself whether it was the right one
 * @param {(done: number) => void} progress 1 the current PIN is right, 2 the keys are under the new one
 * @throws {Problem} `proof_wrong`, `approvals_blocked`, `pin_unprovable`, `biometrics_…`, `storage_failed`, `offline` …
 */
export async function changePin(app, { current, pin, policy }, progress) {
  const device = await app.vault.device();
  if (!device) throw new Refused("enrollment_unknown");
  const root = current === null ? await rootByBiometrics(device) : await rootByPin(device, current);
  try {
    if (current !== null && !(await prove(app, await hkdfKey(root)))) throw new Refused("pin_unprovable");
    progress(1);
    const { kd } = await app.vault.newDevice();
    await app.vault.protect({ ...device, kd, cpin: await underPin(kd, root, pin, policy) });
    progress(2);
  } finally {
    root.fill(0);
  }
}
