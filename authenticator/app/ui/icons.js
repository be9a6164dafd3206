// Our own drawings, all in the one line weight of the mark.

import { svg } from "./element.js";

const PATHS = {
  mark: ["M3 21V4.6L12 2.4l9 2.2V21", "M8 21V8.6l4-1.1 4 1.1V21", "M13.9 14.6v1"],
  open: ["M3 21V4.6L12 2.4l9 2.2V21", "M8 21V8.6l4-1.1 4 1.1V21", "M8 8.6l6.4 2.2V23L8 21", "M12.6 16v1"],
  shut: ["M3 21V4.6L12 2.4l9 2.2V21", "M8 21V8.6l4-1.1 4 1.1V21", "M10 17l4-4", "M10 13l4 4"],
  back: ["M14.5 5l-7 7 7 7"],
  settings: ["M4 7h9", "M17 7h3", "M4 17h3", "M11 17h9", "M15 4.8v4.4", "M9 14.8v4.4"],
  bell: ["M6 16.5V11a6 6 0 0 1 12 0v5.5l1.6 1.5H4.4L6 16.5z", "M10.2 20.4a2 2 0 0 0 3.6 0"],
  mute: ["M6 16.5V11a6 6 0 0 1 9.6-4.8", "M18 11v5.5l1.6 1.5H8", "M10.2 20.4a2 2 0 0 0 3.6 0", "M4 4l16 16"],
  check: ["M5 12.6l4.6 4.6L19.2 7"],
  cross: ["M6.5 6.5l11 11", "M17.5 6.5l-11 11"],
  flag: ["M6 21V4", "M6 5c4-2.4 7 2.4 12 0v9c-5 2.4-8-2.4-12 0"],
  scan: ["M4 8V4h4", "M16 4h4v4", "M20 16v4h-4", "M8 20H4v-4", "M8.5 8.5h2.5v2.5H8.5z", "M13.5 13.5h2v2h-2z", "M13.5 8.5h2v2h-2z", "M8.5 13.5h2v2h-2z"],
  keys: ["M3.5 6.5h17v11h-17z", "M7 10h.2", "M10.3 10h.2", "M13.6 10h.2", "M16.9 10h.2", "M8 14h8"],
  digits: ["M6 6h.2", "M12 6h.2", "M18 6h.2", "M6 12h.2", "M12 12h.2", "M18 12h.2", "M12 18h.2"],
  phone: ["M7.5 2.8h9v18.4h-9z", "M11 18.4h2"],
  print: ["M12 4a7 7 0 0 1 7 7v3", "M5 14v-3a7 7 0 0 1 2.4-5.3", "M8.5 18.5v-7a3.5 3.5 0 0 1 7 0v4", "M12 11.5v8"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 7.5V12l3 2"],
  turn: ["M5 9h10a4 4 0 0 1 0 8H8", "M8 5.5L4.5 9 8 12.5"],
  light: ["M9 18.5h6", "M10 21h4", "M8.6 15.5a6 6 0 1 1 6.8 0z"],
  share: ["M12 15V3.5", "M8 7l4-3.8L16 7", "M7 10.5H5v10h14v-10h-2"],
  add: ["M12 5v14", "M5 12h14"],
  person: ["M12 4.2a3.9 3.9 0 1 0 0 7.8 3.9 3.9 0 0 0 0-7.8z", "M4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6"],
  message: ["M4 5.5h16v11H10.5L6.5 20v-3.5H4z", "M8 11h.2", "M12 11h.2", "M16 11h.2"],
  call: ["M6.2 3.8l3 .2 1.3 4-2 1.6c1 2.6 2.8 4.4 5.4 5.5l1.7-2 4 1.3.2 3c0 1.4-1 2.4-2.4 2.4C9.8 19.2 4.4 13.6 3.9 6.2c0-1.4.9-2.4 2.3-2.4z"],
  list: ["M6 3.5h12v17H6z", "M9 8h.2", "M11.5 8H15", "M9 12h.2", "M11.5 12H15", "M9 16h.2", "M11.5 16H15"],
  globe: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M3.5 12h17", "M12 3.5c5 5 5 12 0 17", "M12 3.5c-5 5-5 12 0 17"],
  more: ["M12 5.5v.2", "M12 12v.2", "M12 18.3v.2"],
  on: ["M9.5 5l7 7-7 7"],
  warn: ["M12 4L2.8 20h18.4L12 4z", "M12 10v4.6", "M12 17.3v.2"],
  cloud: ["M7 18a4 4 0 0 1-.4-8A5.6 5.6 0 0 1 17.4 9 4.5 4.5 0 0 1 17 18", "M4 4l16 16"],
};

/** @typedef {keyof typeof PATHS} IconName */

/** Those that point somewhere, which is the other way where people read from right to left. */
const POINTING = new Set(["back", "on", "turn"]);

/** Decoration only: what it means stands beside it in words. @param {IconName} name @param {string} [look] */
export const icon = (name, look = "") =>
  svg(
    "svg",
    { viewBox: "0 0 24 24", class: `icon ${look}${name === "digits" ? " bold" : ""}${POINTING.has(name) ? " way" : ""}`, "aria-hidden": "true", focusable: "false" },
    PATHS[name].map((d) => svg("path", { d })),
  );
