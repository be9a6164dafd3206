// Are you signing in? Everything shown here was signed by the server, and the answer signs the
// hash of exactly that.

import { home } from "../app.js";
import { shake } from "../device/phone.js";
import { KINDS, assertionOf, proofOf, send } from "../journeys/answer.js";
import { parseChallenge } from "../protocol/ocra.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, facts, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { digitsField, onEnter } from "../ui/fields.js";
import { icon } from "../ui/icons.js";
import { ring } from "../ui/ring.js";
import { unlock } from "../ui/unlock_sheet.js";
import { clockTime, counted, minutes, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/watch.js").Waiting} Waiting */
/** @typedef {"approve" | "deny" | "report"} Act */

// A request may appear under a finger that was on its way to something else.
const CALM_MS = 500;
// After these the request can be answered once more.
const OPEN_STILL = new Set(["proof_wrong", "assertion_wrong", "offline", "timeout", "server_failed", "server_strange", "too_many_requests", "approvals_blocked"]);

/** @type {import("../ui/router.js").Show} */
export async function request(/** @type {import("../app.js").App} */ app, /** @type {{id: string, typed?: string, say?: string}} */ { id, typed = "", say = "" }) {
  const waiting = app.watch.find(id);
  if (!waiting) return /** @type {any} */ (await app.router.screens.result(app, { result: "expired", other: app.watch.waiting[0]?.id ?? null }));
  const { account, request: asked } = waiting;
  const known = KINDS.has(asked.kind);
  const number = known && asked.number ? digitsField(t("request.number"), t("request.number.hint")) : null;
  const alert = alertLine();
  const others = othersOf(app, waiting);
  if (number) number.input.value = typed;
  if (say) alert.say(say);
  const shownAt = performance.now();
  let answered = false;
  let sending = false;

  const over = async (/** @type {string} */ result) => {
    if (answered) return;
    answered = true;
    stop();
    const other = app.watch.waiting.find((one) => one.id !== id);
    await app.router.go("result", { result, account, id, other: other?.id ?? null });
  };
  const clock = ring({
    total: Math.max(1, asked.exp - asked.iat),
    left: () => asked.exp - app.clock.seconds(),
    text: minutes,
    label: t("request.left"),
    over: () => void over("expired"),
    small: true,
  });
  const unsubscribe = app.watch.subscribe(() => {
    // It ended elsewhere: another phone, the browser, or time.
    if (sending || answered) return;
    const now = app.watch.find(id);
    if (!now) return void over(app.watch.outcomes.get(id) ?? "ended");
    // What is shown is what is answered: a request that says something new is drawn anew.
    if (now.text !== waiting.text || othersOf(app, now) !== others) void redraw(app, id, number?.input.value ?? "", "");
  });
  const stop = () => {
    clock.stop();
    unsubscribe();
  };
  const answer = (/** @type {Act} */ act, /** @type {HTMLButtonElement} */ pressed) => {
    if (answered || sending || performance.now() - shownAt < CALM_MS) return;
    sending = true;
    void perform(app, waiting, { act, pressed, number, say: alert.say, over }).finally(() => {
      sending = false;
      // What ended while the person was at it was kept back until now.
      if (!answered && app.router.name === "request" && !app.watch.find(id)) void over(app.watch.outcomes.get(id) ?? "ended");
    });
  };
  const deny = button(t("request.deny"), () => answer("deny", deny), { weight: "ink" });
  const approve = button(t("request.approve"), () => answer("approve", approve), { weight: "brass" });
  const report = link(t("request.report"), () => answer("report", report));
  if (number) onEnter(number.input, () => answer("approve", approve));
  return {
    title: t("request.title"),
    lead: `${asked.show.organisation} · ${asked.show.application}`,
    corner: clock.ring,
    back: () => void home(app),
    focus: typed && number ? number.input : undefined,
    body: [
      !known && note({ icon: "warn", text: t("request.kind"), kind: "bad" }),
      factsOf(waiting),
      others > 0 && note({ icon: "warn", text: counted("request.others", others), kind: "bad" }),
      number?.field,
      alert.line,
    ],
    foot: [h("div", { class: "pair" }, deny, known && approve), h("p", { class: "centre" }, report)],
    leave: stop,
  };
}

/** How many more sign-ins wait for the account, by the server's word or by what came since. @param {App} app @param {Waiting} waiting */
function othersOf({ watch }, { account, request: { show } }) {
  const here = watch.waiting.filter((one) => one.account.id === account.id).length - 1;
  return Math.max(show.others, here);
}

/** @param {App} app @param {string} id @param {string} typed @param {string} say */
const redraw = (app, id, typed, say) => app.router.go("request", { id, typed, say }, { replace: true });

/** @param {Waiting} waiting */
function factsOf({ account, request: { iat, show } }) {
  const mark = show.known
    ? h("span", { class: "good marked" }, icon("check"), t("request.known"))
    : h("span", { class: "bad marked" }, icon("warn"), t("request.new"));
  return facts([
    [t("fact.account"), show.account || account.account],
    [t("fact.browser"), show.browser || t("fact.unknown")],
    [t("fact.seen"), mark],
    [t("fact.place"), show.place || t("fact.unknown")],
    [t("fact.address"), show.address || t("fact.unknown")],
    [t("fact.time"), clockTime(iat * 1000)],
  ]);
}

/**
 * @typedef {object} Doing
 * @property {Act} act
 * @property {HTMLButtonElement} pressed
 * @property {import("../ui/fields.js").Field | null} number
 * @property {(text: string) => void} say
 * @property {(result: string) => Promise<void>} over
 */

/** @param {App} app @param {Waiting} waiting @param {Doing} doing @param {string} [wrong] what was wrong with the last PIN */
async function perform(app, waiting, doing, wrong) {
  const { act, pressed, number, say, over } = doing;
  say("");
  const typed = act === "approve" && number ? typedNumber(number) : "";
  if (typed === null) return;
  try {
    const proofs = act === "approve" ? await prove(app, waiting, wrong) : {};
    if (!proofs) return;
    const result = await busy(pressed, t("request.sending"), () => send(app, waiting, { act, number: typed, ...proofs }));
    shake(act === "approve" ? [30] : [30, 50, 30]);
    await over(result);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.code === "proof_wrong" && problem.facts.left === 0) return over("failed");
    if (problem.code === "proof_wrong") return perform(app, waiting, doing, counted("request.wrong", Number(problem.facts.left ?? 1)));
    if (OPEN_STILL.has(problem.code) || problem.code.startsWith("biometrics_")) return say(whyOf(problem));
    if (problem.code === "request_changed") {
      await app.watch.refresh();
      return redraw(app, waiting.id, number?.input.value ?? "", whyOf(problem));
    }
    if (problem.code === "number_wrong") return over("number_wrong");
    if (problem.code === "request_expired" || problem.code === "request_unknown") return over("expired");
    if (problem.code === "already_answered") return over("ended");
    await app.router.go("problem", { code: problem.code, facts: problem.facts });
  }
}

/** @param {import("../ui/fields.js").Field} number @returns {string | null} null if it is not complete */
function typedNumber({ input, refuse }) {
  try {
    const digits = parseChallenge(input.value);
    refuse("");
    return digits;
  } catch {
    refuse(t("request.number.missing"));
    input.focus();
    return null;
  }
}

/**
 * Possession is in the signature; this is the other half.
 *
 * @param {App} app
 * @param {Waiting} waiting
 * @param {string} [wrong]
 * @returns {Promise<{proof: string} | {assertion: object} | null>} null if the person thought better of it
 */
async function prove(app, waiting, wrong) {
  const device = await app.vault.device();
  if (!device) throw new Problem("enrollment_unknown");
  if (waiting.account.credential) {
    try {
      return { assertion: await assertionOf(waiting) };
    } catch (problem) {
      if (!device.cpin) throw problem;
      wrong = whyOf(problem);
    }
  }
  const text = t("unlock.approve.text", { organisation: waiting.account.organisation, account: waiting.account.account });
  const root = await unlock(app, { device, title: t("unlock.approve"), text, wrong });
  return root && { proof: await proofOf(waiting, root) };
}
