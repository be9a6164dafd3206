// Our own drawings of where to look on a phone. Decoration beside the words that say the same;
// what to touch is drawn in the accent.

import { svg } from "./element.js";

/** @typedef {[tag: "path" | "rect" | "circle", attributes: Record<string, string | number>, accent?: boolean][]} Drawing */

const line = (/** @type {string} */ d, accent = false) => /** @type {Drawing[number]} */ (["path", { d }, accent]);
const box = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ width, /** @type {number} */ height, accent = false, rx = 6) =>
  /** @type {Drawing[number]} */ (["rect", { x, y, width, height, rx }, accent]);
const dot = (/** @type {number} */ cx, /** @type {number} */ cy, /** @type {number} */ r, accent = false) =>
  /** @type {Drawing[number]} */ (["circle", { cx, cy, r }, accent]);

/** A phone's upper half, for what is drawn on its screen. @param {Drawing} screen @returns {Drawing} */
const phone = (screen) => [line("M44 118V14a8 8 0 0 1 8-8h56a8 8 0 0 1 8 8v104"), line("M72 11h16"), ...screen];

const SWITCH_ON = [box(92, 44, 16, 9, true, 4.5), dot(103.5, 48.5, 3, true)];

/** @type {Record<string, Drawing>} */
const DRAWINGS = {
  // Pulled down from the upper edge: the list of notifications.
  list: phone([box(50, 24, 60, 20, true), line("M56 31h20M56 37h34", true), box(50, 49, 60, 20), line("M56 56h16M56 62h28"), line("M80 78v26M73 97l7 7 7-7", true)]),
  // Quick settings: the half-moon and the aeroplane, both off.
  silent: phone([
    box(51, 24, 27, 27, true), line("M69 42.5a8 8 0 1 1-6-12 6.5 6.5 0 0 0 6 12z", true),
    box(82, 24, 27, 27, true), line("M95.500 30v15M88 40l7.500-5 7.500 5M92 46l3.500-2.500 3.500 2.500", true),
    box(51, 56, 27, 27), line("M59 66a8 8 0 0 1 11 0M62 70a4 4 0 0 1 5.500 0M64.500 74h.2"), box(82, 56, 27, 27), line("M92 63l7 13M99 63l-7 13"),
  ]),
  // A focus with the app among those that it lets through.
  focus: phone([dot(80, 34, 11, true), line("M84 39a8 8 0 1 1-5-11 6.500 6.500 0 0 0 5 11z", true), box(50, 56, 60, 16), line("M56 64h22"), box(50, 77, 60, 16, true), line("M56 85h26", true), line("M97 85l3 3 6-6", true)]),
  // The app's page in the settings, its switch on.
  allowed: phone([line("M52 28h30"), box(50, 37, 60, 22, true), line("M56 48h26", true), ...SWITCH_ON, box(50, 65, 60, 16), line("M56 73h20"), box(50, 86, 60, 16), line("M56 94h28")]),
  // A battery that saves, and its switch.
  battery: phone([box(58, 27, 40, 20, true, 4), line("M102 33v8", true), line("M64 32v10M70 32v10", true), box(50, 62, 60, 20), line("M56 72h24"), box(90, 67.5, 16, 9, false, 4.5), dot(94.5, 72, 3)]),
  connection: phone([line("M62 62v-8M72 62V48M82 62V42M92 62V34", true), line("M60 88a28 28 0 0 1 40 0M67 95a18 18 0 0 1 26 0M74 102a8 8 0 0 1 12 0", true)]),
  rooted: phone([line("M80 28l20 7v14c0 14-9 22-20 27-11-5-20-13-20-27V35z", true), line("M71 51l6 7 12-13", true)]),
};

/** @param {string} name one of the self-test's checks */
export const picture = (name) =>
  svg(
    "svg",
    { viewBox: "0 0 160 118", class: "drawing", "aria-hidden": "true", focusable: "false" },
    (DRAWINGS[name] ?? []).map(([tag, attributes, accent]) => svg(tag, { ...attributes, class: accent ? "accent" : "" })),
  );
