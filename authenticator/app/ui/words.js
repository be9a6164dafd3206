// Every text that people read, from i18n/<language>.json. Keys are written whole in the code,
// or with one part that varies, so that a test can find what is missing or unused.

import { Problem } from "../protocol/errors.js";
import { PSEUDO, languageOf, pickLanguage } from "./languages.js";
import { pseudo } from "./pseudo.js";

/** @typedef {Record<string, string | number>} Values */
/** @typedef {Record<string, string>} Words */

const FALLBACK = "en";
// The worker, which shows notifications while no page is open, reads here what language is in use.
const IN_USE = { cache: "kept", path: "/kept/language" };

/** @type {Words} */
let catalogue = {};
/** @type {Words} what is said where the language has no words of its own */
let fallback = {};
let language = FALLBACK;

/** The language of the texts. */
export const currentLanguage = () => language;

/** @param {string} tag @returns {Promise<Words>} */
async function fetchWords(tag) {
  const response = await fetch(`/i18n/${tag}.json`);
  return response.ok ? response.json() : {};
}

/**
 * Loads the words of a person's own choice, else of the phone's languages, and turns the page
 * the way that they are read.
 *
 * @param {string} [chosen]
 */
export async function loadWords(chosen) {
  const wanted = pickLanguage([...(chosen ? [chosen] : []), ...navigator.languages]);
  const made = wanted === FALLBACK || Object.hasOwn(PSEUDO, wanted);
  // A language that cannot be had now (never used before, and no network) must not stop the app.
  const [english, own] = await Promise.all([fetchWords(FALLBACK), made ? null : fetchWords(wanted).catch(() => ({}))]);
  setWords(own ?? (made && wanted !== FALLBACK ? pseudo(english, wanted) : english), wanted, english);
  document.documentElement.lang = wanted;
  document.documentElement.dir = languageOf(wanted).direction;
  void tellWorker(wanted).catch(() => {});
}

/** @param {string} tag */
async function tellWorker(tag) {
  const cache = await globalThis.caches?.open(IN_USE.cache);
  await cache?.put(IN_USE.path, new Response(tag));
}

/** @param {Words} words @param {string} [of] @param {Words} [otherwise] */
export function setWords(words, of = FALLBACK, otherwise = {}) {
  catalogue = words;
  language = of;
  fallback = otherwise;
}

/** @param {string} key */
export const hasWords = (key) => Object.hasOwn(catalogue, key) || Object.hasOwn(fallback, key);

/** @param {string} key @param {Values} [values] for the names in braces; numbers are written as the language writes them */
export function t(key, values = {}) {
  const text = catalogue[key] ?? fallback[key] ?? key;
  return text.replace(/\{(\w+)\}/gu, (whole, name) => (name in values ? written(values[name]) : whole));
}

/** @param {string | number} value */
const written = (value) => (typeof value === "number" ? new Intl.NumberFormat(region()).format(value) : value);

/**
 * A text that depends on a number: `key.one`, `key.other` and so on by the language's rules.
 *
 * @param {string} key
 * @param {number} count
 * @param {Values} [values]
 */
export function counted(key, count, values = {}) {
  const form = `${key}.${new Intl.PluralRules(language).select(count)}`;
  if (Object.hasOwn(catalogue, form)) return t(form, { count, ...values });
  if (Object.hasOwn(catalogue, `${key}.other`)) return t(`${key}.other`, { count, ...values });
  return t(`${key}.${new Intl.PluralRules(FALLBACK).select(count)}`, { count, ...values });
}

/** @type {(code: string) => void} */
let explained = () => {};

/** Every problem that a person sees is put into words here: `told` hears of each. @param {(code: string) => void} told */
export const whenExplained = (told) => void (explained = told);

/** Why something failed: in our words, else in the server's. @param {unknown} problem */
export function whyOf(problem) {
  const { code, facts } = problem instanceof Problem ? problem : new Problem("unexpected");
  explained(code);
  const key = `problem.${code}.why`;
  if (hasWords(key)) return t(key, { until: untilOf(facts) });
  return typeof facts.detail === "string" ? facts.detail : t("problem.unexpected.why");
}

/** What to do about it: as `whyOf`. @param {unknown} problem */
export function nextOf(problem) {
  const { code, facts } = problem instanceof Problem ? problem : new Problem("unexpected");
  if (hasWords(`problem.${code}.next`)) return t(`problem.${code}.next`, { until: untilOf(facts) });
  return typeof facts.next === "string" ? facts.next : t("problem.unexpected.next");
}

/** When a pause ends. @param {Record<string, unknown>} facts `wait` in seconds */
export function untilOf({ wait }) {
  const seconds = Number(wait);
  return Number.isFinite(seconds) && seconds > 0 ? clockTime(Date.now() + seconds * 1000) : t("problem.later");
}

/** The person's own habits of writing dates, in the language of the texts. */
function region() {
  const own = (globalThis.navigator?.languages ?? []).find((one) => one.split("-")[0] === language.split("-")[0]) ?? language;
  // A pseudo-language's numbers and dates are English: Arabic digits would hide what is tried.
  return Object.hasOwn(PSEUDO, language) || Object.hasOwn(PSEUDO, own) ? FALLBACK : own;
}

/** @param {number} at ms */
export const clockTime = (at) => new Intl.DateTimeFormat(region(), { timeStyle: "short" }).format(at);

/** @param {number} at ms */
export const dayAndTime = (at) => new Intl.DateTimeFormat(region(), { dateStyle: "medium", timeStyle: "short" }).format(at);

/** For what is a day or two ahead: its weekday says more than its date. @param {number} at ms */
export const weekdayAndTime = (at) => new Intl.DateTimeFormat(region(), { weekday: "long", hour: "numeric", minute: "2-digit" }).format(at);

/** "Today", "yesterday", or the date. @param {number} at ms @param {number} [now] ms */
export function dayName(at, now = Date.now()) {
  const midnight = (/** @type {number} */ time) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(at) - midnight(now)) / 86_400_000);
  if (days > 0 || days < -1) return new Intl.DateTimeFormat(region(), { dateStyle: "full" }).format(at);
  const said = new Intl.RelativeTimeFormat(region(), { numeric: "auto" }).format(days, "day");
  return said.charAt(0).toLocaleUpperCase(region()) + said.slice(1);
}

/** Minutes and seconds of a time left. @param {number} seconds */
export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.max(0, seconds) % 60).padStart(2, "0")}`;
