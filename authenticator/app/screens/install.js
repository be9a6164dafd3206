// How the app gets onto the home screen, for each system and browser; no store is involved. The
// activation ticket is kept alive meanwhile: on Android in storage, on iOS (where the installed
// app shares nothing with the browser) by copying the link or typing the code again.

import { home } from "../app.js";
import { GUIDES, canInstall, guide, install as offer, installed } from "../device/phone.js";
import { note, numbered } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { ring } from "../ui/ring.js";
import { minutes, t } from "../ui/words.js";

/** @typedef {import("../device/phone.js").Guide} Guide */
/** @typedef {{link?: string | null, expires?: number, of?: Guide}} Params `expires` in seconds, server time */

const IOS = new Set(["iphone", "ipad", "ios_browser"]);

/** @type {import("../ui/router.js").Show} */
export function install(/** @type {import("../app.js").App} */ app, /** @type {Params} */ params) {
  const { link: ticket, expires, of = guide() } = params;
  const ios = IOS.has(of);
  const family = ios ? "ios" : of === "computer" ? "other" : "android";
  const clock = expires
    ? ring({ total: 600, left: () => expires - app.clock.seconds(), text: minutes, label: t("install.left"), over: () => over(), small: true })
    : null;
  const copied = h("p", { class: "soft centre", role: "status" });
  const over = () => void (copied.textContent = t("install.over"));
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
    lead: ticket ? t(`install.${family}.ticket`) : t("install.lead"),
    corner: clock?.ring,
    back: true,
    body: [
      installed() && note({ icon: "check", text: t("install.already"), kind: "good" }),
      numbered([t(`install.${of}.1`, { address: location.host }), t(`install.${of}.2`), t("install.open"), t(`install.${family}.go_on`)]),
      ios && note({ icon: "warn", text: t("install.ios.why") }),
      family === "android" && note({ icon: "bell", text: t("install.android.why") }),
      note({ icon: "mark", text: t("install.store", { address: location.host }) }),
      others(app, params, of),
    ],
    foot: [main, copied],
    leave: () => clock?.stop(),
  };
}

/** Whoever reads this on another device than the one in question. @param {import("../app.js").App} app @param {Params} params @param {Guide} of */
const others = (app, params, of) =>
  h(
    "details",
    { class: "card guidelines" },
    h("summary", {}, t("install.others")),
    h(
      "ul",
      { class: "plain-list" },
      GUIDES.filter((one) => one !== of).map((one) => h("li", {}, link(t(`install.for.${one}`), () => app.router.go("install", { ...params, of: one }, { replace: true })))),
    ),
  );
