// The languages of the app, in one place: their own names, and which of them fits a person.

/** @typedef {{name: string, direction: "ltr" | "rtl"}} Language */

/**
 * Every language by its tag. One that has no file in i18n/ yet is not offered.
 * @type {Record<string, Language>}
 */
export const LANGUAGES = {
  en: { name: "English", direction: "ltr" },
  de: { name: "Deutsch", direction: "ltr" },
  es: { name: "Español", direction: "ltr" },
  fr: { name: "Français", direction: "ltr" },
  it: { name: "Italiano", direction: "ltr" },
  pt: { name: "Português", direction: "ltr" },
  "zh-Hans": { name: "简体中文", direction: "ltr" },
  ja: { name: "日本語", direction: "ltr" },
};

/**
 * Languages that nobody speaks: accented and longer, and from right to left. They are made from
 * English at run time and offered nowhere; a system that is set to one of them gets it, so that
 * layouts can be tried without a translation.
 * @type {Record<string, Language>}
 */
export const PSEUDO = {
  "en-XA": { name: "Éñĝļîšĥ", direction: "ltr" },
  "ar-XB": { name: "hsilgnE", direction: "rtl" },
};

// Written by `node authenticator/shell.mjs` from the files in i18n/; a test fails when stale.
/** @type {string[]} */
export const SHIPPED = ["en", "de", "es", "fr", "it", "ja", "pt", "zh-Hans"];

/** @param {string} tag @returns {Language} */
export const languageOf = (tag) => PSEUDO[tag] ?? LANGUAGES[tag] ?? LANGUAGES.en;

/** Language and script of a tag, so that zh-CN is zh-Hans and zh-TW is not. @param {string} tag */
function essence(tag) {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  } catch {
    return "";
  }
}

/**
 * @param {readonly string[]} wanted tags, the dearest first
 * @param {readonly string[]} [shipped]
 * @returns {string} a shipped language, a pseudo-language, or English
 */
export function pickLanguage(wanted, shipped = SHIPPED) {
  for (const tag of wanted) {
    if (Object.hasOwn(PSEUDO, tag) || shipped.includes(tag)) return tag;
    const same = shipped.find((one) => essence(one) === essence(tag));
    if (same) return same;
  }
  return "en";
}
