// Had it before: the app was removed, or there is a new phone. Keys never leave a phone, so each
// of these ends with keys of its own; what differs is what the person still has.

import { beginWithPassword } from "../app.js";
import { note } from "../ui/cards.js";
import { row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export const again = (/** @type {import("../app.js").App} */ app) => ({
  title: t("again.title"),
  lead: t("again.lead"),
  back: true,
  body: [
    h(
      "div",
      { class: "rows" },
      row({ title: t("again.same"), text: t("again.same.text"), icon: "turn", act: () => beginWithPassword(app, { why: "same" }) }),
      row({ title: t("again.move"), text: t("again.move.text"), icon: "phone", act: () => beginWithPassword(app, { why: "move" }) }),
      row({ title: t("again.lost"), text: t("again.lost.text"), icon: "warn", act: () => beginWithPassword(app, { why: "lost" }) }),
      row({ title: t("again.portal"), text: t("again.portal.text"), icon: "scan", act: () => app.router.go("scan") }),
    ),
    note({ icon: "mark", text: t("again.note") }),
  ],
});
