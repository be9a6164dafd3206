// Accounts, what waits, and the way to a response. Without accounts: the welcome, or the ticket
// that was held while the app was being installed.

import { fail, ownLink, present } from "../app.js";
import { permission } from "../device/push.js";
import { opens, usable } from "../device/vault.js";
import { allowPushes } from "../journeys/pushes.js";
import { note } from "../ui/cards.js";
import { busy, button, iconButton, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { counted, minutes, t, weekdayAndTime } from "../ui/words.js";
import { welcome } from "./welcome.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../app.js").Held} Held */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/vault.js").Device} Device */
/** @typedef {import("../journeys/watch.js").Waiting} Waiting */

/** @type {import("../ui/router.js").Show} */
export async function home(app) {
  const accounts = (await app.vault.accounts()).filter(({ pending }) => !pending);
  if (accounts.length === 0) return (await held(app)) ?? welcome(app, {});
  const device = await app.vault.device();
  const heading = h("p", { class: "lead" });
  const waiting = h("section", { class: "rows", "aria-label": t("home.requests") });
  const list = h("section", { class: "rows", "aria-label": t("home.accounts") });
  const notes = h("div", { class: "notes" });
  const bell = iconButton(t("notices.title"), "bell", () => app.router.go("notices"));
  const draw = () => {
    markUnread(bell, app.notices.unread);
    const { waiting: requests, accounts: known } = app.watch;
    const shown = requests.filter((request) => !app.watch.isOver(request));
    count = shown.length;
    heading.textContent = shown.length > 0 ? counted("home.waiting", shown.length) : t("home.nothing");
    waiting.replaceChildren(...shown.map((request) => requestCard(app, request)));
    list.replaceChildren(...known.filter(({ pending }) => !pending).map((account) => accountCard(app, device, account)));
    notes.replaceChildren(...lockedNotes(app, device), ...notesOf(app));
  };
  let count = 0;
  // Only the time left changes by itself: what is drawn anew would lose the focus.
  const tick = () => {
    const live = app.watch.waiting.filter((request) => !app.watch.isOver(request));
    if (live.length !== count) return draw();
    for (const [at, tag] of waiting.querySelectorAll(".timer").entries()) tag.textContent = timeLeft(app, live[at]);
  };
  draw();
  const stop = app.watch.subscribe(draw);
  const timer = setInterval(tick, 1000);
  return {
    title: t("home.title"),
    corner: h("span", { class: "corner" }, bell, iconButton(t("settings.title"), "settings", () => app.router.go("settings"))),
    body: [heading, waiting, h("h2", {}, t("home.accounts")), list, notes],
    foot: [
      accounts.some((account) => usable(device, account, app.clock.now())) && button(t("home.authenticate"), () => app.router.go("authenticate"), { weight: "brass", icon: "digits" }),
      h(
        "div",
        { class: "links" },
        link(t("home.scan"), () => app.router.go("scan")),
        link(t("home.add"), () => app.router.go("adding")),
        link(t("home.history"), () => app.router.go("history")),
      ),
    ],
    leave: () => {
      stop();
      clearInterval(timer);
    },
  };
}

/** How many notices are new, in the name and beside the drawing. @param {HTMLButtonElement} bell @param {number} unread */
function markUnread(bell, unread) {
  bell.setAttribute("aria-label", unread > 0 ? counted("home.unread", unread) : t("notices.title"));
  bell.dataset.unread = unread > 0 ? String(Math.min(unread, 99)) : "";
}

/** @param {App} app @returns {Promise<import("../ui/router.js").Screen | null>} */
async function held(app) {
  /** @type {Held | undefined} */
  const ticket = await app.vault.thing("held");
  const left = ticket ? ticket.expires - app.clock.now() : 0;
  if (!ticket || left <= 0) return null;
  const go = async () => {
    try {
      await present(app, { link: ownLink(ticket.link) });
    } catch (problem) {
      await fail(app, problem);
    }
  };
  const forget = async () => {
    await app.vault.keep("held", undefined);
    await app.router.go("home", {}, { replace: true });
  };
  return {
    title: t("held.title"),
    lead: t("held.lead", { left: minutes(Math.ceil(left / 1000)) }),
    body: [h("div", { class: "picture" }, icon("mark", "brass"))],
    foot: [button(t("held.go"), go, { weight: "brass" }), button(t("held.forget"), forget)],
  };
}

