// A ring of time left.

import { h, svg } from "./element.js";

const AROUND = 100; // pathLength: the ring is drawn in hundredths

/**
 * @param {{total: number, left: () => number, text: (left: number) => string, label: string, over: () => void, small?: boolean}} time
 *   in seconds; `left` is asked each second; `over` is called once
 * @returns {{ring: HTMLElement, stop: () => void}}
 */
export function ring({ total, left, text, label, over, small = false }) {
  const hand = svg("circle", { cx: 50, cy: 50, r: 46, pathLength: AROUND, class: "hand" });
  const face = h("span", { class: "ring-text" });
  const ringElement = h(
    "div",
    { class: small ? "ring small" : "ring", role: "timer", "aria-label": label },
    svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, svg("circle", { cx: 50, cy: 50, r: 46, class: "track" }), hand),
    face,
  );
  const tick = () => {
    const rest = Math.max(0, Math.ceil(left()));
    hand.setAttribute("stroke-dasharray", `${(rest / total) * AROUND} ${AROUND}`);
    face.textContent = text(rest);
    if (rest > 0) return;
    clearInterval(timer);
    over();
  };
  const timer = setInterval(tick, 1000);
  // Not at once: a ring that is over before it is shown would leave its screen while that is made.
  queueMicrotask(tick);
  return { ring: ringElement, stop: () => clearInterval(timer) };
}
