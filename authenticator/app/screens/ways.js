// How the owner proves to be the owner, beside the password. Nothing is sent before the choice.

import { fail, home } from "../app.js";
import { chooseWay, giveUp } from "../journeys/credentials.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note } from "../ui/cards.js";
import { button, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/server.js").Way} Way */
/** @typedef {import("../journeys/credentials.js").Case} Case */
/** @typedef {import("../ui/icons.js").IconName} IconName */
/** @typedef {{opened: Case, why: import("./credentials.js").Why, say?: string}} Params */

const ICONS = /** @type {Record<string, IconName>} */ ({ sms: "message", voice: "call", code: "list", phone: "phone" });
// After these another way may still be chosen.
const HERE = new Set(["code_wait", "case_codes_blocked", "case_running", "sms_code_spent", "sms_codes_blocked", "message_failed", "way_unavailable", "contact_refused", "offline", "timeout", "server_failed", "too_many_requests"]);

/** @type {import("../ui/router.js").Show} */
export function ways(/** @type {App} */ app, /** @type {Params} */ { opened, why, say = "" }) {
  const alert = alertLine();
  // A newer server may know ways that this app does not.
  const list = opened.ways.filter(({ kind }) => ICONS[kind]);
  const back = () => {
    if (opened.phones.length > 0 && opened.situation !== "renew") return void app.router.go("replaces", { opened, why });
    giveUp(app, opened);
    void app.router.go("credentials", { why, username: opened.account, newPin: opened.newPin, label: opened.label });
  };
  const rows = list.map((way) => row({ ...wordsOf(way), icon: ICONS[way.kind], act: () => void choose(app, opened, why, way, alert.say) }));
  if (say) alert.say(say);
  if (list.length === 0) return none(app, opened, back);
  const slow = list.some(({ rests }) => rests);
  const situation = opened.situation === "move" && opened.replaces === "" ? "add" : opened.situation;
  return {
    title: t("ways.title"),
    lead: `${opened.organisation} · ${opened.account}`,
    passing: true,
    back,
    body: [
      h("p", {}, t(`ways.situation.${situation}`)),
      alert.line,
      h("div", { class: "rows" }, rows),
      slow && note({ icon: "clock", text: t("ways.slow") }),
      note({ icon: "keys", text: t("ways.keep") }),
    ],
  };
}

/** @param {Way} way */
function wordsOf({ kind, label, rests }) {
  const how = rests ? t("ways.rests") : t("ways.at_once");
  const text = kind === "code" ? t("ways.code.text") : t(`ways.${kind}.text`, { label });
  return { title: kind === "phone" ? t("ways.phone", { label }) : t(`ways.${kind}`), text: `${text} · ${how}` };
}

/** @param {App} app @param {Case} opened @param {import("./credentials.js").Why} why @param {Way} way @param {(text: string) => void} say */
async function choose(app, opened, why, way, say) {
  try {
    const chosen = await chooseWay(app, opened, way);
    await app.router.go(way.kind === "phone" ? "case_wait" : "case_code", { opened, why, chosen });
  } catch (problem) {
    if (!(problem instanceof Problem) || !HERE.has(problem.code)) return fail(app, problem);
    say(whyOf(problem));
  }
}

/** Nothing but the password is there: where help comes from. @param {App} app @param {Case} opened @param {() => void} back */
const none = (app, opened, back) => ({
  title: t("ways.none.title"),
  lead: `${opened.organisation} · ${opened.account}`,
  passing: true,
  back,
  body: [
    h("p", {}, t("ways.none.why")),
    note({ icon: "scan", text: t("ways.none.portal") }),
    note({ icon: "person", text: t("ways.none.desk", { organisation: opened.organisation }) }),
  ],
  foot: [button(t("welcome.scan"), () => app.router.go("scan"), { weight: "brass" }), button(t("action.done"), () => home(app))],
});
