// Are you signing in? Or confirming, moving to a new phone, letting a terminal in: everything shown
// here was signed by the server, and the answer signs the hash of exactly that.

import { home } from "../app.js";
import { shake } from "../device/phone.js";
import { opens } from "../device/vault.js";
import { KINDS, assertionOf, proofOf, remember, send } from "../journeys/answer.js";
import { Problem } from "../protocol/errors.js";
import { parseChallenge } from "../protocol/ocra.js";
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
/** @typedef {{id: string, typed?: string, say?: string}} Params `typed` and `say` survive a new drawing */

// A request may appear under a finger that was on its way to something else.
const CALM_MS = 500;
// After these the request can be answered once more.
const OPEN_STILL = new Set([
  "assertion_wrong", "offline", "timeout", "server_failed", "server_strange", "too_many_requests", "approvals_blocked",
]);
// How a refusal that ends the request is shown.
const ENDS = /** @type {Record<string, string>} */ ({
  number_wrong: "number_wrong", request_expired: "expired", request_unknown: "expired", already_answered: "ended",
});

/** @type {import("../ui/router.js").Show} */
export async function request(/** @type {App} */ app, /** @type {Params} */ { id, typed = "", say = "" }) {
  const waiting = app.watch.find(id);
  if (!waiting) return app.router.screens.result(app, { result: "expired", other: app.watch.waiting[0]?.id ?? null });
  const { request: asked } = waiting;
  const asking = new Asking(app, waiting);
  const { number, alert, others } = asking;
  if (number) number.input.value = typed;
  if (say) alert.say(say);
  const clock = ring({
    total: Math.max(1, asked.exp - asked.iat),
    left: () => asked.exp - app.clock.seconds(),
    text: minutes,
    label: t("request.left"),
    over: () => void asking.over("expired"),
    small: true,
  });
  const unsubscribe = app.watch.subscribe(() => asking.look());
  asking.stop = () => {
    clock.stop();
    unsubscribe();
  };
  const deny = button(t("request.deny"), () => asking.answer("deny", deny), { weight: "ink" });
  const approve = button(t("request.approve"), () => asking.answer("approve", approve), { weight: "brass" });
  const report = link(t("request.report"), () => asking.answer("report", report));
  if (number) onEnter(number.input, () => asking.answer("approve", approve));
  return {
    title: asking.known ? t(`request.title.${asking.kind}`) : t("request.title.unknown"),
    lead: `${asked.show.organisation} · ${asked.show.application}`,
    corner: clock.ring,
    back: () => void home(app),
    focus: typed && number ? number.input : undefined,
    body: [
      !asking.known && note({ icon: "warn", text: t("request.kind"), kind: "bad" }),
      asking.about && h("p", {}, asking.about),
      asked.show.far && note({ icon: "warn", text: t("request.far"), kind: "bad" }),
      factsOf(waiting, asking.kind),
      others > 0 && note({ icon: "warn", text: counted("request.others", others), kind: "bad" }),
      number?.field,
      alert.line,
    ],
    foot: [h("div", { class: "pair" }, deny, asking.known && approve), h("p", { class: "centre" }, report)],
    leave: () => asking.stop(),
  };
}

/** @param {Waiting} waiting @param {string} kind */
function factsOf({ account, request: { iat, show } }, kind) {
  const mark = show.known
    ? h("span", { class: "good marked" }, icon("check"), t("request.known"))
    : h("span", { class: "bad marked" }, icon("warn"), t("request.new"));
  /** @type {[string, string][]} */
  const what = show.detail && kind && kind !== "sign_in" ? [[t(`fact.detail.${kind}`), show.detail]] : [];
  return facts([
    ...what,
    [t("fact.account"), show.account || account.account],
    [t("fact.browser"), show.browser || t("fact.unknown")],
    [t("fact.seen"), mark],
    [t("fact.place"), show.place || t("fact.unknown")],
    [t("fact.address"), show.address || t("fact.unknown")],
    [t("fact.time"), clockTime(iat * 1000)],
  ]);
}

