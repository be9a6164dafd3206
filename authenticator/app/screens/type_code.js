// The typed twin of the scanner; takes a pasted link as well.

import { ownLink, present } from "../app.js";
import { parseCode } from "../protocol/typed_code.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { codeField, onEnter } from "../ui/fields.js";
import { t, whyOf } from "../ui/words.js";

/** @type {import("../ui/router.js").Show} */
export function typeCode(app, { newPin = false } = {}) {
  const { field, input, refuse } = codeField(t("code.label"), t("code.hint"));
  const submit = async () => {
    const text = input.value;
    try {
      await present(app, text.includes("/") ? { link: ownLink(text) } : { code: parseCode(text) }, { newPin });
    } catch (problem) {
      refuse(whyOf(problem));
      input.focus();
    }
  };
  input.addEventListener("input", () => refuse(""));
  onEnter(input, () => void submit());
  return {
    title: t("code.title"),
    lead: t("code.lead"),
    back: true,
    focus: input,
    body: [field],
    foot: [
      button(t("action.continue"), submit, { weight: "brass" }),
      h("p", { class: "centre" }, link(t("code.scan"), () => app.router.go("scan", { newPin }, { replace: true }))),
    ],
  };
}
