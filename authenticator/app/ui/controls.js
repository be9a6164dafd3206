// Buttons and links as this app draws them.

import { h } from "./element.js";
import { icon } from "./icons.js";

/** @typedef {import("./icons.js").IconName} IconName */
/** @typedef {"plain" | "brass" | "ink" | "quiet"} Weight */

/**
 * @param {string} label
 * @param {() => unknown} act
 * @param {{weight?: Weight, icon?: IconName}} [look]
 */
export const button = (label, act, { weight = "plain", icon: name } = {}) =>
  h("button", { type: "button", class: `button ${weight}`, onclick: act }, name && icon(name), h("span", {}, label));

/** A button that reads as a link. @param {string} label @param {() => unknown} act */
export const link = (label, act) => h("button", { type: "button", class: "link", onclick: act }, label);

/** A button that shows only a drawing. @param {string} label @param {IconName} name @param {() => unknown} act */
export const iconButton = (label, name, act) =>
  h("button", { type: "button", class: "icon-button", "aria-label": label, onclick: act }, icon(name));

/**
 * While something runs, the button cannot be pressed again and says what is going on.
 *
 * @template T
 * @param {HTMLButtonElement} pressed
 * @param {string} label
 * @param {() => Promise<T>} work
 */
export async function busy(pressed, label, work) {
  const text = /** @type {HTMLElement} */ (pressed.querySelector("span") ?? pressed);
  const before = text.textContent;
  pressed.setAttribute("aria-disabled", "true");
  text.textContent = label;
  try {
    return await work();
  } finally {
    pressed.removeAttribute("aria-disabled");
    text.textContent = before;
  }
}

/** A row that leads on. @param {{title: string, text?: string, icon: IconName, act: () => unknown}} row */
export const row = ({ title, text, icon: name, act }) =>
  h(
    "button",
    { type: "button", class: "row", onclick: act },
    icon(name, "brass"),
    h("span", { class: "row-text" }, h("b", {}, title), text && h("span", { class: "soft" }, text)),
    icon("on", "soft"),
  );
