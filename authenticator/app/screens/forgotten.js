// Forgot your PIN? Nobody has it, so nobody can tell it. The owner alone gets this phone new
// keys under a new PIN, account by account.

import { beginWithPassword, fail } from "../app.js";
import { opens } from "../device/vault.js";
import { begin } from "../journeys/activate.js";
import { note } from "../ui/cards.js";
import { button, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../journeys/activate.js").Ticket} Ticket */

/** @type {import("../ui/router.js").Show} */
export async function forgotten(/** @type {App} */ app, /** @type {{ticket?: Ticket}} */ { ticket }) {
  const device = await app.vault.device();
  const accounts = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  // Once the first account has its new PIN, the others follow with the same one.
  const begun = accounts.some((account) => !opens(device, account));
  const left = begun ? accounts.filter((account) => !opens(device, account)) : accounts;
  const byLock = Boolean(device?.bio?.cbio) && !begun;
  if (ticket) return withTicket(app, ticket, accounts.length);
  return {
    title: begun ? t("forgotten.begun.title") : t("forgotten.title"),
    lead: begun ? t("forgotten.begun.lead") : t("forgotten.lead"),
    back: true,
    body: [
      byLock && row({ title: t("forgotten.lock"), text: t("forgotten.lock.text"), icon: "print", act: () => app.router.go("change_pin", { byLock: true }) }),
      h("h2", {}, begun ? t("forgotten.begun.accounts") : t("forgotten.accounts")),
      h("p", { class: "soft" }, t("forgotten.ways")),
      h("div", { class: "rows" }, left.map((account) => accountRow(app, account, !begun))),
      h("h2", {}, t("forgotten.portal")),
      h("p", { class: "soft" }, t("forgotten.portal.text")),
      row({ title: t("forgotten.scan"), text: t("forgotten.scan.text"), icon: "scan", act: () => app.router.go("scan", { newPin: !begun }) }),
      !begun && note({ icon: "warn", text: t("forgotten.warning") }),
    ],
  };
}

/** @param {App} app @param {Account} account @param {boolean} newPin */
const accountRow = (app, { id, account, organisation, label }, newPin) =>
  row({
    title: account,
    text: organisation,
    icon: "person",
    act: () => beginWithPassword(app, { why: "renew", username: account, label, former: id, newPin }),
  });

/** A code for an account is at hand already: it can carry the new PIN. @param {App} app @param {Ticket} ticket @param {number} count */
function withTicket(app, ticket, count) {
  const go = async () => {
    try {
      await app.router.go("security", { draft: await begin(app, { ...ticket, newPin: true }) });
    } catch (problem) {
      await fail(app, problem);
    }
  };
  return {
    title: t("forgotten.title"),
    lead: t("forgotten.ticket.lead"),
    back: () => void app.router.go("confirm", { ticket }),
    passing: true,
    body: [
      h("p", {}, t("forgotten.ticket.new")),
      count > 0 && note({ icon: "warn", text: t("forgotten.ticket.others") }),
    ],
    foot: [
      button(t("forgotten.ticket.go"), go, { weight: "brass" }),
      button(t("forgotten.ticket.back"), () => app.router.go("confirm", { ticket })),
    ],
  };
}
