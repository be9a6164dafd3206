// The diagnosis has arrived: what it is called, how long it waits, and where to mention it.

import { home } from "../app.js";
import { facts, note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { dayAndTime, t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */

/** @type {import("../ui/router.js").Show} */
export const diagnosisSent = (/** @type {App} */ app, /** @type {{reference: string, until: number, issuer: string}} */ { reference, until, issuer }) => ({
  title: t("diagnosis.sent.title"),
  lead: t("diagnosis.sent.lead"),
  passing: true,
  body: [
    facts([
      [t("diagnosis.sent.reference"), h("b", { class: "mono", dir: "ltr" }, reference)],
      [t("diagnosis.sent.until"), dayAndTime(until)],
    ]),
    note({ icon: "message", text: t("diagnosis.sent.later") }),
  ],
  foot: [
    h("a", { class: "button brass", href: `${issuer}/messages/new?diagnosis=${encodeURIComponent(reference)}`, target: "_blank", rel: "noopener" }, h("span", {}, t("diagnosis.sent.write"))),
    button(t("action.done"), () => home(app)),
  ],
});
