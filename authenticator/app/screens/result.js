// How a request ended, what happens in the browser now, and the next step.

import { home, openRequest } from "../app.js";
import { note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {{result: string, account?: Account, id?: string, kind?: string, other: string | null}} Params */
/** @typedef {import("../ui/icons.js").IconName} IconName */

/** @type {Record<string, {icon: IconName, look: string}>} */
const LOOKS = {
  approved: { icon: "open", look: "good" },
  denied: { icon: "shut", look: "ink" },
  reported: { icon: "flag", look: "bad" },
  expired: { icon: "clock", look: "soft" },
  number_wrong: { icon: "shut", look: "bad" },
  failed: { icon: "shut", look: "bad" },
  signed_in: { icon: "open", look: "good" },
  ended: { icon: "mark", look: "soft" },
};

/** @type {import("../ui/router.js").Show} */
export function result(/** @type {App} */ app, /** @type {Params} */ { result: name, account, id = "", kind = "", other }) {
  const known = Object.hasOwn(LOOKS, name) ? name : "ended";
  // What an approval brings about depends on what was asked for.
  const done = known === "approved" && kind !== "" && kind !== "sign_in";
  const next = other ? button(t("result.next"), () => openRequest(app, other), { weight: "brass" }) : null;
  const lead = h("p", { class: "lead", role: "status" }, done ? t(`result.done.${kind}.lead`) : t(`result.${known}.lead`));
  // The receipt: the browser has got in.
  const stop = app.watch.subscribe(() => {
    if (known === "approved" && !done && app.watch.outcomes.get(id) === "signed_in") lead.textContent = t("result.signed_in.lead");
  });
  return {
    title: other && known === "expired" ? t("result.expired.other") : t(`result.${known}.title`),
    passing: true,
    body: [
      lead,
      account && h("p", { class: "soft" }, `${account.organisation} · ${account.account}`),
      note({ icon: "on", text: nextOf(known, done ? kind : "", other) }),
      h("div", { class: "picture arrive" }, icon(LOOKS[known].icon, LOOKS[known].look)),
    ],
    leave: stop,
    foot: [next, button(t("action.done"), () => home(app), { weight: next ? "plain" : "brass" })],
  };
}

/** @param {string} known @param {string} done the kind, if something else than a sign-in was approved @param {string | null} other */
function nextOf(known, done, other) {
  if (done) return t(`result.done.${done}.next`);
  return other && known === "expired" ? t("result.expired.other.next") : t(`result.${known}.next`);
}
