// The first screen of a phone without accounts. `home` shows it.

import { installed, system } from "../device/phone.js";
import { iconButton, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export function welcome(app) {
  const first = !installed() && system() !== "other";
  return {
    title: t("welcome.title"),
    lead: t("welcome.lead"),
    corner: iconButton(t("settings.title"), "settings", () => app.router.go("settings")),
    body: [h("div", { class: "picture" }, icon("open", "brass"))],
    foot: [
      h(
        "div",
        { class: "rows" },
        row({ title: t("welcome.scan"), text: t("welcome.scan.text"), icon: "scan", act: () => app.router.go("scan") }),
        row({ title: t("welcome.type"), text: t("welcome.type.text"), icon: "keys", act: () => app.router.go("type_code") }),
        first && row({ title: t("welcome.install"), text: t("welcome.install.text"), icon: "phone", act: () => app.router.go("install") }),
      ),
    ],
  };
}
