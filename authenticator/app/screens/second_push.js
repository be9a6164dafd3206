// ntfy as a second way for notifications: for phones whose browser has no push service.

import { fail } from "../app.js";
import { fetchHealth, switchSecondWay } from "../device/notice_calls.js";
import { Problem } from "../protocol/errors.js";
import { accountChoice } from "../ui/account_choice.js";
import { alertLine, facts, note, numbered } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/notice_calls.js").SecondWay} SecondWay */

/** @type {import("../ui/router.js").Show} */
export async function secondPush(/** @type {App} */ app, /** @type {{id?: string}} */ { id }) {
  const accounts = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  const account = accounts.find((one) => one.id === id) ?? accounts[0];
  if (!account) return app.router.screens.home(app, {});
  const view = h("div", { class: "stack" });
  const foot = h("div", { class: "rows" });
  const way = new Way(app, account, view, foot);
  void way.ask();
  const other = (/** @type {Account} */ one) => app.router.go("second_push", { id: one.id }, { replace: true });
  return {
    title: t("second.title"),
    lead: t("second.lead"),
    back: true,
    body: [accounts.length > 1 && accountChoice(t("check.account"), accounts, account, other), way.alert.line, view],
    foot: [foot],
  };
}

class Way {
  /** @param {App} app @param {Account} account @param {HTMLElement} view @param {HTMLElement} foot */
  constructor(app, account, view, foot) {
    this.app = app;
    this.account = account;
    this.view = view;
    this.foot = foot;
    this.alert = alertLine();
  }

  async ask() {
    this.view.replaceChildren(note({ icon: "clock", text: t("second.asking") }));
    try {
      const { second } = await fetchHealth(this.app.server, this.account);
      this.draw(second);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.alert.say(whyOf(problem));
      this.view.replaceChildren();
      this.foot.replaceChildren(button(t("check.again"), () => void this.again()));
    }
  }

  async again() {
    this.alert.say("");
    await this.ask();
  }

  /** @param {SecondWay | null} second */
  draw(second) {
    if (!second) {
      this.view.replaceChildren(note({ icon: "mute", text: t("second.none") }));
      return this.foot.replaceChildren();
    }
    if (second.on && second.topic_url) return this.drawOn(second.topic_url, second.subscribe);
    const on = button(t("second.on"), () => void this.turn(on, true), { weight: "brass", icon: "bell" });
    this.view.replaceChildren(numbered([t("second.1"), t("second.2"), t("second.3")]), note({ icon: "mark", text: t("second.privacy") }));
    this.foot.replaceChildren(on);
  }

  /** @param {string} topic @param {string | null} subscribe */
  drawOn(topic, subscribe) {
    const off = button(t("second.off"), () => void this.turn(off, false));
    const copied = h("p", { class: "soft", role: "status" });
    const copy = async () => {
      const done = await navigator.clipboard.writeText(topic).then(() => true, () => false);
      copied.textContent = done ? t("second.copied") : t("second.copy.failed");
    };
    const open = subscribe && /^(?:ntfy|https?):\/\//u.test(subscribe);
    this.view.replaceChildren(
      note({ icon: "check", text: t("second.is_on"), kind: "good" }),
      facts([[t("second.topic"), topic]]),
      h("div", { class: "links" }, link(t("second.copy"), copy)),
      copied,
      note({ icon: "warn", text: t("second.secret") }),
    );
    const test = button(t("second.test"), () => this.app.router.go("self_test", { id: this.account.id }));
    this.foot.replaceChildren(
      ...(open ? [h("a", { class: "button brass", href: subscribe }, h("span", {}, t("second.open")))] : []),
      h("div", { class: "pair" }, test, off),
    );
  }

  /** @param {HTMLButtonElement} pressed @param {boolean} on */
  turn(pressed, on) {
    return busy(pressed, t("check.working"), async () => {
      try {
        const { topic_url, subscribe } = await switchSecondWay(this.app.server, this.account, on);
        this.draw({ on, topic_url, subscribe });
      } catch (problem) {
        await fail(this.app, problem);
      }
    });
  }
}
