// The eight digits, for a minute. They are kept nowhere: when this screen goes, they are gone.

import { home } from "../app.js";
import { SHOWN_FOR } from "../journeys/respond.js";
import { currentResync } from "../journeys/resync.js";
import { grouped } from "../protocol/ocra.js";
import { note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { ring } from "../ui/ring.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {{digits: string, challenge: string, account: import("../device/vault.js").Account}} Params */

/** @type {import("../ui/router.js").Show} */
export async function response(/** @type {App} */ app, /** @type {Params} */ { digits, challenge, account }) {
  const until = performance.now() + SHOWN_FOR * 1000;
  // Read digit by digit, not as a number of millions.
  const number = h("output", { class: "number", "aria-label": t("response.label", { digits: [...digits].join(" ") }) }, grouped(digits));
  const gone = h("p", { class: "centre soft", role: "status" });
  const clock = ring({
    total: SHOWN_FOR,
    left: () => (until - performance.now()) / 1000,
    text: (left) => t("response.seconds", { left }),
    label: t("response.left"),
    over: () => {
      number.textContent = "···· ····";
      number.setAttribute("aria-label", t("response.over"));
      number.classList.add("over");
      gone.textContent = t("response.over");
    },
  });
  // Who came here to bring things back into step goes on with that.
  const resync = await currentResync(app);
  const on = () => (resync?.id === account.id ? app.router.go("resync", { id: account.id }) : home(app));
  const again = button(t("response.again"), () => app.router.go("authenticate", { id: account.id }));
  return {
    title: t("response.title"),
    lead: t("response.lead", { challenge: challenge.replace(/^(.{3})/u, "$1 "), account: account.account }),
    passing: true,
    body: [
      clock.ring,
      h("div", { class: "card centre" }, number, gone),
      h("p", {}, t("response.what")),
      note({ icon: "turn", text: t("response.resync") }),
      h("p", { class: "soft" }, t("response.warning")),
    ],
    foot: [h("div", { class: "pair" }, again, button(t("action.done"), on, { weight: "brass" }))],
    leave: () => clock.stop(),
  };
}