/** @param {App} app @param {Waiting} waiting */
const timeLeft = ({ clock }, { request }) => minutes(Math.max(0, request.exp - clock.seconds()));

/** @param {App} app @param {Waiting} shown */
function requestCard(app, shown) {
  const { id, account, request } = shown;
  const { browser, place } = request.show;
  return h(
    "button",
    { type: "button", class: "row request", onclick: () => app.router.go("request", { id }) },
    icon("mark", "brass"),
    h(
      "span",
      { class: "row-text" },
      h("b", {}, t("home.request", { organisation: account.organisation })),
      h("span", { class: "soft" }, [account.account, browser, place].filter(Boolean).join(" · ")),
    ),
    h("span", { class: "tag timer" }, timeLeft(app, shown)),
  );
}

/** What an account on this phone can do now; `bad` where it needs its owner. @param {App} app @param {Device | undefined} device @param {Account} account */
function stateOf({ clock }, device, account) {
  const { ended, rests, retires, seamless, label } = account;
  if (ended) return { text: t("home.ended"), bad: true };
  if (!opens(device, account)) return { text: t("home.locked"), bad: true };
  if (rests && rests > clock.now()) return { text: t("home.rests", { until: weekdayAndTime(rests) }), bad: false };
  if (retires && retires <= clock.now()) return { text: t("home.retired"), bad: true };
  if (retires) return { text: t("home.retires", { until: weekdayAndTime(retires) }), bad: true };
  return { text: seamless ? label : t("home.manual"), bad: false };
}

/** Accounts whose PIN was forgotten wait for the one that was set since. @param {App} app @param {Device | undefined} device */
function lockedNotes(app, device) {
  const locked = app.watch.accounts.filter((account) => !account.pending && !account.ended && !opens(device, account));
  if (locked.length === 0) return [];
  return [note({ icon: "warn", text: counted("done.locked", locked.length), kind: "bad" }, link(t("home.locked.go"), () => app.router.go("forgotten")))];
}

/** @param {App} app @param {Device | undefined} device @param {Account} account */
function accountCard(app, device, account) {
  const state = stateOf(app, device, account);
  return h(
    "button",
    { type: "button", class: "row", onclick: () => app.router.go("account", { id: account.id }) },
    h("span", { class: "initial", "aria-hidden": "true" }, [...account.organisation][0] ?? ""),
    h(
      "span",
      { class: "row-text" },
      h("b", {}, account.account),
      h("span", { class: state.bad ? "bad" : "soft" }, `${account.organisation} · ${state.text}`),
    ),
    icon("on", "soft"),
  );
}

/** @param {App} app */
function notesOf(app) {
  const notes = [];
  if (app.watch.reached === false) notes.push(note({ icon: "cloud", text: t("home.offline") }));
  if (app.updates.ready) notes.push(note({ icon: "turn", text: t("update.ready") }, link(t("update.now"), () => app.updates.apply())));
  const state = permission();
  if (!app.watch.accounts.some(({ vapid, ended }) => vapid && !ended)) return notes;
  if (state === "undecided") {
    const failed = () => app.router.go("notifications", { state: "unavailable" });
    const ask = () => busy(allow, t("push.working"), () => allowPushes(app)).catch(failed);
    const allow = link(t("push.allow"), ask);
    notes.push(note({ icon: "mute", text: t("push.off") }, allow));
  }
  if (state === "denied") {
    const how = link(t("push.how"), () => app.router.go("notifications", { state }));
    notes.push(note({ icon: "mute", text: t("push.denied") }, how));
  }
  if (state === "unsupported") notes.push(note({ icon: "mute", text: t("push.unsupported") }));
  return notes;
}
