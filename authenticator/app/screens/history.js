// What was answered on this phone. Kept here only.

import { home } from "../app.js";
import { note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { dayAndTime, t } from "../ui/words.js";

/** @typedef {import("../device/vault.js").Answered} Answered */
/** @typedef {import("../ui/icons.js").IconName} IconName */

/** @type {Record<Answered["outcome"], {icon: IconName, look: string}>} */
export const LOOKS = {
  approved: { icon: "check", look: "good" },
  denied: { icon: "cross", look: "ink" },
  reported: { icon: "flag", look: "bad" },
  response: { icon: "digits", look: "brass" },
  number_wrong: { icon: "warn", look: "bad" },
  expired: { icon: "clock", look: "soft" },
};

/** @type {import("../ui/router.js").Show} */
export async function history(app) {
  const answers = await app.vault.history();
  const clear = async () => {
    await app.vault.forgetHistory();
    await home(app);
  };
  return {
    title: t("history.title"),
    lead: t("history.lead"),
    back: true,
    body: [
      answers.length === 0 && note({ icon: "clock", text: t("history.empty") }),
      h("ul", { class: "rows plain-list" }, answers.map(line)),
    ],
    foot: answers.length > 0 ? [button(t("history.clear"), clear)] : [],
  };
}

/** @param {Answered} answered */
function line({ at, outcome, account, organisation, browser, place }) {
  const { icon: name, look } = LOOKS[outcome] ?? LOOKS.expired;
  const where = [browser, place].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "row still" },
    icon(name, look),
    h(
      "span",
      { class: "row-text" },
      h("b", {}, t(`history.${outcome}`)),
      h("span", { class: "soft" }, `${account} · ${organisation}`),
      where && h("span", { class: "soft" }, where),
      h("time", { class: "soft", datetime: new Date(at).toISOString() }, dayAndTime(at)),
    ),
  );
}
