// Which of several accounts is meant.

import { h, uniqueId } from "./element.js";

/** @typedef {import("../device/vault.js").Account} Account */

/**
 * @param {string} legend
 * @param {Account[]} accounts
 * @param {Account | null} chosen
 * @param {(account: Account) => unknown} choose
 */
export function accountChoice(legend, accounts, chosen, choose) {
  const name = uniqueId();
  return h(
    "fieldset",
    { class: "rows" },
    h("legend", {}, legend),
    accounts.map((account) =>
      h(
        "label",
        { class: "row" },
        h("input", { type: "radio", name, checked: account.id === chosen?.id, onchange: () => void choose(account) }),
        h("span", { class: "row-text" }, h("b", {}, account.account), h("span", { class: "soft" }, account.organisation)),
      ),
    ),
  );
}
