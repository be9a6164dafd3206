// Which screen is shown. Each screen is a function; the router draws the frame around it, moves
// the focus to its heading and keeps the phone's Back button working.

import { iconButton } from "./controls.js";
import { h } from "./element.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** @typedef {import("./element.js").Child} Child */
/**
 * @typedef {object} Screen
 * @property {string} title its heading: one question or one statement
 * @property {string} [lead] under the heading
 * @property {Child[]} body
 * @property {Child[]} [foot] the decision, under the thumb
 * @property {Child} [corner] at the end of the top line
 * @property {boolean | (() => void)} [back] whether there is a way back, or another one than history's
 * @property {boolean} [passing] cannot be come back to
 * @property {HTMLElement} [focus] where typing starts
 * @property {() => void} [leave]
 */
/** @typedef {import("../app.js").App} App */
/** @typedef {(app: App, params: any) => Screen | Promise<Screen>} Show */
/** @typedef {{name: string, params: object, passing: boolean}} Entry */

export class Router {
  /** @param {Record<string, Show>} screens @param {HTMLElement} root */
  constructor(screens, root) {
    this.screens = screens;
    this.root = root;
    /** @type {Map<number, Entry>} */
    this.entries = new Map();
    this.at = 0;
    this.turn = 0;
    /** @type {Screen | null} */
    this.shown = null;
    this.name = "";
    /** @type {object} */
    this.params = {};
    /** @type {App | null} */
    this.app = null;
    /** @type {() => void} told after every screen */
    this.drawn = () => {};
    addEventListener("popstate", (event) => void this.returnTo(event.state?.at));
  }

  /**
   * @param {string} name
   * @param {object} [params] kept in memory only: a reload starts at home
   * @param {{replace?: boolean}} [how]
   */
  async go(name, params = {}, { replace = false } = {}) {
    const passing = this.shown?.passing || replace || this.name === "";
    if (!passing) this.at++;
    history[passing ? "replaceState" : "pushState"]({ at: this.at }, "", "/");
    this.entries.set(this.at, { name, params, passing: false });
    await this.show(name, params);
  }

  /** @param {number | undefined} at */
  async returnTo(at) {
    const entry = this.entries.get(at ?? -1);
    this.at = at ?? 0;
    if (entry) await this.show(entry.name, entry.params);
    else await this.go("home", {}, { replace: true });
  }

  back() {
    if (this.at > 0 && this.entries.has(this.at - 1)) history.back();
    else void this.go("home", {}, { replace: true });
  }

  /** @param {string} name @param {object} params */
  async show(name, params) {
    const turn = ++this.turn;
    const screen = await this.screens[name](/** @type {App} */ (this.app), params);
    // Something else was asked for while this one was being made.
    if (turn !== this.turn) return screen.leave?.();
    this.shown?.leave?.();
    [this.shown, this.name, this.params] = [screen, name, params];
    this.draw(name, screen);
  }

  /** @param {string} name @param {Screen} screen */
  draw(name, screen) {
    const heading = h("h1", { tabindex: "-1" }, screen.title);
    const back = typeof screen.back === "function" ? screen.back : () => this.back();
    const brand = h("div", { class: "brand" }, icon("mark", "brass"), h("span", {}, t("app.name")));
    this.root.dataset.screen = name;
    this.root.replaceChildren(
      h("header", {}, screen.back && iconButton(t("action.back"), "back", back), brand, screen.corner ?? h("span")),
      h("main", {}, heading, screen.lead && h("p", { class: "lead" }, screen.lead), ...screen.body),
      h("footer", {}, ...(screen.foot ?? [])),
    );
    document.title = t("app.title", { screen: screen.title });
    scrollTo(0, 0);
    this.root.scrollTo(0, 0);
    (screen.focus ?? heading).focus({ preventScroll: true });
    this.drawn();
  }
}
