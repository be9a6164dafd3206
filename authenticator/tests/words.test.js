// The catalogues of all languages and the code name the same texts.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PIN_REASONS } from "../app/protocol/keys.js";
import { LANGUAGES, PSEUDO, SHIPPED, pickLanguage } from "../app/ui/languages.js";
import { accented, mirrored, pseudo } from "../app/ui/pseudo.js";
import { t, counted, hasWords, setWords } from "../app/ui/words.js";

const ROOT = new URL("../", import.meta.url);
const files = readdirSync(new URL("app/", ROOT), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
const code = [...files.map((path) => `app/${path}`), "sw.js"].map((path) => readFileSync(new URL(path, ROOT), "utf8")).join("\n");
/** @param {string} tag @returns {Record<string, string>} */
const wordsOf = (tag) => JSON.parse(readFileSync(new URL(`i18n/${tag}.json`, ROOT), "utf8"));
const words = wordsOf("en");
const PLURALS = /\.(zero|one|two|few|many|other)$/u;
const OTHERS = SHIPPED.filter((tag) => tag !== "en");

/** Keys written whole, and keys with a part that varies as patterns. */
function used() {
  const whole = [...code.matchAll(/\b(?:t|counted)\(\s*"([a-z_0-9.]+)"/gu)].map(([, key]) => key);
  const varying = [...code.matchAll(/\bt\(\s*`([^`]+)`/gu)].map(([, key]) => key.replace(/\$\{[^}]*\}/gu, "*"));
  const indirect = [...code.matchAll(/const why = `([^`]+)`/gu)].map(([, key]) => key.replace(/\$\{[^}]*\}/gu, "*"));
  return { whole: new Set(whole), patterns: [...new Set([...varying, ...indirect])] };
}

/** @param {string} pattern */
const matcher = (pattern) => new RegExp(`^${pattern.split("*").map((part) => part.replaceAll(".", "\\.")).join("[a-z_0-9]+")}$`, "u");

test("every text that the code asks for is in the catalogue", () => {
  const missing = [...used().whole].filter((key) => !(key in words) && !(`${key}.other` in words));
  assert.deepEqual(missing, []);
  for (const pattern of used().patterns) {
    assert.ok(Object.keys(words).some((key) => matcher(pattern).test(key)), `nothing fits ${pattern}`);
  }
});

test("every text of the catalogue is asked for", () => {
  const { whole, patterns } = used();
  const forms = patterns.map(matcher);
  const unused = Object.keys(words).filter((key) => !whole.has(key) && !whole.has(key.replace(PLURALS, "")) && !forms.some((form) => form.test(key)));
  assert.deepEqual(unused, []);
});

/** Keys whose text depends on a number, without their forms. */
const countedKeys = () => new Set(Object.keys(words).filter((key) => key.endsWith(".other") && `${key.slice(0, -6)}.one` in words).map((key) => key.slice(0, -6)));

/** The forms that a language has for the numbers that occur here. @param {string} tag */
function formsOf(tag) {
  const rules = new Intl.PluralRules(tag);
  return new Set(Array.from({ length: 200 }, (_, count) => rules.select(count)));
}

/** @param {string} text */
const placeholders = (text) => [...new Set(text.match(/\{\w+\}/gu) ?? [])].sort();

test("every language of the index is known by its own name, and every file is in the index", () => {
  for (const tag of SHIPPED) assert.ok(LANGUAGES[tag], `${tag}: add it to app/ui/languages.js`);
});

for (const tag of OTHERS) {
  const own = wordsOf(tag);
  const inflected = countedKeys();
  const stem = (/** @type {string} */ key) => (inflected.has(key.replace(PLURALS, "")) ? key.replace(PLURALS, "") : key);

  test(`${tag} has a text for everything, and none for nothing`, () => {
    const plain = (/** @type {Record<string, string>} */ of) => [...new Set(Object.keys(of).map(stem))].sort();
    assert.deepEqual(plain(own), plain(words));
  });

  test(`${tag} has the plural forms of its language`, () => {
    const missing = [...inflected].flatMap((key) => [...formsOf(tag)].map((form) => `${key}.${form}`)).filter((key) => !(key in own));
    assert.deepEqual(missing, []);
  });

  test(`${tag} names the same values as English`, () => {
    for (const [key, text] of Object.entries(own)) {
      const [wanted, given] = [placeholders(words[key] ?? words[`${stem(key)}.other`]), placeholders(text)];
      // "One sign-in" needs no number.
      if (PLURALS.test(key) && stem(key) !== key) assert.ok(given.every((name) => wanted.includes(name)), key);
      else assert.deepEqual(given, wanted, key);
    }
  });

  test(`${tag} is written in the voice`, () => {
    for (const [key, text] of Object.entries(own)) assert.match(text, /^[^!¡！"]+$/u, key);
  });
}

test("a person's language is found by what it is, not by how its tag is written", () => {
  const shipped = ["en", "fr", "pt", "zh-Hans"];
  const cases = { "zh-CN": "zh-Hans", "zh-SG": "zh-Hans", "zh-TW": "en", "pt-BR": "pt", "fr-CA": "fr", "en-GB": "en", ko: "en", "not a tag": "en", "ar-XB": "ar-XB" };
  for (const [wanted, found] of Object.entries(cases)) assert.equal(pickLanguage([wanted], shipped), found, wanted);
  assert.equal(pickLanguage(["ko-KR", "fr-FR", "en"], shipped), "fr");
});

test("pseudo-languages keep the values, and the accented one is 40 % longer", () => {
  assert.deepEqual(Object.keys(PSEUDO), ["en-XA", "ar-XB"]);
  for (const tag of Object.keys(PSEUDO)) {
    const made = pseudo(words, tag);
    for (const [key, text] of Object.entries(words)) assert.deepEqual(placeholders(made[key]), placeholders(text), key);
  }
  assert.match(accented("Hello {name}"), /^\[Ĥéļļö \{name\} one/u);
  for (const text of Object.values(words).filter((one) => one.length < 120)) assert.ok(accented(text).length >= text.length * 1.4, text);
  assert.equal(mirrored("Hi {name}"), "\u202eHi\u202c {name}");
});

test("what a language lacks is said in English, with English plurals", () => {
  setWords({ hello: "Ciao" }, "ja", { hello: "Hello", bye: "Bye", "n.one": "one", "n.other": "{count} things" });
  assert.equal(t("hello"), "Ciao");
  assert.equal(t("bye"), "Bye");
  assert.ok(hasWords("bye"));
  assert.equal(counted("n", 1), "one");
  setWords({ "n.other": "{count} 件" }, "ja", { "n.one": "one", "n.other": "{count} things" });
  assert.equal(counted("n", 1), "1 件");
});

test("numbers are written as the language writes them", () => {
  setWords({ n: "{count}" }, "de");
  assert.equal(t("n", { count: 12345 }), "12.345");
  assert.equal(t("n", { count: "12345" }), "12345");
});

test("every reason against a PIN has its sentence", () => {
  for (const reason of PIN_REASONS) assert.ok(words[`pin.reason.${reason}`], reason);
});

test("texts are written in the voice: no exclamation marks, nothing empty, straight quotes left out", () => {
  for (const [key, text] of Object.entries(words)) assert.match(text, /^[^!"']+$/u, key);
});

test("values are put in their places, and plural forms follow the language", () => {
  setWords({ hello: "Hello {name}, {name}", "n.one": "one", "n.other": "{count} things" });
  assert.equal(t("hello", { name: "Ada" }), "Hello Ada, Ada");
  assert.equal(t("hello"), "Hello {name}, {name}");
  assert.equal(counted("n", 1), "one");
  assert.equal(counted("n", 3), "3 things");
});