/** One request on the screen, until it is answered or over. */
class Asking {
  /** @param {App} app @param {Waiting} waiting */
  constructor(app, waiting) {
    this.app = app;
    this.waiting = waiting;
    /** The word for it in the catalogue, empty for a kind that this app does not know. */
    this.kind = KINDS.get(waiting.request.kind) ?? "";
    this.known = this.kind !== "";
    this.about = this.known && this.kind !== "sign_in" ? t(`request.about.${this.kind}`) : "";
    const wanted = this.known && waiting.request.number;
    this.number = wanted ? digitsField(t(`request.number.${this.kind}`), t("request.number.hint")) : null;
    this.alert = alertLine();
    this.others = this.countOthers(waiting);
    this.shownAt = performance.now();
    this.answered = false;
    this.sending = false;
    this.stop = () => {};
  }

  /** More sign-ins of the account, by the server's word or by what came since. @param {Waiting} waiting */
  countOthers({ account, request: { show } }) {
    const here = this.app.watch.waiting.filter((one) => one.account.id === account.id).length - 1;
    return Math.max(show.others, here);
  }

  /** Something changed in what waits. */
  look() {
    const { id, text } = this.waiting;
    if (this.sending || this.answered || this.app.router.name !== "request") return;
    const now = this.app.watch.find(id);
    // It ended elsewhere: on another phone, in the browser, or by time.
    if (!now) void this.over(this.app.watch.outcomes.get(id) ?? "ended");
    // What is shown is what is answered: a request that says something new is drawn anew.
    else if (now.text !== text || this.countOthers(now) !== this.others) void this.redraw("");
  }

  /** @param {string} say */
  redraw(say) {
    const typed = this.number?.input.value ?? "";
    return this.app.router.go("request", { id: this.waiting.id, typed, say }, { replace: true });
  }

  /** @param {string} result */
  async over(result) {
    if (this.answered) return;
    this.answered = true;
    this.stop();
    const { id, account } = this.waiting;
    if (result === "expired") void remember(this.app, this.waiting, "expired");
    const other = this.app.watch.waiting.find((one) => one.id !== id);
    await this.app.router.go("result", { result, account, id, kind: this.kind, other: other?.id ?? null });
  }

  /** @param {Act} act @param {HTMLButtonElement} pressed */
  answer(act, pressed) {
    if (this.answered || this.sending || performance.now() - this.shownAt < CALM_MS) return;
    this.sending = true;
    void this.perform(act, pressed).finally(() => {
      this.sending = false;
      // What ended while the person was at it was kept back until now.
      this.look();
    });
  }

  /** @param {Act} act @param {HTMLButtonElement} pressed @param {string} [wrong] what was wrong with the last PIN */
  async perform(act, pressed, wrong) {
    this.alert.say("");
    const number = act === "approve" && this.number ? typedNumber(this.number) : "";
    if (number === null) return;
    try {
      const proofs = act === "approve" ? await prove(this.app, this.waiting, wrong) : {};
      if (!proofs) return;
      const result = await busy(pressed, t("request.sending"), () => send(this.app, this.waiting, { act, number, ...proofs }));
      shake(act === "approve" ? [30] : [30, 50, 30]);
      await this.over(result);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      await this.refused(problem, act, pressed);
    }
  }

  /** @param {Problem} problem @param {Act} act @param {HTMLButtonElement} pressed */
  async refused(problem, act, pressed) {
    const { code, facts: told } = problem;
    if (code === "proof_wrong") {
      const left = Number(told.left ?? 1);
      return left > 0 ? this.perform(act, pressed, counted("request.wrong", left)) : this.over("failed");
    }
    if (code === "request_changed") {
      await this.app.watch.refresh();
      return this.redraw(whyOf(problem));
    }
    if (OPEN_STILL.has(code) || code.startsWith("biometrics_")) return this.alert.say(whyOf(problem));
    if (ENDS[code]) return this.over(ENDS[code]);
    await this.app.router.go("problem", { code, facts: told });
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
  // Its keys are under a PIN that was forgotten: the one in use would only be counted as wrong.
  if (!opens(device, waiting.account)) throw new Problem("keys_locked");
  const { organisation, account } = waiting.account;
  const kind = KINDS.get(waiting.request.kind) ?? "";
  const text = t(`unlock.approve.text.${kind}`, { organisation, account });
  const root = await unlock({ device, title: t(`unlock.approve.${kind}`), text, wrong, forgot: () => app.router.go("forgotten") });
  return root && { proof: await proofOf(waiting, root) };
}
