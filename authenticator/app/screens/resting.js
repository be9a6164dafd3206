// A phone that came by password and text message alone waits before it can approve, because a
// telephone number can be stolen. Until when, what happens meanwhile, and how to end the wait.

import { fail, home } from "../app.js";
import { chooseWay } from "../journeys/credentials.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, facts, note, numbered } from "../ui/cards.js";
import { button, row } from "../ui/controls.js";
import { t, weekdayAndTime, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/server.js").Way} Way */
/** @typedef {import("../device/vault.js").Account} Account */

// By these the case is over; the account's own state says how.
const OVER = new Set(["case_unknown", "case_expired", "case_over", "case_way"]);

/** @type {import("../ui/router.js").Show} */
export async function resting(/** @type {App} */ app, /** @type {{account: Account, say?: string}} */ { account: { id }, say = "" }) {
  const account = await app.vault.account(id);
  if (!account || !((account.rests ?? 0) > app.clock.now())) return app.router.screens.home(app, {});
  const alert = alertLine();
  const { opened } = account;
  const ask = async (/** @type {Way} */ way) => {
    if (!opened) return;
    try {
      await app.router.go("case_wait", { rested: account, chosen: await chooseWay(app, opened, way) });
    } catch (problem) {
      if (!(problem instanceof Problem)) return fail(app, problem);
      if (OVER.has(problem.code)) await app.vault.change(id, { opened: null });
      alert.say(whyOf(problem));
    }
  };
  const phones = (opened?.ways ?? []).map((way) =>
    row({ title: t("ways.phone", { label: way.label }), text: t("resting.sooner.text"), icon: "phone", act: () => void ask(way) }),
  );
  if (say) alert.say(say);
  return {
    title: t("resting.title", { until: weekdayAndTime(account.rests ?? 0) }),
    lead: t("resting.lead"),
    back: () => void home(app),
    body: [
      facts([
        [t("fact.account"), account.account],
        [t("confirm.organisation"), account.organisation],
        [t("fact.phone"), account.label],
      ]),
      alert.line,
      ...phones,
      numbered([t("resting.1"), t("resting.2"), t("resting.3")]),
      note({ icon: "warn", text: t("resting.warning", { organisation: account.organisation }) }),
    ],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}
