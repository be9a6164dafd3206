// How notifications reach this phone, or why they do not, and what to do: also without any,
// nothing is lost.

import { home } from "../app.js";
import { installed, system } from "../device/phone.js";
import { permission } from "../device/push.js";
import { allowPushes } from "../journeys/pushes.js";
import { alertLine, note, numbered } from "../ui/cards.js";
import { busy, button, row } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */

/** @type {import("../ui/router.js").Show} */
export function notifications(/** @type {App} */ app, /** @type {{state?: string}} */ { state }) {
  return state ? missing(app, state) : overview(app);
}

/** What went wrong just now. @param {App} app @param {string} state @returns {import("../ui/router.js").Screen} */
function missing(app, state) {
  const phone = system();
  const way = phone === "ios" && !installed() ? "install" : phone;
  return {
    title: state === "denied" ? t("notifications.denied") : t("notifications.unavailable"),
    lead: t("notifications.lead"),
    back: true,
    body: [
      state === "denied" && numbered([t(`notifications.${way}.1`), t(`notifications.${way}.2`), t(`notifications.${way}.3`)]),
      state !== "denied" && note({ icon: "mute", text: t("notifications.service") }),
      note({ icon: "mark", text: t("notifications.without") }),
      ways(app),
    ],
    foot: [button(t("action.done"), () => home(app), { weight: "brass" })],
  };
}

/** @param {App} app @returns {import("../ui/router.js").Screen} */
function overview(app) {
  const state = permission();
  const alert = alertLine();
  const allow = button(t("push.allow"), () => void ask(), { weight: "brass", icon: "bell" });
  const ask = () =>
    busy(allow, t("push.working"), async () => {
      try {
        await allowPushes(app);
        await app.router.go("notifications", {}, { replace: true });
      } catch (problem) {
        alert.say(whyOf(problem));
      }
    });
  return {
    title: t("notifications.title"),
    lead: t("notifications.what"),
    back: true,
    body: [
      note({ icon: state === "granted" ? "bell" : "mute", text: t(`notifications.state.${state}`), kind: state === "granted" ? "good" : "bad" }),
      alert.line,
      ways(app),
      note({ icon: "mark", text: t("notifications.without") }),
    ],
    foot: [state === "undecided" && allow],
  };
}

/** @param {App} app */
const ways = (app) =>
  h(
    "div",
    { class: "rows" },
    row({ title: t("check.title"), text: t("notifications.test"), icon: "check", act: () => app.router.go("self_test") }),
    row({ title: t("second.title"), text: t("notifications.second"), icon: "bell", act: () => app.router.go("second_push") }),
    row({ title: t("notices.title"), text: t("notifications.list"), icon: "clock", act: () => app.router.go("notices") }),
  );
