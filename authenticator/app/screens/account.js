// One account on this phone: the phone's name, its state, and the way out.

import { beginWithPassword, fail, home } from "../app.js";
import { permission } from "../device/push.js";
import { opens } from "../device/vault.js";
import { Problem } from "../protocol/errors.js";
import { alertLine, facts, note } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h, uniqueId } from "../ui/element.js";
import { field, onEnter } from "../ui/fields.js";
import { dayAndTime, t, weekdayAndTime, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */

/** @type {import("../ui/router.js").Show} */
export async function account(/** @type {import("../app.js").App} */ app, /** @type {{id: string}} */ { id }) {
  const shown = await app.vault.account(id);
  if (!shown) return app.router.screens.home(app, {});
  const device = await app.vault.device();
  const locked = !shown.ended && !opens(device, shown);
  const rests = !shown.ended && (shown.rests ?? 0) > app.clock.now();
  const retires = !shown.ended && shown.retires ? shown.retires : 0;
  const others = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending).length > 1;
  const pushes = shown.vapid ? t(`account.push.${permission()}`) : t("account.push.none");
  const { form, alert } = renaming(app, shown);
  const remove = button(t("account.remove"), () => confirmRemoval(app, shown));
  return {
    title: shown.account,
    lead: `${shown.organisation} · ${shown.application}`,
    back: true,
    body: [
      shown.ended && h("p", { class: "alert" }, t(`problem.${shown.ended}.why`)),
      shown.ended && button(t("account.again"), () => beginWithPassword(app, { why: "same", username: shown.account, label: shown.label, former: shown.id })),
      locked && note({ icon: "warn", text: t("account.locked"), kind: "bad" }, link(t("home.locked.go"), () => app.router.go("forgotten"))),
      rests && note({ icon: "clock", text: t("account.rests", { until: weekdayAndTime(shown.rests ?? 0) }) }, link(t("account.rests.why"), () => app.router.go("resting", { account: shown }))),
      retires > 0 && note({ icon: "warn", text: t("account.retires", { until: weekdayAndTime(retires) }), kind: "bad" }),
      !shown.ended && form,
      alert.line,
      facts([
        [t("account.since"), dayAndTime(shown.createdAt)],
        [t("account.signin"), shown.seamless ? t("account.seamless") : t("account.manual")],
        [t("account.push"), pushes],
        [t("account.portal"), shown.issuer.replace(/^https?:\/\//u, "")],
      ]),
      !shown.ended && permission() === "denied" && h("p", {}, link(t("push.how"), () => app.router.go("notifications", { state: "denied" }))),
    ],
    foot: [
      others && !shown.ended && !locked && !rests && button(t("account.authenticate"), () => app.router.go("authenticate", { id }), { weight: "brass", icon: "digits" }),
      remove,
    ],
  };
}

/** @param {App} app @param {Account} shown */
function renaming(app, shown) {
  const alert = alertLine();
  const properties = { type: "text", maxlength: 40, value: shown.label, autocapitalize: "words", enterkeyhint: "done" };
  const name = field(t("account.name"), properties, { hint: t("account.name.hint") });
  const save = button(t("account.save"), () => void rename());
  const rename = async () => {
    const label = name.input.value.trim();
    if (label === "") return name.refuse(t("account.name.missing"));
    if (label === shown.label) return alert.say(t("account.saved"), true);
    await busy(save, t("account.saving"), async () => {
      try {
        await app.server.setLabel(shown, label);
        await app.vault.change(shown.id, { label });
        shown.label = label;
        name.refuse("");
        alert.say(t("account.saved"), true);
        await app.watch.reload();
      } catch (problem) {
        alert.say(whyOf(problem));
      }
    });
  };
  onEnter(name.input, () => void rename());
  return { form: h("div", { class: "inline-form" }, name.field, save), alert };
}

/** @param {App} app @param {Account} shown */
function confirmRemoval(app, shown) {
  const heading = uniqueId();
  const alert = alertLine();
  const text = h("p", { class: "soft" }, t("removal.text", { organisation: shown.organisation }));
  const gone = async () => {
    await app.vault.remove(shown.id);
    sheet.close();
    await app.watch.reload();
    void app.watch.start();
    await home(app);
  };
  const remove = button(t("removal.remove"), () => void end(), { weight: "ink" });
  const end = () =>
    busy(remove, t("removal.working"), async () => {
      try {
        if (!shown.ended) await app.server.remove(shown);
        await gone();
      } catch (problem) {
        const code = problem instanceof Problem ? problem.code : "unexpected";
        if (code === "enrollment_unknown" || code === "enrollment_revoked") return gone();
        if (code !== "offline" && code !== "timeout" && code !== "server_failed") {
          sheet.close();
          return fail(app, problem);
        }
        // The server did not hear of it. The person may still want the keys gone from here.
        alert.say(t("removal.offline"));
        anyway.hidden = false;
      }
    });
  const anyway = button(t("removal.anyway"), () => void gone());
  anyway.hidden = true;
  /** @type {HTMLDialogElement} */
  const sheet = h(
    "dialog",
    { class: "sheet", "aria-labelledby": heading, onclose: () => sheet.remove() },
    h("h2", { id: heading }, t("removal.title", { account: shown.account })),
    text,
    alert.line,
    h("div", { class: "pair" }, button(t("removal.keep"), () => sheet.close()), remove),
    anyway,
  );
  document.body.append(sheet);
  sheet.showModal();
}
