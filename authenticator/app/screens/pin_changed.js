// The new PIN counts, for every account of this phone.

import { home } from "../app.js";
import { witnesses } from "../journeys/pin.js";
import { note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { counted, t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export async function pinChanged(/** @type {import("../app.js").App} */ app) {
  const accounts = witnesses(await app.vault.device(), await app.vault.accounts());
  return {
    title: t("changed.title"),
    lead: counted("changed.lead", accounts.length),
    passing: true,
    body: [
      h("ul", { class: "rows plain-list" }, accounts.map(({ account, organisation }) => h("li", { class: "row still" }, icon("check", "good"), h("span", { class: "row-text" }, h("b", {}, account), h("span", { class: "soft" }, organisation))))),
      note({ icon: "mark", text: t("changed.old") }),
    ],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}
