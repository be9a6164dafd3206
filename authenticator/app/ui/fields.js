// Fields for what is copied between screens: digits 3+3, codes 4-4-4, PINs.

import { foldDigits } from "../protocol/encoding.js";
import { foldCode, renderCode } from "../protocol/typed_code.js";
import { h, uniqueId } from "./element.js";
import { t } from "./words.js";

/** @typedef {{field: HTMLElement, input: HTMLInputElement, refuse: (reason: string) => void}} Field */

/**
 * @param {string} label
 * @param {Record<string, unknown>} properties of the input
 * @param {{hint?: string, beside?: HTMLElement}} [more]
 * @returns {Field} `refuse("")` takes the reason away
 */
export function field(label, properties, { hint, beside } = {}) {
  const id = uniqueId();
  const reason = h("p", { class: "reason", id: `${id}-reason`, role: "status" });
  const described = [hint && `${id}-hint`, `${id}-reason`].filter(Boolean).join(" ");
  const input = h("input", { id, "aria-describedby": described, autocomplete: "off", ...properties });
  const element = h(
    "div",
    { class: "field" },
    h("div", { class: "label-row" }, h("label", { for: id }, label), beside),
    input,
    // The reason takes the hint's place, so that nothing jumps when it comes.
    h("div", { class: "below" }, hint && h("p", { class: "hint", id: `${id}-hint` }, hint), reason),
  );
  const refuse = (/** @type {string} */ text) => {
    reason.textContent = text;
    input.toggleAttribute("aria-invalid", text !== "");
    if (text) input.setAttribute("aria-invalid", "true");
  };
  return { field: element, input, refuse };
}

/**
 * Groups what is typed as it is typed, and keeps the caret behind the same character.
 *
 * @param {HTMLInputElement} input
 * @param {(text: string) => string} group
 * @param {RegExp} counted what a character is that is not a separator
 */
function groupWhileTyping(input, group, counted) {
  input.addEventListener("input", () => {
    const before = input.value.slice(0, input.selectionStart ?? input.value.length).match(counted)?.length ?? 0;
    const atEnd = input.selectionStart === input.value.length;
    input.value = group(input.value);
    let at = 0;
    for (let seen = 0; seen < before && at < input.value.length; at++) if (input.value[at].match(counted)) seen++;
    if (atEnd) at = input.value.length;
    input.setSelectionRange(at, at);
  });
}

/** Six digits, 3+3. @param {string} label @param {string} [hint] */
export function digitsField(label, hint) {
  const made = field(label, { class: "digits", type: "text", inputmode: "numeric", maxlength: 16, enterkeyhint: "done", spellcheck: "false" }, { hint });
  groupWhileTyping(made.input, (text) => foldDigits(text).replace(/\D/gu, "").slice(0, 6).replace(/^(\d{3})(\d)/u, "$1 $2"), /\d/gu);
  return made;
}

/** A typed code, 4-4-4; a whole link may be pasted and is left as it is. @param {string} label @param {string} hint */
export function codeField(label, hint) {
  const properties = { class: "digits code", type: "text", autocapitalize: "characters", autocorrect: "off", spellcheck: "false", enterkeyhint: "go" };
  const made = field(label, properties, { hint });
  const group = (/** @type {string} */ text) => {
    if (text.includes("/")) return text.trim();
    try {
      return renderCode(foldCode(text).slice(0, 12));
    } catch {
      return text;
    }
  };
  groupWhileTyping(made.input, group, /[^\s-]/gu);
  return made;
}

/** The portal's password, with a switch to see it. @param {string} label */
export function passwordField(label) {
  const see = h("button", { type: "button", class: "link small", "aria-pressed": "false", onclick: () => turn() }, t("credentials.show"));
  const looks = { type: "password", autocomplete: "current-password", autocapitalize: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "go", maxlength: 1024 };
  const made = field(label, looks, { beside: see });
  const turn = () => {
    const hidden = made.input.type === "password";
    made.input.type = hidden ? "text" : "password";
    see.textContent = hidden ? t("credentials.hide") : t("credentials.show");
    see.setAttribute("aria-pressed", String(hidden));
    made.input.focus();
  };
  return made;
}

/**
 * A PIN: hidden, with a switch between the number pad and letters. What was chosen is not kept:
 * it would tell a thief what the PIN is made of.
 *
 * @param {string} label
 * @param {{hint?: string, with?: HTMLInputElement}} [more] `with`: the PIN is typed twice, and that
 *   field's switch turns this one too
 */
export function pinField(label, { hint, with: other } = {}) {
  const beside = other ? undefined : h("button", { type: "button", class: "link small", onclick: () => turn() }, t("pin.letters"));
  const looks = { class: "digits pin", type: "password", inputmode: "numeric", maxlength: 24, enterkeyhint: "done" };
  const quiet = { autocapitalize: "off", autocorrect: "off", spellcheck: "false" };
  // Password managers must not keep it: then it would be stored after all.
  const unsaved = { "data-1p-ignore": true, "data-lpignore": "true" };
  const made = field(label, { ...looks, ...quiet, ...unsaved }, { hint, beside });
  other?.addEventListener("turned", () => (made.input.inputMode = other.inputMode));
  const turn = () => {
    const numbers = made.input.inputMode === "numeric";
    made.input.inputMode = numbers ? "text" : "numeric";
    if (beside) beside.textContent = numbers ? t("pin.numbers") : t("pin.letters");
    made.input.dispatchEvent(new Event("turned"));
    made.input.focus();
  };
  return made;
}

/** @param {HTMLInputElement} input @param {() => void} act */
export const onEnter = (input, act) =>
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  });
