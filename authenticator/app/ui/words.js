// Every text that people read, from i18n/<language>.json. Keys are written whole in the code,
// or with one part that varies, so that a test can find what is missing or unused.

import { Problem } from "../protocol/errors.js";

/** @typedef {Record<string, string | number>} Values */

/** @type {Record<string, string>} */
let catalogue = {};
let language = "en";

/** Loads the catalogue of the first language wanted that exists. @param {string} [wanted] */
export async function loadWords(wanted = "en") {
  const response = await fetch(`/i18n/${wanted}.json`);
  setWords(await response.json(), wanted);
}

/** @param {Record<string, string>} words @param {string} [of] */
export function setWords(words, of = "en") {
  catalogue = words;
  language = of;
}

/** @param {string} key */
export const hasWords = (key) => Object.hasOwn(catalogue, key);

/** @param {string} key @param {Values} [values] for the names in braces */
export function t(key, values = {}) {
  const text = catalogue[key] ?? key;
  return text.replace(/\{(\w+)\}/gu, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * A text that depends on a number: `key.one`, `key.other` and so on by the language's rules.
 *
 * @param {string} key
 * @param {number} count
 * @param {Values} [values]
 */
export function counted(key, count, values = {}) {
  const form = `${key}.${new Intl.PluralRules(language).select(count)}`;
  return t(hasWords(form) ? form : `${key}.other`, { count, ...values });
}

/** Why something failed: in our words, else in the server's. @param {unknown} problem */
export function whyOf(problem) {
  const { code, facts } = problem instanceof Problem ? problem : new Problem("unexpected");
  const key = `problem.${code}.why`;
  if (hasWords(key)) return t(key, { until: untilOf(facts) });
  return typeof facts.detail === "string" ? facts.detail : t("problem.unexpected.why");
}

/** When a pause ends. @param {Record<string, unknown>} facts `wait` in seconds */
export function untilOf({ wait }) {
  const seconds = Number(wait);
  return Number.isFinite(seconds) && seconds > 0 ? clockTime(Date.now() + seconds * 1000) : t("problem.later");
}

/** The person's own habits of writing dates, in the language of the texts. */
const region = () => navigator.languages.find((one) => one.split("-")[0] === language) ?? language;

/** @param {number} at ms */
export const clockTime = (at) => new Intl.DateTimeFormat(region(), { timeStyle: "short" }).format(at);

/** @param {number} at ms */
export const dayAndTime = (at) => new Intl.DateTimeFormat(region(), { dateStyle: "medium", timeStyle: "short" }).format(at);

/** Minutes and seconds of a time left. @param {number} seconds */
export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.max(0, seconds) % 60).padStart(2, "0")}`;
