// What was taken out of a recording, and numbers and sizes as the page's language writes them.

/** @typedef {import("../captures/report.js").Report} Report */

const language = document.documentElement.lang || "en";
const UNITS = /** @type {const} */ ([["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]]);
const count = new Intl.NumberFormat(language);
const percent = new Intl.NumberFormat(language, { style: "percent" });

/** @param {number} done of 1 */
export const share = (done) => percent.format(Math.min(1, done));

/** @param {number} number */
export const counted = (number) => count.format(number);

/** @param {number} bytes @returns {string} as the server's pages write it: a kilobyte has 1000 */
export function size(bytes) {
  const [unit, least] = UNITS.find(([, from]) => bytes >= from) ?? UNITS[3];
  const amount = bytes / least;
  const maximumFractionDigits = amount >= 100 || unit === "byte" ? 0 : 1;
  const unitDisplay = unit === "byte" ? "long" : "short";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(amount);
}

/** @param {number} ms @returns {string} `340 ms`, `2.1 sec` */
export function duration(ms) {
  const [unit, amount, maximumFractionDigits] =
    ms < 1000 ? /** @type {const} */ (["millisecond", ms, 0]) : /** @type {const} */ (["second", ms / 1000, 1]);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits }).format(amount);
}

/** @param {ParentNode} place @param {string} selector @returns {HTMLElement} that the page has */
export function part(place, selector) {
  const found = place.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new TypeError(`the page lacks ${selector}`);
  return found;
}

/** @param {string} sentence with {gaps} @param {Record<string, string>} facts */
export const said = (sentence, facts) => sentence.replace(/\{(\w+)\}/g, (gap, name) => facts[name] ?? gap);

/**
 * @param {ParentNode} place
 * @param {string} slot
 * @param {string | Record<string, string> | null} text or the facts of the sentence that it says
 */
export function fill(place, slot, text) {
  for (const each of place.querySelectorAll(`[data-slot="${slot}"]`)) {
    if (!(each instanceof HTMLElement)) continue;
    each.textContent = typeof text === "string" ? text : text ? said(each.dataset.says ?? "", text) : "";
    each.hidden = !each.textContent;
  }
}

/** @param {HTMLElement} place @param {Report} report */
export function drawRemoved(place, report) {
  let all = 0;
  for (const row of place.querySelectorAll("[data-reason]")) {
    if (!(row instanceof HTMLElement)) continue;
    const times = report.removed[row.dataset.reason ?? ""] ?? 0;
    all += times;
    row.hidden = times === 0;
    part(row, "dd").textContent = counted(times);
  }
  part(place, '[data-slot="nothing"]').hidden = all > 0;
  const hosts = part(place, '[data-slot="hosts"]');
  const rows = Object.entries(report.hosts).sort(([, one], [, other]) => total(other.removed) - total(one.removed));
  hosts.hidden = rows.length === 0;
  part(hosts, "dl").replaceChildren(...rows.flatMap(([host, { removed }]) => fact(host, counted(total(removed)))));
}

/** @param {Record<string, number>} removed */
const total = (removed) => Object.values(removed).reduce((sum, times) => sum + times, 0);

/** @param {string} name @param {string} value */
function fact(name, value) {
  const [term, told] = [document.createElement("dt"), document.createElement("dd")];
  [term.textContent, told.textContent, told.className] = [name, value, "digits"];
  term.dir = "ltr";
  return [term, told];
}
