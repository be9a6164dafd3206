// The licences of what this app is built with.

import { h } from "../ui/element.js";
import { t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export async function licences() {
  const text = await fetch("/vendor/LICENSES.txt")
    .then((response) => (response.ok ? response.text() : ""))
    .catch(() => "");
  return {
    title: t("licences.title"),
    lead: t("licences.lead"),
    back: true,
    body: [h("pre", { class: "card licence", tabindex: "0", "aria-label": t("licences.title") }, text || t("licences.missing"))],
  };
}
