// Whose account this phone is about to open, and what will happen. Nothing is made before the
// person has agreed.

import { fail, home } from "../app.js";
import { begin } from "../journeys/activate.js";
import { giveUp } from "../journeys/credentials.js";
import { witnesses } from "../journeys/pin.js";
import { Problem } from "../protocol/errors.js";
import { facts, numbered } from "../ui/cards.js";
import { busy, button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { ring } from "../ui/ring.js";
import { minutes, t, weekdayAndTime } from "../ui/words.js";

/** @typedef {import("../journeys/activate.js").Ticket} Ticket */

/** @type {import("../ui/router.js").Show} */
export async function confirm(/** @type {import("../app.js").App} */ app, /** @type {{ticket: Ticket}} */ { ticket }) {
  const { organisation, application, exp, iat } = ticket.request;
  const account = ticket.opened?.account ?? ticket.request.account;
  const device = await app.vault.device();
  const same = !ticket.newPin && !ticket.opened?.newPin && witnesses(device, await app.vault.accounts()).length > 0;
  const first = !same ? t("confirm.next.1") : device?.cpin ? t("confirm.next.same") : t("confirm.next.lock");
  const { ring: corner, stop } = ring({
    total: Math.max(1, exp - iat),
    left: () => exp - app.clock.seconds(),
    text: minutes,
    label: t("confirm.left"),
    over: () => void fail(app, new Problem("ticket_expired")),
    small: true,
  });
  const agree = button(t("confirm.agree"), () => void go(), { weight: "brass" });
  const go = () =>
    busy(agree, t("confirm.working"), async () => {
      try {
        await app.router.go("security", { draft: await begin(app, ticket) });
      } catch (problem) {
        await fail(app, problem);
      }
    });
  const refuse = async () => {
    if (ticket.opened) giveUp(app, ticket.opened);
    await app.vault.keep("held", undefined);
    await home(app);
  };
  return {
    title: t("confirm.title"),
    lead: t("confirm.lead"),
    corner,
    passing: true,
    body: [
      facts([
        [t("confirm.organisation"), organisation],
        [t("confirm.application"), application],
        [t("confirm.account"), account],
      ]),
      h("h2", {}, t("confirm.next")),
      numbered([first, t("confirm.next.2"), ticket.rests ? t("confirm.next.rests", { until: weekdayAndTime(ticket.rests) }) : t("confirm.next.3")]),
      // Whoever typed a password here was not sent a code by somebody.
      !ticket.opened && h("p", { class: "soft" }, t("confirm.warning")),
    ],
    foot: [h("div", { class: "pair" }, button(t("confirm.refuse"), refuse, { weight: "ink" }), agree)],
    leave: stop,
  };
}
