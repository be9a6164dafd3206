// The first screen of a phone without accounts. `home` shows it.

import { installed, system } from "../device/phone.js";
import { iconButton, link, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { t } from "../ui/words.js";
import { threeWays } from "./adding.js";

/** @type {import("../ui/router.js").Show} */
export function welcome(app) {
  const first = !installed() && system() !== "other";
  return {
    title: t("welcome.title"),
    lead: t("welcome.lead"),
    corner: iconButton(t("settings.title"), "settings", () => app.router.go("settings")),
    body: [
      h("div", { class: "picture small" }, icon("open", "brass")),
      h(
        "div",
        { class: "rows" },
        threeWays(app),
        first && row({ title: t("welcome.install"), text: t("welcome.install.text"), icon: "phone", act: () => app.router.go("install") }),
      ),
      h("p", { class: "centre" }, link(t("again.link"), () => app.router.go("again"))),
    ],
  };
}
