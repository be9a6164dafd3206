// In which language the app speaks.

import { LANGUAGES, SHIPPED } from "../ui/languages.js";
import { h, uniqueId } from "../ui/element.js";
import { loadWords, t } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export async function language(app) {
  /** @type {string | undefined} */
  const chosen = await app.vault.thing("language");
  const name = uniqueId();
  const choose = async (/** @type {string} */ tag) => {
    await app.vault.keep("language", tag || undefined);
    await loadWords(tag || undefined);
    await app.router.go("language", {}, { replace: true });
  };
  const choice = (/** @type {string} */ tag, /** @type {string} */ said, text = "") =>
    h(
      "label",
      { class: "row" },
      h("input", { type: "radio", name, checked: tag === (chosen ?? ""), onchange: () => void choose(tag) }),
      h("span", { class: "row-text" }, h("b", tag ? { lang: tag } : {}, said), text && h("span", { class: "soft" }, text)),
    );
  return {
    title: t("language.title"),
    lead: t("language.lead"),
    back: () => void app.router.go("settings"),
    body: [
      h(
        "fieldset",
        { class: "rows", "aria-label": t("language.title") },
        choice("", t("language.system"), t("language.system.text")),
        SHIPPED.map((tag) => choice(tag, LANGUAGES[tag]?.name ?? tag)),
      ),
    ],
  };
}
