// The sheet that asks for the PIN or for biometrics. It hands back what was opened; whether the
// PIN was right only the server can say, so nothing here claims to know.

import { unlockWithBiometrics, unlockWithPin } from "../journeys/unlock.js";
import { Problem } from "../protocol/errors.js";
import { alertLine } from "./cards.js";
import { busy, button, link } from "./controls.js";
import { h, uniqueId } from "./element.js";
import { onEnter, pinField } from "./fields.js";
import { counted, t, whyOf } from "./words.js";

/** @typedef {import("../device/vault.js").Device} Device */
/**
 * @typedef {object} Question
 * @property {Device} device
 * @property {string} title
 * @property {string} text
 * @property {string} [wrong] what was wrong with the last answer
 * @property {boolean} [twice] a slip would go unnoticed here, so the PIN is typed two times
 * @property {(root: CryptoKey) => Promise<unknown>} [check] has the server say whether the PIN was right
 * @property {() => unknown} [forgot] where those go who do not know it
 */

/**
 * @param {Question} question
 * @returns {Promise<CryptoKey | null>} the root, or null if the person thought better of it
 */
export async function unlock(question) {
  const { device } = question;
  const byBiometrics = Boolean(device.bio?.cbio);
  if (byBiometrics && !question.wrong) {
    try {
      return await unlockWithBiometrics(device);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      question = { ...question, wrong: whyOf(problem) };
    }
  }
  return new Promise((resolve) => openSheet(question, byBiometrics, resolve));
}

/** @param {Question} question @param {boolean} byBiometrics @param {(root: CryptoKey | null) => void} resolve */
function openSheet({ device, title, text, wrong, twice, check, forgot }, byBiometrics, resolve) {
  const heading = uniqueId();
  const alert = alertLine();
  const first = pinField(t("pin.yours"));
  const again = pinField(t("pin.again"), { with: first.input });
  /** @type {CryptoKey | null} */
  let root = null;
  let running = false;
  const attempt = async (/** @type {() => Promise<CryptoKey>} */ open) => {
    if (running) return;
    running = true;
    alert.say("");
    try {
      root = await busy(proceed, check ? t("unlock.checking") : t("unlock.working"), open);
      sheet.close();
    } catch (problem) {
      alert.say(wrongOf(problem));
      first.input.select();
    } finally {
      running = false;
    }
  };
  const opened = async (/** @type {string} */ pin) => {
    const candidate = await unlockWithPin(device, pin);
    await check?.(candidate);
    return candidate;
  };
  const submit = () => {
    const pin = first.input.value;
    if (pin === "") return first.refuse(t("pin.missing"));
    if (twice && pin.normalize("NFC") !== again.input.value.normalize("NFC")) return again.refuse(t("pin.differs"));
    void attempt(() => opened(pin));
  };
  const proceed = button(t("action.continue"), submit, { weight: "brass" });
  const biometrics = byBiometrics && link(t("unlock.biometrics"), () => void attempt(() => unlockWithBiometrics(device)));
  const lost = device.cpin && forgot && link(t("unlock.forgot"), () => (sheet.close(), void forgot()));
  /** @type {HTMLDialogElement} */
  const sheet = h(
    "dialog",
    { class: "sheet", "aria-labelledby": heading, onclose: () => finish() },
    h("h2", { id: heading }, title),
    h("p", { class: "soft" }, text),
    device.cpin && [first.field, twice && again.field],
    alert.line,
    h("div", { class: "pair" }, button(t("action.cancel"), () => sheet.close()), device.cpin && proceed),
    h("div", { class: "links" }, biometrics, lost),
  );
  const finish = () => {
    first.input.value = again.input.value = "";
    sheet.remove();
    resolve(root);
  };
  for (const { input } of [first, again]) onEnter(input, submit);
  document.body.append(sheet);
  sheet.showModal();
  if (wrong) alert.say(wrong);
  if (device.cpin) first.input.focus();
}

/** Why a PIN was not taken: with the tries left, where the server tells them. @param {unknown} problem */
export function wrongOf(problem) {
  const { code, facts } = problem instanceof Problem ? problem : new Problem("unexpected");
  if (code !== "proof_wrong") return whyOf(problem);
  return Number(facts.left) > 0 ? counted("unlock.wrong", Number(facts.left)) : t("unlock.wrong_last");
}
