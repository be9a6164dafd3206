// Facts, notes and lists of steps.

import { h } from "./element.js";
import { icon } from "./icons.js";

/** @typedef {import("./element.js").Child} Child */
/** @typedef {import("./icons.js").IconName} IconName */

/** @param {[term: string, fact: Child][]} pairs */
export const facts = (pairs) =>
  h("dl", { class: "card facts" }, pairs.map(([term, fact]) => h("div", {}, h("dt", {}, term), h("dd", {}, fact))));

/** @param {{icon: IconName, text: string, kind?: "bad" | "good" | "soft"}} note @param {...Child} more */
export const note = ({ icon: name, text, kind = "soft" }, ...more) =>
  h("div", { class: `note ${kind}` }, icon(name), h("div", {}, h("p", {}, text), more));

/** A place that speaks up when its text is set. */
export function alertLine() {
  const line = h("p", { class: "alert", role: "alert" });
  const say = (/** @type {string} */ text, good = false) => {
    line.classList.toggle("good", good);
    line.textContent = text;
  };
  return { line, say };
}

/** Steps that have happened, the one that is awaited, and those to come. @param {string[]} labels */
export function steps(labels) {
  const items = labels.map((label, at) =>
    h("li", { class: "step" }, h("span", { class: "dot", "aria-hidden": "true" }, String(at + 1)), h("span", {}, label)),
  );
  const list = h("ol", { class: "steps" }, items);
  /** @param {number} done how many have happened */
  const show = (done) =>
    items.forEach((item, at) => {
      const state = at < done ? "done" : at === done ? "now" : "ahead";
      item.className = `step ${state}`;
      item.toggleAttribute("aria-current", state === "now");
      item.firstElementChild?.replaceChildren(state === "done" ? icon("check") : String(at + 1));
    });
  show(0);
  return { list, show };
}

/** A numbered list of things to do. @param {Child[]} items */
export const numbered = (items) =>
  h(
    "ol",
    { class: "steps" },
    items.map((item, at) => {
      const dot = h("span", { class: "dot", "aria-hidden": "true" }, String(at + 1));
      return h("li", { class: "step ahead" }, dot, h("span", {}, item));
    }),
  );
