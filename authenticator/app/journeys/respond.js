// Challenge and response (spec §9). Uses no network.

import { childKey } from "../protocol/keys.js";
import { respond as compute } from "../protocol/ocra.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */

/** Seconds for which a response is shown. */
export const SHOWN_FOR = 60;

/**
 * @param {App} app
 * @param {Account} account
 * @param {string} challenge six digits
 * @param {CryptoKey} root
 * @returns {Promise<string>} eight digits, kept nowhere
 */
export async function respond({ vault }, account, challenge, root) {
  const counter = await vault.takeCounter(account.id);
  const key = await childKey(root, "response", account.id);
  const digits = await compute(key, counter, challenge);
  key.fill(0);
  // Somebody who types responses gets no pushes: the subscription is renewed at the next contact.
  await vault.keep("renewPushes", true);
  const { id: enrollment, account: name, organisation } = account;
  await vault.remember({ at: Date.now(), enrollment, account: name, organisation, outcome: "response", browser: "", place: "" });
  return digits;
}
