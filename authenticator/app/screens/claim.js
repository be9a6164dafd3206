// A rotating QR code was seen: for which account, then the same question as always. The code
// changes every two seconds, so whoever had to choose holds the phone to it once more.

import { fail, home } from "../app.js";
import { claimSignIn } from "../device/notice_calls.js";
import { claimOf } from "../protocol/claim_link.js";
import { Problem } from "../protocol/errors.js";
import { accountChoice } from "../ui/account_choice.js";
import { note, steps } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../protocol/claim_link.js").ClaimLink} ClaimLink */
/** @typedef {{link: ClaimLink, id?: string}} Params `id`: the account, chosen before */

/** @type {import("../ui/router.js").Show} */
export async function claim(/** @type {App} */ app, /** @type {Params} */ { link, id }) {
  const accounts = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  if (accounts.length === 0) return nobody(app);
  const chosen = accounts.length === 1 ? accounts[0] : accounts.find((one) => one.id === id);
  return chosen ? claiming(app, link, chosen) : choosing(app, link, accounts);
}

/** @param {App} app @returns {import("../ui/router.js").Screen} */
function nobody(app) {
  return {
    title: t("claim.nobody.title"),
    lead: t("claim.nobody.lead"),
    passing: true,
    body: [note({ icon: "on", text: t("claim.nobody.next") }), h("div", { class: "picture" }, icon("shut", "soft"))],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}

/** @param {App} app @param {ClaimLink} link @param {Account[]} accounts @returns {import("../ui/router.js").Screen} */
function choosing(app, link, accounts) {
  /** @type {Account | null} */
  let chosen = null;
  const go = button(t("action.continue"), () => chosen && void app.router.go("claim", { link, id: chosen.id }), { weight: "brass" });
  go.hidden = true;
  const choose = (/** @type {Account} */ account) => {
    chosen = account;
    go.hidden = false;
  };
  return {
    title: t("claim.which"),
    lead: t("claim.which.lead"),
    back: () => void home(app),
    passing: true,
    body: [accountChoice(t("authenticate.account"), accounts, null, choose)],
    foot: [go],
  };
}

/** @param {App} app @param {ClaimLink} link @param {Account} account @returns {import("../ui/router.js").Screen} */
function claiming(app, link, account) {
  const { list, show } = steps([t("claim.read"), t("claim.ask", { organisation: account.organisation }), t("activating.ask")]);
  show(1);
  let left = false;
  void (async () => {
    try {
      const { request } = await claimSignIn(app.server, account, claimOf(link));
      const waiting = await app.watch.take(account, request);
      if (!left) await app.router.go("request", { id: waiting.id });
    } catch (problem) {
      if (left) return;
      if (problem instanceof Problem && problem.code === "claim_over") await app.router.go("scan", { claimFor: account.id, say: t("claim.newer") });
      else await fail(app, problem);
    }
  })();
  return {
    title: t("claim.title"),
    lead: `${account.account} · ${account.organisation}`,
    passing: true,
    body: [list],
    leave: () => (left = true),
  };
}
