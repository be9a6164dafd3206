// How approvals are protected on this phone: a PIN, or the phone's own lock. A phone that has
// accounts already is asked for what protects them, once.

import { fail } from "../app.js";
import { available } from "../device/biometrics.js";
import { system } from "../device/phone.js";
import { protectWithBiometrics, protectWithPin } from "../journeys/activate.js";
import { prove, witnesses } from "../journeys/pin.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { NewPin } from "../ui/new_pin.js";
import { unlock } from "../ui/unlock_sheet.js";
import { counted, t, whyOf } from "../ui/words.js";

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

/** For whom all this is. @param {Draft} draft */
const whom = ({ ticket: { request, opened } }) => `${opened?.account ?? request.account} · ${request.organisation}`;

/**
 * Another account on the same phone: the same PIN, and the server says whether it was the right one.
 * Where no account is left to ask under, it is typed twice, for a slip would go unnoticed.
 *
 * @param {App} app
 * @param {Draft} draft
 */
async function existing(app, draft) {
  const { device, ticket } = draft;
  const known = witnesses(device, await app.vault.accounts());
  const twice = known.length === 0;
  const forgot = () => app.router.go("forgotten", { ticket });
  const open = async () => {
    const check = twice ? undefined : (/** @type {CryptoKey} */ root) => prove(app, root);
    const text = twice ? t("existing.sheet.twice") : t("existing.sheet.text");
    draft.root = await unlock({ device, title: t("existing.sheet"), text, twice, check, forgot });
    if (draft.root) await proceed(app, draft);
  };
  return {
    title: t("existing.title"),
    lead: whom(draft),
    passing: true,
    back: () => void app.router.go("confirm", { ticket }),
    body: [
      note({ icon: device.cpin ? "digits" : "print", text: device.cpin ? t("existing.pin") : t("existing.lock") }),
      known.length > 0 && h("h2", {}, counted("existing.accounts", known.length)),
      h(
        "ul",
        { class: "rows plain-list" },
        known.map(({ account, organisation }) =>
          h("li", { class: "row still" }, h("span", { class: "row-text" }, h("b", {}, account), h("span", { class: "soft" }, organisation))),
        ),
      ),
      device.cpin && note({ icon: "mark", text: t("existing.note") }),
    ],
    foot: [button(t("existing.open"), open, { weight: "brass" }), device.cpin && h("p", { class: "centre" }, link(t("unlock.forgot"), forgot))],
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
    body: [h("p", { class: "soft" }, whom(draft)), note({ icon: "print", text: t("lock.note") }), alert.line],
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
  const { request, opened } = draft.ticket;
  const { policy } = request;
  const names = [opened?.account ?? request.account, ...(await app.vault.accounts()).map(({ account }) => account)];
  const fresh = new NewPin(policy, names);
  const alert = alertLine();
  const submit = async () => {
    const text = fresh.read();
    if (text === null) return;
    await busy(save, t("pin.working"), async () => {
      try {
        await protectWithPin(draft, text);
        fresh.clear();
        await proceed(app, draft);
      } catch (problem) {
        await fail(app, problem);
      }
    });
  };
  const save = button(t("pin.save"), submit, { weight: "brass" });
  fresh.onDone(() => void submit());
  const use = link(t("pin.lock"), () => app.router.go("security", { draft }));
  const useNow = button(t("lock.use"), () => void register(app, draft, useNow, alert.say), { icon: "print" });
  const other = biometrics && (system() === "ios" ? use : useNow);
  return {
    title: pinToo ? t("pin.too.title") : t("pin.title"),
    lead: pinToo ? t("pin.too.lead") : t("pin.lead"),
    passing: true,
    focus: fresh.first.input,
    body: [h("p", { class: "soft" }, whom(draft)), fresh.first.field, fresh.again.field, guidelines(policy), alert.line],
    foot: [save, other && h("p", { class: "centre or" }, other)],
  };
}

/** In short, where it is needed; the rest unfolds, so that what was typed stays. @param {{pin_min: number, pin_max: number}} policy */
const guidelines = (policy) =>
  h(
    "details",
    { class: "card guidelines" },
    h("summary", {}, t("pin.guidelines")),
    h(
      "ul",
      {},
      h("li", {}, t("pin.guideline.1", { min: policy.pin_min, max: policy.pin_max })),
      h("li", {}, t("guide.good.2")),
    ),
    h("p", {}, h("strong", {}, t("guide.poor"))),
    h(
      "ul",
      {},
      h("li", {}, t("guide.poor.1")),
      h("li", {}, t("guide.poor.2")),
      h("li", {}, t("guide.poor.3")),
      h("li", {}, t("guide.poor.4")),
    ),
  );
