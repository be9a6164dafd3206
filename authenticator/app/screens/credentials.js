// Username and password: the first half of what links a phone without a QR code.

import { fail } from "../app.js";
import { openCase } from "../journeys/credentials.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { field, onEnter, passwordField } from "../ui/fields.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {"first" | "same" | "move" | "lost" | "renew"} Why what brought the person here */
/** @typedef {{why: Why, username?: string, label?: string, former?: string, newPin?: boolean, say?: string}} Params `newPin`: the PIN of this phone was forgotten */

// What the person can put right on this very screen.
const HERE = new Set(["wrong_credentials", "username_invalid", "password_wait", "source_wait", "too_many_requests", "password_busy", "offline", "timeout", "server_failed"]);

/** @type {import("../ui/router.js").Show} */
export function credentials(/** @type {App} */ app, /** @type {Params} */ { why, username = "", label, former, newPin = false, say = "" }) {
  const alert = alertLine();
  const name = field(t("credentials.username"), {
    type: "text", value: username, autocomplete: "username", autocapitalize: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "next", maxlength: 200,
  });
  const password = passwordField(t("credentials.password"));
  const submit = async () => {
    const given = { username: name.input.value.trim(), password: password.input.value, label, former, newPin };
    if (given.username === "") return refuse(name, t("credentials.username.missing"));
    if (given.password === "") return refuse(password, t("credentials.password.missing"));
    alert.say("");
    await busy(proceed, t("credentials.working"), async () => {
      try {
        const opened = await openCase(app, given);
        password.input.value = "";
        await app.router.go(opened.situation === "move" ? "replaces" : "ways", { opened, why });
      } catch (problem) {
        if (!(problem instanceof Problem) || !HERE.has(problem.code)) return fail(app, problem);
        alert.say(whyOf(problem));
        if (problem.code === "wrong_credentials") password.input.select();
      }
    });
  };
  const proceed = button(t("action.continue"), () => void submit(), { weight: "brass" });
  for (const { input, refuse: say } of [name, password]) input.addEventListener("input", () => say(""));
  onEnter(name.input, () => password.input.focus());
  onEnter(password.input, () => void submit());
  if (say) alert.say(say);
  return {
    title: t(`credentials.title.${why}`),
    lead: t("credentials.lead"),
    back: true,
    focus: username ? password.input : name.input,
    body: [name.field, password.field, alert.line, note({ icon: "mark", text: t(`credentials.note.${why}`) })],
    foot: [proceed, why === "first" && h("p", { class: "centre" }, link(t("again.link"), () => app.router.go("again")))],
  };
}

/** @param {import("../ui/fields.js").Field} given @param {string} reason */
function refuse({ refuse: say, input }, reason) {
  say(reason);
  input.focus();
}
