// Opening the root with a PIN or with biometrics. Any PIN opens it; see spec §3, "No oracle".

import { randomBytes } from "../protocol/encoding.js";
import { Unavailable } from "../protocol/errors.js";
import { hkdfKey, openWithBiometrics, turnWithPin } from "../protocol/keys.js";
import { assert } from "../device/biometrics.js";
import { stretch } from "../device/stretch.js";

/** @typedef {import("../device/vault.js").Device} Device */
/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */

/** The root for deriving only; its bytes are wiped. @param {Bytes} root */
export async function sealedRoot(root) {
  const key = await hkdfKey(root);
  root.fill(0);
  return key;
}

/**
 * The root's bytes, for protecting it anew; to be wiped by whoever asked.
 *
 * @param {Device} device
 * @param {string} pin
 * @returns {Promise<Bytes>}
 */
export async function rootByPin({ kd, cpin }, pin) {
  if (!cpin) throw new Unavailable("pin_not_set");
  const stretched = await stretch(pin, cpin.salt, cpin.stretch);
  return turnWithPin(kd, stretched, cpin.iv, cpin.data);
}

/** @param {Device} device @returns {Promise<Bytes>} */
export async function rootByBiometrics({ bio }) {
  if (!bio?.cbio) throw new Unavailable("biometrics_unavailable");
  // Only the extension's answer counts here; nobody is shown the assertion.
  const { prf } = await assert({ credential: bio.credential, challenge: randomBytes(32) });
  if (!prf) throw new Unavailable("biometrics_unavailable");
  try {
    return await openWithBiometrics(prf, bio.cbio);
  } catch {
    throw new Unavailable("biometrics_unavailable");
  } finally {
    prf.fill(0);
  }
}

/** @param {Device} device @param {string} pin @returns {Promise<CryptoKey>} */
export const unlockWithPin = async (device, pin) => sealedRoot(await rootByPin(device, pin));

/** @param {Device} device @returns {Promise<CryptoKey>} */
export const unlockWithBiometrics = async (device) => sealedRoot(await rootByBiometrics(device));
