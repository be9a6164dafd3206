// What makes a PIN a good one, and how to find one that is remembered.

import { home } from "../app.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { note } from "../ui/cards.js";
import { t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export const pinGuidelines = (/** @type {import("../app.js").App} */ app, /** @type {{policy: {pin_min: number, pin_max: number}}} */ { policy }) => ({
  title: t("guide.title"),
  lead: t("guide.lead", { min: policy.pin_min, max: policy.pin_max }),
  back: true,
  body: [
    h("h2", {}, t("guide.good")),
    h("ul", { class: "bullets" }, h("li", {}, t("guide.good.1")), h("li", {}, t("guide.good.2")), h("li", {}, t("guide.good.3"))),
    h("h2", {}, t("guide.poor")),
    h(
      "ul",
      { class: "bullets" },
      h("li", {}, t("guide.poor.1")),
      h("li", {}, t("guide.poor.2")),
      h("li", {}, t("guide.poor.3")),
      h("li", {}, t("guide.poor.4")),
      h("li", {}, t("guide.poor.5")),
    ),
    h("h2", {}, t("guide.keep")),
    h("ul", { class: "bullets" }, h("li", {}, t("guide.keep.1")), h("li", {}, t("guide.keep.2")), h("li", {}, t("guide.keep.3"))),
    note({ icon: "mark", text: t("guide.note") }),
  ],
  foot: [button(t("action.back"), () => (app.router.at > 0 ? app.router.back() : home(app)))],
});
