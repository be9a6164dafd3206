// Language, notifications, motion, and what this app is.

import { installed } from "../device/phone.js";
import { facts } from "../ui/cards.js";
import { link, row } from "../ui/controls.js";
import { h, uniqueId } from "../ui/element.js";
import { mayDiagnose } from "./diagnosis.js";
import { languageOf } from "../ui/languages.js";
import { currentLanguage, t } from "../ui/words.js";

const MOTIONS = ["system", "none"];

/** @type {import("../ui/router.js").Show} */
export async function settings(app) {
  const motion = (await app.vault.thing("motion")) ?? "system";
  const name = uniqueId();
  const choose = async (/** @type {string} */ value) => {
    document.documentElement.dataset.motion = value;
    await app.vault.keep("motion", value);
  };
  const device = await app.vault.device();
  return {
    title: t("settings.title"),
    back: true,
    body: [
      h(
        "fieldset",
        { class: "rows" },
        h("legend", {}, t("settings.motion")),
        MOTIONS.map((value) =>
          h(
            "label",
            { class: "row" },
            h("input", { type: "radio", name, checked: value === motion, onchange: () => void choose(value) }),
            h("span", { class: "row-text" }, h("b", {}, t(`settings.motion.${value}`)), h("span", { class: "soft" }, t(`settings.motion.${value}.text`))),
          ),
        ),
      ),
      h("h2", {}, t("settings.more")),
      h(
        "div",
        { class: "rows" },
        row({ title: t("language.title"), text: languageOf(currentLanguage()).name, icon: "globe", act: () => app.router.go("language") }),
        row({ title: t("notifications.title"), icon: "bell", act: () => app.router.go("notifications") }),
        row({ title: t("notices.title"), icon: "flag", act: () => app.router.go("notices") }),
        device && row({ title: device.cpin ? t("settings.pin") : t("settings.pin.set"), text: t("settings.pin.text"), icon: "digits", act: () => app.router.go("change_pin") }),
        device?.cpin && row({ title: t("settings.forgotten"), icon: "warn", act: () => app.router.go("forgotten") }),
        row({ title: t("history.title"), icon: "clock", act: () => app.router.go("history") }),
        !installed() && row({ title: t("install.title"), icon: "phone", act: () => app.router.go("install") }),
        app.watch.accounts.some(mayDiagnose) && row({ title: t("diagnosis.title"), icon: "message", act: () => app.router.go("diagnosis") }),
        row({ title: t("licences.title"), icon: "mark", act: () => app.router.go("licences") }),
      ),
      h("h2", {}, t("settings.about")),
      h("p", { class: "soft" }, t("settings.about.text")),
      facts([
        [t("settings.address"), location.host],
        [t("settings.lock"), lockOf(device)],
      ]),
      app.updates.ready && h("p", {}, t("update.ready"), " ", link(t("update.now"), () => app.updates.apply())),
    ],
  };
}

/** @param {import("../device/vault.js").Device | undefined} device */
function lockOf(device) {
  if (!device) return t("settings.lock.none");
  if (device.cpin && device.bio) return t("settings.lock.both");
  return device.cpin ? t("settings.lock.pin") : t("settings.lock.bio");
}
