// The three equal ways to bring an account to this phone, and where those begin who had it before.

import { beginWithPassword } from "../app.js";
import { witnesses } from "../journeys/pin.js";
import { link, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { note } from "../ui/cards.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */

/** The ways in, as the welcome and this screen list them. @param {App} app */
export const threeWays = (app) => [
  row({ title: t("welcome.scan"), text: t("welcome.scan.text"), icon: "scan", act: () => app.router.go("scan") }),
  row({ title: t("welcome.type"), text: t("welcome.type.text"), icon: "keys", act: () => app.router.go("type_code") }),
  row({ title: t("welcome.password"), text: t("welcome.password.text"), icon: "person", act: () => beginWithPassword(app, { why: "first" }) }),
];

/** @type {import("../ui/router.js").Show} */
export async function adding(app) {
  const device = await app.vault.device();
  const same = witnesses(device, await app.vault.accounts()).length > 0;
  return {
    title: t("adding.title"),
    lead: t("adding.lead"),
    back: true,
    body: [
      h("div", { class: "rows" }, threeWays(app)),
      same && note({ icon: device?.cpin ? "digits" : "print", text: device?.cpin ? t("adding.pin") : t("adding.lock") }),
      h("p", {}, link(t("again.link"), () => app.router.go("again"))),
    ],
  };
}
