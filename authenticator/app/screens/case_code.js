// The code from a message, a call, or a printed list.

import { fail } from "../app.js";
import { chooseWay, enterCode } from "../journeys/credentials.js";
import { foldDigits } from "../protocol/encoding.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { digitsField, field, onEnter } from "../ui/fields.js";
import { counted, minutes, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/credentials.js").Case} Case */
/** @typedef {import("../journeys/credentials.js").Chosen} Chosen */
/** @typedef {{opened: Case, why: import("./credentials.js").Why, chosen: Chosen}} Params */

// The case goes on after these; a wrong code is told at its field.
const HERE = new Set(["offline", "timeout", "server_failed", "too_many_requests", "code_wait", "message_failed", "sms_codes_blocked", "case_codes_blocked"]);
const WRONG = new Set(["sms_code_wrong", "recovery_code_wrong", "code_characters", "code_length"]);
// After these another code, or another way, is needed.
const SPENT = new Set(["sms_code_expired", "sms_code_spent", "way_unavailable", "case_running"]);

/** @type {import("../ui/router.js").Show} */
export function caseCode(/** @type {App} */ app, /** @type {Params} */ { opened, why, chosen }) {
  const { kind, label } = chosen.way;
  const printed = kind === "code";
  const given = printed ? recoveryField() : digitsField(t("case.code"), t(`case.${kind}.hint`));
  // Phones offer the code of a message that has just come.
  if (!printed) given.input.autocomplete = "one-time-code";
  const alert = alertLine();
  const elsewhere = (say = "") => void app.router.go("ways", { opened, why, say });
  const submit = async () => {
    const code = complete(given.input.value, printed);
    if (code === null) return refuse(printed ? t("case.recovery.missing") : t("case.missing"));
    alert.say("");
    await busy(proceed, t("case.working"), async () => {
      try {
        await app.router.go("confirm", { ticket: await enterCode(app, opened, code) });
      } catch (problem) {
        if (!(problem instanceof Problem)) return fail(app, problem);
        if (WRONG.has(problem.code)) return refuse(wrongOf(problem, printed));
        if (SPENT.has(problem.code)) return elsewhere(whyOf(problem));
        if (!HERE.has(problem.code)) return fail(app, problem);
        alert.say(whyOf(problem));
      }
    });
  };
  const refuse = (/** @type {string} */ reason) => {
    given.refuse(reason);
    given.input.select();
  };
  const proceed = button(t("action.continue"), () => void submit(), { weight: "brass" });
  const resend = printed ? null : resending(app, { opened, why, chosen }, alert.say);
  given.input.addEventListener("input", () => given.refuse(""));
  onEnter(given.input, () => void submit());
  return {
    title: t(`case.${kind}.title`),
    lead: printed ? t("case.code.lead") : t(`case.${kind}.lead`, { label }),
    passing: true,
    back: () => elsewhere(),
    focus: given.input,
    body: [
      h("p", { class: "soft" }, t("case.for", { organisation: opened.organisation, account: opened.account })),
      given.field,
      alert.line,
      resend?.element,
      note({ icon: "warn", text: printed ? t("case.code.warning") : t("case.warning") }),
    ],
    foot: [proceed, h("p", { class: "centre" }, link(t("case.other"), () => elsewhere()))],
    leave: () => resend?.stop(),
  };
}

const recoveryField = () =>
  field(
    t("case.recovery"),
    { class: "digits code", type: "text", autocapitalize: "characters", autocorrect: "off", spellcheck: "false", enterkeyhint: "done", maxlength: 60 },
    { hint: t("case.recovery.hint") },
  );

/** @param {string} text @param {boolean} printed @returns {string | null} null if it cannot be whole */
function complete(text, printed) {
  if (printed) return text.trim() || null;
  const digits = foldDigits(text).replace(/\s/gu, "");
  return /^\d{6}$/u.test(digits) ? digits : null;
}

/** @param {Problem} problem @param {boolean} printed */
function wrongOf({ code, facts }, printed) {
  if (printed) return t("case.recovery.wrong");
  return code === "sms_code_wrong" && Number(facts.left) > 0 ? counted("case.wrong", Number(facts.left)) : whyOf(new Problem(code, facts));
}

/**
 * When another code may be asked for, counting down; then by which way.
 *
 * @param {App} app
 * @param {Params} params
 * @param {(text: string, good?: boolean) => void} say
 */
function resending(app, { opened, why, chosen }, say) {
  const element = h("div", { class: "resend" });
  const send = async (/** @type {import("../device/server.js").Way} */ way) => {
    try {
      const again = await chooseWay(app, opened, way);
      await app.router.go("case_code", { opened, why, chosen: again });
    } catch (problem) {
      if (!(problem instanceof Problem)) return fail(app, problem);
      say(whyOf(problem));
    }
  };
  const twin = opened.ways.find(({ kind, label }) => label === chosen.way.label && kind !== chosen.way.kind && (kind === "sms" || kind === "voice"));
  const ready = () =>
    chosen.sendsLeft === 0
      ? [h("p", { class: "soft" }, t("case.no_more"))]
      : [link(t(`case.again.${chosen.way.kind}`), () => void send(chosen.way)), twin && link(t(`case.instead.${twin.kind}`), () => void send(twin))];
  let wasWaiting = true;
  const draw = () => {
    const left = Math.ceil((chosen.resendAt - app.clock.now()) / 1000);
    if (left > 0) return element.replaceChildren(h("p", { class: "soft timer-line" }, t("case.again.wait", { left: minutes(left) })));
    if (wasWaiting) element.replaceChildren(...ready().filter((child) => child instanceof Node));
    wasWaiting = false;
    clearInterval(timer);
  };
  const timer = setInterval(draw, 1000);
  draw();
  return { element, stop: () => clearInterval(timer) };
}
