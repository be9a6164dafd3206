// After "this was not me": what was stopped, and what to do now.

import { home } from "../app.js";
import { note, numbered } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { hasWords, t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export function reported(/** @type {import("../app.js").App} */ app, /** @type {{organisation: string, done?: string}} */ { organisation, done = "nothing" }) {
  const undone = hasWords(`reported.done.${done}`) ? done : "nothing";
  return {
    title: t("reported.title"),
    lead: t("reported.lead", { organisation }),
    passing: true,
    body: [
      note({ icon: "check", text: t(`reported.done.${undone}`), kind: "good" }),
      numbered([t("reported.1"), t("reported.2"), t("reported.3")]),
      note({ icon: "mark", text: t("reported.note") }),
    ],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}
