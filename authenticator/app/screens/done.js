// The phone is linked. Notifications are asked for here, in a tap, with the reason.

import { home } from "../app.js";
import { installed, shake, system } from "../device/phone.js";
import { permission } from "../device/push.js";
import { opens } from "../device/vault.js";
import { allowPushes } from "../journeys/pushes.js";
import { facts, note } from "../ui/cards.js";
import { busy, button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { counted, t, weekdayAndTime } from "../ui/words.js";

/** @typedef {import("../device/vault.js").Account} Account */

/** @type {import("../ui/router.js").Show} */
export async function done(/** @type {import("../app.js").App} */ app, /** @type {{account: Account, byPassword?: boolean, awake?: boolean}} `awake`: its rest is over */ { account, byPassword = false, awake = false }) {
  shake([20, 60, 20]);
  const rests = (account.rests ?? 0) > app.clock.now();
  const device = await app.vault.device();
  const all = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  const locked = all.filter((one) => !opens(device, one));
  const onwards = () => {
    if (rests) return app.router.go("resting", { account });
    return locked.length > 0 ? app.router.go("forgotten") : home(app);
  };
  const undecided = permission() === "undecided" && account.vapid !== "";
  const browserOnly = !installed() && system() === "android";
  const finish = button(locked.length > 0 ? t("done.locked.next") : t("action.done"), onwards, { weight: undecided ? "plain" : "brass" });
  const allow = button(t("push.allow"), () => void ask(), { weight: "brass", icon: "bell" });
  const ask = () =>
    busy(allow, t("push.working"), async () => {
      const state = await allowPushes(app).catch(() => "unavailable");
      await (state === "granted" ? onwards() : app.router.go("notifications", { state }));
    });
  return {
    title: awake ? t("done.awake") : t("done.title"),
    lead: t(`done.lead.${rests ? "rests" : byPassword || awake ? "here" : "browser"}`, { organisation: account.organisation }),
    passing: true,
    body: [
      facts([
        [t("fact.account"), account.account],
        [t("fact.phone"), account.label],
        ...(rests ? [/** @type {[string, string]} */ ([t("fact.rests"), weekdayAndTime(account.rests ?? 0)])] : []),
      ]),
      locked.length > 0 && note({ icon: "warn", text: counted("done.locked", locked.length), kind: "bad" }),
      all.length > 1 && locked.length === 0 && note({ icon: "keys", text: t("done.others") }),
      undecided && note({ icon: "bell", text: t("push.why") }),
      browserOnly && note({ icon: "phone", text: t("done.install") }),
      // Where there is much to read, the picture would only stand in the way.
      !(browserOnly && undecided) && h("div", { class: "picture arrive" }, icon("open", "good")),
    ],
    foot: undecided ? [allow, finish] : [finish],
  };
}
