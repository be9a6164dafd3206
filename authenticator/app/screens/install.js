// How the app gets onto the home screen, for each system. The activation ticket is kept alive
// meanwhile: on Android in storage, on iOS (where the installed app shares nothing with the
// browser) by copying the link or typing the code again.

import { home } from "../app.js";
import { canInstall, install as offer, installed, system } from "../device/phone.js";
import { note, numbered } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { ring } from "../ui/ring.js";
import { minutes, t } from "../ui/words.js";

/** @typedef {import("../device/phone.js").System} System */
/** @typedef {{link?: string | null, expires?: number, of?: System}} Params `expires` in seconds, server time */

const OTHERS = /** @type {Record<System, System[]>} */ ({ ios: ["android"], android: ["ios"], other: ["ios", "android"] });

/** @type {import("../ui/router.js").Show} */
export function install(/** @type {import("../app.js").App} */ app, /** @type {Params} */ params) {
  const { link: ticket, expires, of = system() } = params;
  const ios = of === "ios";
  const clock = expires
    ? ring({ total: 600, left: () => expires - app.clock.seconds(), text: minutes, label: t("install.left"), over: () => {}, small: true })
    : null;
  const show = (/** @type {System} */ one) => app.router.go("install", { ...params, of: one }, { replace: true });
  const copied = h("p", { class: "soft centre", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(ticket ?? "");
      copied.textContent = t("install.copied");
    } catch {
      copied.textContent = t("install.copy.failed");
    }
  };
  const now = button(t("install.now"), () => void busy(now, t("install.working"), offer), { weight: "brass", icon: "phone" });
  const done = button(t("action.done"), () => home(app), { weight: "brass" });
  const take = button(t("install.copy"), copy, { weight: "brass", icon: "share" });
  const main = ios && ticket ? take : canInstall() && !ios ? now : done;
  return {
    title: t(`install.${of}.title`),
    lead: ticket ? t(`install.${of}.ticket`) : t("install.lead"),
    corner: clock?.ring,
    back: true,
    body: [
      installed() && note({ icon: "check", text: t("install.already"), kind: "good" }),
      numbered([t(`install.${of}.1`, { address: location.host }), t(`install.${of}.2`), t(`install.${of}.3`), t(`install.${of}.4`)]),
      ios && note({ icon: "warn", text: t("install.ios.why") }),
      of === "android" && note({ icon: "bell", text: t("install.android.why") }),
      h("div", { class: "links" }, OTHERS[of].map((one) => link(t(`install.other.${one}`), () => show(one)))),
    ],
    foot: [main, copied],
    leave: () => clock?.stop(),
  };
}
