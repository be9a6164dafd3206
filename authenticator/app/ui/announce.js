// A quiet line for screen readers.

import { h } from "./element.js";

const line = h("p", { class: "unseen", role: "status", "aria-live": "polite" });

/** To be called once. */
export const mountAnnouncer = () => document.body.append(line);

/** @param {string} text */
export const announce = (text) => void (line.textContent = text);
