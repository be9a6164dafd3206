// Why there are no notifications here, and what to do: also without any, nothing is lost.

import { home } from "../app.js";
import { installed, system } from "../device/phone.js";
import { note, numbered } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export function notifications(/** @type {import("../app.js").App} */ app, /** @type {{state: string}} */ { state }) {
  const phone = system();
  const way = phone === "ios" && !installed() ? "install" : phone;
  return {
    title: state === "denied" ? t("notifications.denied") : t("notifications.unavailable"),
    lead: t("notifications.lead"),
    back: true,
    body: [
      state === "denied" && numbered([t(`notifications.${way}.1`), t(`notifications.${way}.2`), t(`notifications.${way}.3`)]),
      state !== "denied" && note({ icon: "mute", text: t("notifications.service") }),
      note({ icon: "mark", text: t("notifications.without") }),
    ],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}
