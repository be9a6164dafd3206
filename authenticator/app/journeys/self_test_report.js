// The self-test as text to hand on. Nothing in it opens anything: no keys, no addresses of
// subscriptions (who has one may send to this phone), not the whole of any id.

import { describePhone, installed } from "../device/phone.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("./self_test.js").Facts} Facts */
/** @typedef {import("./self_test.js").Flight} Flight */
/** @typedef {import("./self_test.js").Row} Row */
/** @typedef {{account: import("../device/vault.js").Account, rows: Row[], facts: Facts, flight: Flight | null, language: string}} Found */

/** @param {string | null | undefined} endpoint */
const hostOf = (endpoint) => (endpoint && URL.canParse(endpoint) ? new URL(endpoint).host : "none");

/**
 * In English, for whoever helps; the codes are those of the rows.
 *
 * @param {App} app
 * @param {Found} found
 */
export async function reportOf(app, { account, rows, facts, flight, language }) {
  const { platform } = await describePhone();
  const lines = [
    `Vestibule self-test, ${new Date(app.clock.now()).toISOString()}`,
    `phone: ${platform}; ${installed() ? "installed" : "in the browser"}; language ${language}`,
    `portal: ${account.issuer}; phone known as “${account.label}” (${account.id.slice(0, 6)}…)`,
    `push service: ${hostOf(facts.endpoint)}; server says: ${facts.health?.push ?? "not asked"}`,
    ...rows.map(({ name, state, lines: said }, at) => `${at + 1} ${name}: ${state}${said.length > 0 ? ` (${said.map(codeOf).join(", ")})` : ""}`),
    flight ? `test push: ${flight.outcome}, second way: ${flight.second}, taken after ${flight.taken ?? "–"} ms, arrived after ${flight.arrived ?? "–"} ms` : "test push: not sent",
  ];
  return `${lines.join("\n")}\n`;
}

/** @param {import("./self_test.js").Line} line */
function codeOf({ code, values = {} }) {
  const facts = Object.entries(values).map(([name, value]) => (name === "when" || name === "until" ? new Date(value).toISOString() : `${value} ${name}`));
  return [code, ...facts].join(" ");
}
