// The phone is linked. Notifications are asked for here, in a tap, with the reason.

import { home } from "../app.js";
import { installed, shake, system } from "../device/phone.js";
import { permission } from "../device/push.js";
import { allowPushes } from "../journeys/pushes.js";
import { facts, note } from "../ui/cards.js";
import { busy, button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { t } from "../ui/words.js";

/** @typedef {import("../device/vault.js").Account} Account */

/** @type {import("../ui/router.js").Show} */
export function done(/** @type {import("../app.js").App} */ app, /** @type {{account: Account}} */ { account }) {
  shake([20, 60, 20]);
  const undecided = permission() === "undecided" && account.vapid !== "";
  const finish = button(t("action.done"), () => home(app), { weight: undecided ? "plain" : "brass" });
  const allow = button(t("push.allow"), () => void ask(), { weight: "brass", icon: "bell" });
  const ask = () =>
    busy(allow, t("push.working"), async () => {
      const state = await allowPushes(app).catch(() => "unavailable");
      await (state === "granted" ? home(app) : app.router.go("notifications", { state }));
    });
  return {
    title: t("done.title"),
    lead: t("done.lead", { organisation: account.organisation }),
    passing: true,
    body: [
      facts([
        [t("fact.account"), account.account],
        [t("fact.phone"), account.label],
      ]),
      undecided && note({ icon: "bell", text: t("push.why") }),
      !installed() && system() === "android" && note({ icon: "phone", text: t("done.install") }),
      h("div", { class: "picture arrive" }, icon("open", "good")),
    ],
    foot: undecided ? [allow, finish] : [finish],
  };
}
