// One notice in full, and the way to say that it was somebody else.

import { shake } from "../device/phone.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, facts, note } from "../ui/cards.js";
import { busy, button } from "../ui/controls.js";
import { h, uniqueId } from "../ui/element.js";
import { dayAndTime, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/notices.js").Told} Told */
/** @typedef {{enrollment: string, id: number}} Params */

/** @type {import("../ui/router.js").Show} */
export function notice(/** @type {App} */ app, /** @type {Params} */ { enrollment, id }) {
  const told = app.notices.list().find((one) => one.account.id === enrollment && one.notice.id === id);
  if (!told) return app.router.screens.notices(app, {});
  const { account, notice: shown } = told;
  const mine = app.notices.mayRefuse(told);
  const refuse = button(t("notice.not_me"), () => ask(app, told), { weight: "ink", icon: "flag" });
  return {
    title: shown.title,
    lead: shown.text,
    back: true,
    body: [
      facts([
        [t("fact.account"), `${account.account} · ${account.organisation}`],
        [t("fact.time"), dayAndTime(shown.at)],
        [t("fact.place"), shown.place || t("fact.unknown")],
      ]),
      note(mine ? { icon: "flag", text: t("notice.if_not") } : { icon: "check", text: t("notice.only_told") }),
    ],
    foot: [mine && refuse, button(t("action.done"), () => app.router.back(), { weight: mine ? "plain" : "brass" })],
  };
}

/** @param {App} app @param {Told} told */
function ask(app, told) {
  const heading = uniqueId();
  const alert = alertLine();
  const yes = button(t("notice.not_me.yes"), () => void send(), { weight: "ink" });
  const close = () => sheet.close();
  const send = () =>
    busy(yes, t("notice.not_me.working"), async () => {
      try {
        const done = await app.notices.notMe(told);
        shake([30, 50, 30]);
        close();
        await app.router.go("reported", { organisation: told.account.organisation, done });
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        alert.say(whyOf(problem));
      }
    });
  /** @type {HTMLDialogElement} */
  const sheet = h(
    "dialog",
    { class: "sheet", "aria-labelledby": heading, onclose: () => sheet.remove() },
    h("h2", { id: heading }, t("notice.not_me.title")),
    h("p", { class: "soft" }, t("notice.not_me.text")),
    alert.line,
    h("div", { class: "pair" }, button(t("action.cancel"), close), yes),
  );
  document.body.append(sheet);
  sheet.showModal();
}
