// The account has phones already: does this one take the place of one of them, or join them?

import { giveUp } from "../journeys/credentials.js";
import { note } from "../ui/cards.js";
import { row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { dayAndTime, t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/server.js").OtherPhone} OtherPhone */
/** @typedef {{opened: import("../journeys/credentials.js").Case, why: import("./credentials.js").Why}} Params */

/** @type {import("../ui/router.js").Show} */
export function replaces(/** @type {App} */ app, /** @type {Params} */ { opened, why }) {
  const { phones } = opened;
  const go = (/** @type {string} */ id) => app.router.go("ways", { opened: { ...opened, replaces: id }, why });
  const back = () => {
    giveUp(app, opened);
    void app.router.go("credentials", { why, username: opened.account, label: opened.label });
  };
  return {
    title: t("replaces.title"),
    lead: `${opened.organisation} · ${opened.account}`,
    passing: true,
    back,
    body: [
      h(
        "div",
        { class: "rows" },
        phones.map((phone) => row({ title: t("replaces.one", { label: phone.label }), text: about(phone), icon: "phone", act: () => go(phone.id) })),
        phones.length > 1 && row({ title: t("replaces.all"), text: t("replaces.all.text"), icon: "turn", act: () => go("all") }),
        row({ title: t("replaces.none"), text: t("replaces.none.text"), icon: "add", act: () => go("") }),
      ),
      note({ icon: "mark", text: t("replaces.note") }),
    ],
  };
}

/** @param {OtherPhone} phone */
const about = ({ platform, used_at: used }) => (used ? t("replaces.used", { platform, when: dayAndTime(used) }) : t("replaces.unused", { platform }));
