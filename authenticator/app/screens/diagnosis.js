// A diagnosis for support: all of it is shown, then one button sends it. Nobody needs to be able to
// sign in for that.

import { diagnosisOf } from "../journeys/diagnosis.js";
import { accountChoice } from "../ui/account_choice.js";
import { alertLine, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { currentLanguage, nextOf, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {{id?: string, flight?: import("../journeys/self_test.js").Flight | null}} Params */

/** Those that can prove themselves to the server. @param {Account} account */
export const mayDiagnose = ({ ended, pending }) => !ended && !pending;

/** @type {import("../ui/router.js").Show} */
export async function diagnosis(/** @type {App} */ app, /** @type {Params} */ { id, flight = null }) {
  const accounts = (await app.vault.accounts()).filter(mayDiagnose);
  const account = accounts.find((one) => one.id === id) ?? accounts[0];
  if (!account) return app.router.screens.home(app, {});
  const alert = alertLine();
  const text = h("textarea", { class: "report", readonly: true, rows: 16, dir: "ltr", "aria-label": t("diagnosis.text"), "aria-busy": "true" });
  const collect = () =>
    busy(send, t("diagnosis.collecting"), async () => {
      text.value = await diagnosisOf(app, account, { flight, language: currentLanguage() });
      text.removeAttribute("aria-busy");
    });
  const send = button(t("diagnosis.send"), () => text.value && busy(send, t("diagnosis.sending"), () => sent(app, account, text.value, alert)), { weight: "brass" });
  const copy = () => navigator.clipboard.writeText(text.value).then(() => alert.say(t("diagnosis.copied"), true), () => text.select());
  const other = (/** @type {Account} */ one) => app.router.go("diagnosis", { id: one.id, flight: null }, { replace: true });
  void collect();
  return {
    title: t("diagnosis.title"),
    lead: t("diagnosis.lead"),
    back: true,
    body: [
      accounts.length > 1 && accountChoice(t("check.account"), accounts, account, other),
      alert.line,
      text,
      h("div", { class: "links" }, link(t("diagnosis.copy"), () => void copy())),
      note({ icon: "mark", text: t("diagnosis.note") }),
    ],
    foot: [send],
  };
}

/** What was not sent stays on the screen. @param {App} app @param {Account} account @param {string} text @param {ReturnType<typeof alertLine>} alert */
async function sent(app, account, text, alert) {
  alert.say("");
  try {
    const { reference, kept_until: until } = await app.server.sendDiagnosis(account, text);
    await app.router.go("diagnosis_sent", { reference, until, issuer: account.issuer }, { replace: true });
  } catch (problem) {
    alert.say(`${whyOf(problem)} ${nextOf(problem)}`);
    alert.line.scrollIntoView({ block: "nearest" });
  }
}
