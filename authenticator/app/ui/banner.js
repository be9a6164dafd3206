// A line above any screen: a sign-in waits, and how to get there.

import { link } from "./controls.js";
import { h } from "./element.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const text = h("p", { role: "status" });
const line = h("aside", { class: "banner", hidden: true });

/** To be called once. */
export const mountBanner = () => document.body.prepend(line);

/** @param {string} said nothing takes it away @param {() => unknown} [open] */
export function showBanner(said, open = () => {}) {
  line.hidden = said === "";
  if (text.textContent === said) return;
  text.textContent = said;
  line.setAttribute("aria-label", t("home.requests"));
  line.replaceChildren(icon("mark", "brass"), text, link(t("banner.show"), open));
}
