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

/** @param {Device} device @param {string} pin @returns {Promise<CryptoKey>} */
export async function unlockWithPin({ kd, cpin }, pin) {
  if (!cpin) throw new Unavailable("pin_not_set");
  const stretched = await stretch(pin, cpin.salt, cpin.stretch);
  return sealedRoot(await turnWithPin(kd, stretched, cpin.iv, cpin.data));
}

/** @param {Device} device @returns {Promise<CryptoKey>} */
export async function unlockWithBiometrics({ bio }) {
  if (!bio?.cbio) throw new Unavailable("biometrics_unavailable");
  // Only the extension's answer counts here; nobody is shown the assertion.
  const { prf } = await assert({ credential: bio.credential, challenge: randomBytes(32) });
  if (!prf) throw new Unavailable("biometrics_unavailable");
  try {
    return await sealedRoot(await openWithBiometrics(prf, bio.cbio));
  } catch {
    throw new Unavailable("biometrics_unavailable");
  } finally {
    prf.fill(0);
  }
}
