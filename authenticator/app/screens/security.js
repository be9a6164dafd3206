// How approvals are protected on this phone: a PIN, or the phone's own lock.

import { fail } from "../app.js";
import { available } from "../device/biometrics.js";
import { system } from "../device/phone.js";
import { protectWithBiometrics, protectWithPin } from "../journeys/activate.js";
import { Problem } from "../protocol/errors.js";
import { pinRefusal } from "../protocol/keys.js";
import { alertLine, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { onEnter, pinField } from "../ui/fields.js";
import { unlock } from "../ui/unlock_sheet.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/activate.js").Draft} Draft */

/** @type {import("../ui/router.js").Show} */
export async function security(/** @type {import("../app.js").App} */ app, /** @type {{draft: Draft, pinToo?: boolean, pinFirst?: boolean}} */ params) {
  const { draft, pinToo = false } = params;
  if (draft.existing) return existing(app, draft);
  const biometrics = !pinToo && (await available());
  const first = biometrics && !params.pinFirst && system() === "ios";
  return first ? lock(app, draft) : pin(app, draft, { pinToo, biometrics });
}

/** @param {App} app @param {Draft} draft */
const proceed = (app, draft) => app.router.go("activating", { draft });

/** Another account on the same phone: the same PIN, typed twice, for a slip would go unnoticed. @param {App} app @param {Draft} draft */
function existing(app, draft) {
  const open = async () => {
    const { device } = draft;
    draft.root = await unlock({ device, title: t("existing.sheet"), text: t("existing.sheet.text"), twice: true });
    if (draft.root) await proceed(app, draft);
  };
  return {
    title: t("existing.title"),
    lead: draft.device.cpin ? t("existing.pin") : t("existing.lock"),
    passing: true,
    back: () => void app.router.go("confirm", { ticket: draft.ticket }),
    body: [note({ icon: "keys", text: t("existing.note") })],
    foot: [button(t("existing.open"), open, { weight: "brass" })],
  };
}

/** @param {App} app @param {Draft} draft */
function lock(app, draft) {
  const alert = alertLine();
  const use = button(t("lock.use"), () => void register(app, draft, use, alert.say), { weight: "brass", icon: "print" });
  return {
    title: t("lock.title"),
    lead: t("lock.lead"),
    passing: true,
    body: [note({ icon: "print", text: t("lock.note") }), alert.line],
    foot: [use, h("p", { class: "centre" }, link(t("lock.pin"), () => app.router.go("security", { draft, pinFirst: true })))],
  };
}

/** @param {App} app @param {Draft} draft @param {HTMLButtonElement} pressed @param {(text: string) => void} say */
const register = (app, draft, pressed, say) =>
  busy(pressed, t("lock.working"), async () => {
    try {
      // Without the extension the lock cannot open the root: a PIN is needed for responses offline.
      if (await protectWithBiometrics(draft)) await proceed(app, draft);
      else await app.router.go("security", { draft, pinToo: true });
    } catch (problem) {
      if (!(problem instanceof Problem)) return fail(app, problem);
      say(whyOf(problem));
    }
  });

/** @param {App} app @param {Draft} draft @param {{pinToo: boolean, biometrics: boolean}} how */
async function pin(app, draft, { pinToo, biometrics }) {
  const { policy, account: masked } = draft.ticket.request;
  const names = [masked, ...(await app.vault.accounts()).map(({ account }) => account)];
  const first = pinField(t("pin.choose"), { hint: t("pin.length", { min: policy.pin_min, max: policy.pin_max }) });
  const again = pinField(t("pin.again"), { with: first.input });
  const alert = alertLine();
  const reasonOf = (/** @type {string} */ text) => {
    const reason = pinRefusal(text, policy, names);
    return reason && t(`pin.reason.${reason}`, { min: policy.pin_min, max: policy.pin_max });
  };
  first.input.addEventListener("input", () => {
    const text = first.input.value;
    // Too short is no mistake while somebody is still typing.
    first.refuse([...text].length >= policy.pin_min ? (reasonOf(text) ?? "") : "");
    again.refuse("");
  });
  again.input.addEventListener("input", () => again.refuse(""));
  const submit = async () => {
    const text = first.input.value;
    const reason = reasonOf(text);
    if (reason) return refuse(first, reason);
    if (text.normalize("NFC") !== again.input.value.normalize("NFC")) return refuse(again, t("pin.differs"));
    await busy(save, t("pin.working"), async () => {
      try {
        await protectWithPin(draft, text);
        first.input.value = again.input.value = "";
        await proceed(app, draft);
      } catch (problem) {
        await fail(app, problem);
      }
    });
  };
  const save = button(t("pin.save"), submit, { weight: "brass" });
  onEnter(first.input, () => again.input.focus());
  onEnter(again.input, () => void submit());
  const use = link(t("pin.lock"), () => app.router.go("security", { draft }));
  const useNow = button(t("lock.use"), () => void register(app, draft, useNow, alert.say), { icon: "print" });
  const other = biometrics && (system() === "ios" ? use : useNow);
  return {
    title: pinToo ? t("pin.too.title") : t("pin.title"),
    lead: pinToo ? t("pin.too.lead") : t("pin.lead"),
    passing: true,
    focus: first.input,
    body: [first.field, again.field, guidelines(policy), alert.line],
    foot: [save, other && h("p", { class: "centre or" }, other)],
  };
}

/** @param {import("../ui/fields.js").Field} field @param {string} reason */
function refuse({ refuse: say, input }, reason) {
  say(reason);
  input.focus();
}

/** @param {{pin_min: number, pin_max: number}} policy */
const guidelines = (policy) =>
  h(
    "section",
    { class: "card guidelines", "aria-label": t("pin.guidelines") },
    h("h2", {}, t("pin.guidelines")),
    h(
      "ul",
      {},
      h("li", {}, t("pin.guideline.1", { min: policy.pin_min, max: policy.pin_max })),
      h("li", {}, t("pin.guideline.2")),
      h("li", {}, t("pin.guideline.3")),
      h("li", {}, t("pin.guideline.4")),
    ),
  );
