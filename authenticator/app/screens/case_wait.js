// Another phone of the account is asked; here stands the number to be typed there. What comes of
// it is an enrolment, or the end of the rest of a phone that is linked already.

import { fail } from "../app.js";
import { pause } from "../device/patience.js";
import { chooseWay, outcomeOf, restOf } from "../journeys/credentials.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note, steps } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../journeys/credentials.js").Case} Case */
/** @typedef {import("../journeys/credentials.js").Chosen} Chosen */
/** @typedef {{chosen: Chosen, opened?: Case, why?: import("./credentials.js").Why, rested?: Account}} Params `opened`: an enrolment; else `rested` */

const LOOK_MS = 1500;
// Longer than any request stands; a phone that rests is not told of a request that ran out.
const ASKED_MS = 200_000;
const ENDS = /** @type {Record<string, string>} */ ({
  denied: "case_denied", expired: "case_expired", stopped: "case_over", done: "case_over", spent: "case_over",
});

/** @type {import("../ui/router.js").Show} */
export function caseWait(/** @type {App} */ app, /** @type {Params} */ params) {
  const { chosen, opened, why, rested } = params;
  const { label } = chosen.way;
  const alert = alertLine();
  const progress = steps([t("wait.password"), t("wait.asked", { label }), t("wait.approval")]);
  progress.show(2);
  const askedAt = performance.now();
  let left = false;
  const elsewhere = (say = "") => void (opened ? app.router.go("ways", { opened, why, say }) : app.router.go("resting", { account: rested, say }));
  /** @returns {Promise<boolean>} whether something came of it */
  const heard = async () => {
    const outcome = opened ? await outcomeOf(app, opened) : { state: await restOf(app, /** @type {import("../journeys/credentials.js").Kept} */ (rested?.opened)) };
    if (left) return true;
    alert.say("");
    const { state } = outcome;
    if ("ticket" in outcome) await app.router.go("confirm", { ticket: outcome.ticket });
    // Nobody answered there: the other ways are still open.
    else if (state === "open" || performance.now() - askedAt > ASKED_MS) elsewhere(t("wait.expired", { label }));
    else if (state === "done" && rested) await awake(app, rested);
    else if (ENDS[state]) throw new Problem(ENDS[state]);
    else return false;
    return true;
  };
  const look = async () => {
    while (!left) {
      await pause(LOOK_MS);
      // A hidden app asks nothing; it looks again as soon as it is seen.
      if (left || document.visibilityState !== "visible") continue;
      try {
        if (await heard()) return;
      } catch (problem) {
        if (left) return;
        // Silence is no answer: the question on the other phone may still stand.
        const silence = problem instanceof Problem && (problem.name === "Unavailable" || problem.code === "too_many_requests");
        if (!silence) return void (await fail(app, problem));
        alert.say(whyOf(problem));
      }
    }
  };
  setTimeout(() => void look());
  const again = button(t("wait.again"), () => void busy(again, t("wait.asking"), ask));
  const ask = async () => {
    const from = opened ?? rested?.opened;
    try {
      if (from) await app.router.go("case_wait", { ...params, chosen: await chooseWay(app, from, chosen.way) });
    } catch (problem) {
      alert.say(whyOf(problem));
    }
  };
  const { organisation = "", account = "" } = opened ?? rested ?? {};
  return {
    title: t("wait.title", { label }),
    lead: `${organisation} · ${account}`,
    passing: true,
    back: () => elsewhere(),
    body: [chosen.number && numberCard(chosen.number, label), progress.list, alert.line, note({ icon: "bell", text: t("wait.missing", { label }) })],
    foot: [again, h("p", { class: "centre" }, link(opened ? t("case.other") : t("action.back"), () => elsewhere()))],
    leave: () => (left = true),
  };
}

/** @param {string} number six digits @param {string} label of the phone where it is typed */
const numberCard = (number, label) =>
  h(
    "div",
    { class: "card centre" },
    h("p", { class: "soft" }, t("wait.number", { label })),
    h("output", { class: "number", "aria-label": [...number].join(" ") }, `${number.slice(0, 3)} ${number.slice(3)}`),
    h("p", { class: "soft" }, t("request.number.hint")),
  );

/** The rest is over. @param {App} app @param {Account} account */
async function awake(app, account) {
  await app.vault.change(account.id, { rests: null, opened: null });
  await app.watch.reload();
  await app.router.go("done", { account: await app.vault.account(account.id), awake: true });
}
