// Everything that the accounts on this phone were told, and every request answered here: also
// what was missed, or wiped away from the phone's own list.

import { LOOKS } from "./history.js";
import { clearNotifications } from "../device/push.js";
import { note } from "../ui/cards.js";
import { link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { clockTime, dayName, t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Answered} Answered */
/** @typedef {import("../journeys/notices.js").Told} Told */
/** @typedef {{at: number, element: HTMLLIElement}} Entry */

/** @type {import("../ui/router.js").Show} */
export async function notices(/** @type {App} */ app) {
  const list = h("div", { class: "days" });
  /** New at this visit, although it counts as read from now on. @type {Set<string>} */
  const fresh = new Set();
  const draw = async () => {
    const told = app.notices.list();
    for (const { account, notice } of told) if (!notice.read) fresh.add(`${account.id} ${notice.id}`);
    const answers = await app.vault.history();
    const several = app.watch.accounts.length > 1;
    const entries = [...told.map((one) => noticeEntry(app, one, several, fresh)), ...answers.map(answerEntry)];
    list.replaceChildren(...byDay(entries.sort((one, other) => other.at - one.at)));
    if (entries.length === 0) list.append(note({ icon: "bell", text: t("notices.empty") }));
  };
  await draw();
  // Seen by being listed; a phone that cannot say so now says it at the next visit.
  void app.notices.refresh().then(draw).then(() => app.notices.markRead()).catch(() => {});
  void clearNotifications("notice");
  return {
    title: t("notices.title"),
    lead: t("notices.lead"),
    back: true,
    body: [list],
    foot: [
      h(
        "div",
        { class: "links" },
        link(t("check.title"), () => app.router.go("self_test")),
        link(t("notifications.title"), () => app.router.go("notifications")),
      ),
    ],
  };
}

/** Each part in its own direction, whatever the language's is. @param {number} at @param {string[]} more */
const whenAndWhere = (at, more) =>
  h("span", { class: "soft" }, [clockTime(at), ...more.filter(Boolean)].flatMap((part, place) => [place > 0 && " · ", h("bdi", {}, part)]));

/** @param {Entry[]} entries the newest first */
function byDay(entries) {
  /** @type {Map<string, HTMLLIElement[]>} */
  const days = new Map();
  for (const { at, element } of entries) days.set(dayName(at), [...(days.get(dayName(at)) ?? []), element]);
  return [...days].flatMap(([day, elements]) => [h("h2", {}, day), h("ul", { class: "rows plain-list" }, elements)]);
}

/** @param {App} app @param {Told} told @param {boolean} several @param {Set<string>} fresh @returns {Entry} */
function noticeEntry(app, told, several, fresh) {
  const { account, notice } = told;
  const unread = fresh.has(`${account.id} ${notice.id}`);
  const alarm = notice.weight === "alarm";
  const open = () => app.router.go("notice", { enrollment: account.id, id: notice.id });
  const element = h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: `row notice${unread ? " unread" : ""}`, onclick: open },
      icon(alarm ? "warn" : "bell", alarm ? "bad" : "brass"),
      h(
        "span",
        { class: "row-text" },
        h("b", {}, notice.title),
        several && h("span", { class: "soft" }, `${account.account} · ${account.organisation}`),
        h("span", { class: "notice-when" }, whenAndWhere(notice.at, [notice.place]), unread && h("span", { class: "tag new" }, t("notices.new"))),
      ),
      icon("on", "soft"),
    ),
  );
  return { at: notice.at, element };
}

/** @param {Answered} answered @returns {Entry} */
function answerEntry({ at, outcome, account, organisation, browser, place }) {
  const { icon: name, look } = LOOKS[outcome] ?? LOOKS.expired;
  const element = h(
    "li",
    { class: "row still" },
    icon(name, look),
    h(
      "span",
      { class: "row-text" },
      h("b", {}, t(`history.${outcome}`)),
      h("span", { class: "soft" }, `${account} · ${organisation}`),
      whenAndWhere(at, [browser, place]),
    ),
  );
  return { at, element };
}
