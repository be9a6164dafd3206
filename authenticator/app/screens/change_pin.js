// Another PIN, for all accounts of this phone at once.

import { fail } from "../app.js";
import { changePin, witnesses } from "../journeys/pin.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note, steps } from "../ui/cards.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { onEnter, pinField } from "../ui/fields.js";
import { NewPin } from "../ui/new_pin.js";
import { wrongOf } from "../ui/unlock_sheet.js";
import { counted, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */

// What the current PIN, or the network, has to do with; the new one stays as it was typed.
const HERE = new Set(["approvals_blocked", "too_many_requests", "offline", "timeout", "server_failed", "server_strange", "stretch_failed"]);

/** Rules for a phone that was linked before they were stored. @type {import("../device/vault.js").Policy} */
const USUAL = { pin_min: 4, pin_max: 6, suite: "", argon2id: { m: 19456, t: 2 }, pbkdf2: { rounds: 600_000 } };

/** @type {import("../ui/router.js").Show} */
export async function changePinScreen(/** @type {App} */ app, /** @type {{byLock?: boolean}} */ { byLock = false }) {
  const device = await app.vault.device();
  const accounts = witnesses(device, await app.vault.accounts());
  if (!device || accounts.length === 0) return app.router.screens.home(app, {});
  const lock = byLock || !device.cpin;
  const policy = device.policy ?? USUAL;
  const current = pinField(t("change.current"));
  const fresh = new NewPin(policy, accounts.map(({ account }) => account), lock ? undefined : current.input);
  const alert = alertLine();
  const progress = steps([lock ? t("change.step.lock") : t("change.step.check"), t("change.step.protect"), t("change.step.done")]);
  progress.list.hidden = true;
  let running = false;
  const working = (/** @type {boolean} */ on) => {
    running = on;
    progress.list.hidden = !on;
    progress.show(0);
    save.toggleAttribute("aria-disabled", on);
  };
  const submit = async () => {
    if (running) return;
    const old = lock ? null : current.input.value;
    if (old === "") return told(current, t("pin.missing"));
    const pin = fresh.read();
    if (pin === null) return;
    if (pin === old?.normalize("NFC")) return told(fresh.first, t("change.same"));
    alert.say("");
    working(true);
    try {
      await changePin(app, { current: old, pin, policy }, progress.show);
      fresh.clear();
      current.input.value = "";
      await app.router.go("pin_changed", { lock });
    } catch (problem) {
      working(false);
      if (!(problem instanceof Problem)) return fail(app, problem);
      if (problem.code === "proof_wrong") return told(current, wrongOf(problem));
      if (HERE.has(problem.code) || problem.code.startsWith("biometrics_")) return alert.say(whyOf(problem));
      await fail(app, problem);
    }
  };
  const save = button(lock ? t("change.save.lock") : t("change.save"), () => void submit(), { weight: "brass" });
  current.input.addEventListener("input", () => current.refuse(""));
  onEnter(current.input, () => fresh.first.input.focus());
  fresh.onDone(() => void submit());
  return {
    title: device.cpin ? t("change.title") : t("change.title.set"),
    lead: counted("change.lead", accounts.length),
    back: true,
    focus: lock ? fresh.first.input : current.input,
    body: [
      !lock && current.field,
      !lock && link(t("unlock.forgot"), () => app.router.go("forgotten")),
      lock && note({ icon: "print", text: t("change.lock") }),
      fresh.first.field,
      fresh.again.field,
      h("p", {}, link(t("pin.guidelines.link"), () => app.router.go("pin_guidelines", { policy }))),
      progress.list,
      alert.line,
    ],
    foot: [save],
  };
}

/** @param {import("../ui/fields.js").Field} given @param {string} reason */
function told({ refuse, input }, reason) {
  refuse(reason);
  input.select();
}
