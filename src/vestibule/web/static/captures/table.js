// The table of rules, read once (rules.json; what it means is in spec/captures.md).
//
// The same file drives the server's program. So nothing of what is safe is written in code: this
// module only turns the data into questions that can be asked quickly.

const PART = /<([a-z]+)>/g;
const ASCII = /^[\0-\x7f]*$/;
const LONGEST_CACHED = 128; // characters of a name whose answers are remembered
const MOST_CACHED = 8192;

/**
 * @typedef {(text: string) => boolean} Test
 * @typedef {{fits: Test, number: boolean, otherwise: string}} Shape what a safe text or number looks like (§5.1)
 * @typedef {{object?: string, list?: string, keep?: string, drop?: string}} Treatment of a member (§3): one is set
 * @typedef {{members: Map<string, Treatment>, needs: string[], unit: string}} Known an object that a capture is made of
 * @typedef {{found: Test, reason: string}} Detector
 */

/** ASCII letters in lower case; no other letter moves, as none does on the server. @param {string} text */
export const lower = (text) =>
  ASCII.test(text) ? text.toLowerCase() : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** A name without case, hyphens and whatever else programs write names with (§5.2). @param {string} name */
export const folded = (name) => lower(name).replace(/[^a-z0-9]/g, "");

/** Whether a text has more characters (code points, as the server counts) than that. @param {string} text @param {number} most */
export function longer(text, most) {
  if (text.length <= most) return false;
  if (text.length > 2 * most) return true;
  return Array.from(text).length > most;
}

/** Whether the digits in a text fulfil the formula of card numbers (ISO/IEC 7812-1). @param {string} text */
export function luhn(text) {
  const digits = text.replace(/[^0-9]/g, "");
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]) * (1 + (place % 2));
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/**
 * A test whose answers are remembered for short texts.
 * @template T @param {(text: string) => T} ask @returns {(text: string) => T}
 */
function remembered(ask) {
  /** @type {Map<string, T>} */
  const known = new Map();
  return (text) => {
    if (text.length > LONGEST_CACHED) return ask(text);
    let answer = known.get(text);
    if (answer === undefined) {
      answer = ask(text);
      if (known.size >= MOST_CACHED) known.clear();
      known.set(text, answer);
    }
    return answer;
  };
}

export class Rules {
  /** @param {any} table rules.json as parsed */
  constructor(table) {
    this.table = table;
    this.format = /** @type {number} */ (table.format);
    this.limits = /** @type {Record<string, number>} */ (table.limits);
    this.reasons = /** @type {string[]} */ (table.reasons.map((/** @type {any} */ reason) => reason.id));
    /** @type {Set<string>} */
    this.sized = new Set(table.reasons.filter((/** @type {any} */ reason) => reason.size).map((/** @type {any} */ reason) => reason.id));
    /** @type {Map<string, Shape>} */
    this.shapes = new Map(Object.entries(table.shapes).map(([name, rule]) => [name, this.shaped(rule)]));
    /** @type {Map<string, Known>} */
    this.structure = new Map(Object.entries(table.structure).map(([name, rule]) => [name, known(rule)]));
    this.headers = named(table.headers);
    /** @type {Map<string, string | undefined>} */
    this.cookieAttributes = new Map(table.cookie_attributes.map((/** @type {any} */ rule) => [rule.name, rule.keep]));
    this.credentials = new Set(table.schemes_of_credentials.map(lower));
    this.droppedDirectives = new Set(table.dropped_directives);
    this.storageNames = new Set(table.storage_names);
    this.early = /** @type {Detector[]} */ (table.detectors.map((/** @type {any} */ rule) => this.detector(rule)));
    this.late = /** @type {Detector[]} */ (table.late_detectors.map((/** @type {any} */ rule) => this.detector(rule)));
    this.urls = this.addresses(table.urls);
    this.media = {
      form: new Set(table.media.form),
      multipart: /** @type {string} */ (table.media.multipart),
      json: new Set(table.media.json),
      jsonEnding: /** @type {string} */ (table.media.json_ending),
      plain: new Set(table.media.plain),
      special: new Set(table.media.special),
      charsets: new Set(table.media.charsets),
    };
    this.jwt = {
      algorithms: new Set(table.jwt.algorithms),
      claims: new Set(table.jwt.claims),
      times: new Set(table.jwt.times),
    };
    /** @type {Map<string, Test[]>} */
    this.values = new Map();
    for (const { names, keep } of table.values) {
      for (const name of names) this.values.set(name, [...(this.values.get(name) ?? []), this.shape(keep).fits]);
    }
    const nameFits = remembered(this.shape("name").fits);
    /** Whether a name is one that people give (§5.3). @type {Test} */
    this.plain = (name) => name.length <= LONGEST_CACHED && nameFits(name);
    /** The reason that a name gives, or nothing (§5.2, step 2). */
    this.reasonByName = remembered((name) => this.byName(name));
  }

  /** Compile an expression of the table, its parts put in; it matches whole texts. @param {string} source @returns {Test} */
  pattern(source) {
    let whole = source;
    while (whole.search(PART) >= 0) whole = whole.replace(PART, (_, name) => `(?:${this.table.parts[name]})`);
    // With `u`, characters are counted as the server counts them.
    const expression = new RegExp(`^(?:${whole})$`, "u");
    return (text) => expression.test(text);
  }

  /** @param {any} rule @returns {Shape} */
  shaped(rule) {
    const kind = { number: rule.is === "number", otherwise: rule.else ?? "" };
    if (rule.is === "one") {
      const all = new Set(rule.of);
      return { ...kind, fits: (text) => all.has(text) };
    }
    const matches = this.pattern(rule.match);
    if (kind.number) return { ...kind, fits: matches };
    if (rule.is === "text") return { ...kind, fits: (text) => text.length <= 2 * rule.most && !longer(text, rule.most) && matches(text) };
    // Split first, then match each piece alone: one expression over the whole list could match a
    // piece in two ways, and would need exponential time to find out that the last one is wrong.
    const split = new RegExp(rule.split, "u");
    return { ...kind, fits: (text) => !longer(text, rule.most) && text.split(split).every((piece) => !piece || matches(piece)) };
  }

  /** @param {string} name @returns {Shape} that the table has */
  shape(name) {
    const shape = this.shapes.get(name);
    if (!shape) throw new RangeError(`the table has no shape ${name}`);
    return shape;
  }

  /** @param {string} name @returns {Known} that the table has */
  object(name) {
    const object = this.structure.get(name);
    if (!object) throw new RangeError(`the table has no object ${name}`);
    return object;
  }

  /** @param {any} rule @returns {Detector} */
  detector(rule) {
    const matches = this.pattern(rule.match);
    /** @type {string[]} */
    const starts = rule.starts ?? [""];
    return {
      reason: rule.reason,
      found: (text) =>
        text.length >= (rule.least ?? 0) &&
        starts.some((start) => text.startsWith(start)) &&
        matches(text) &&
        (!rule.luhn || luhn(text)),
    };
  }

  /** @param {any} urls */
  addresses(urls) {
    /** @type {Map<string, string>} */
    const after = new Map();
    for (const { words, reason } of [urls.after_people, urls.after]) {
      for (const word of words) after.set(word, reason);
    }
    return {
      schemes: new Set(urls.schemes),
      opaque: new Set(urls.opaque),
      kept: new Set(urls.kept),
      segments: /** @type {Test[]} */ (urls.segments.map((/** @type {any} */ rule) => this.pattern(rule.match))),
      longest: /** @type {number} */ (urls.longest_segment),
      after,
      verbs: new Set(urls.verbs),
    };
  }

  /** Whether a value under this name may stay (§5.4). @param {string} name @param {string} text @returns {boolean} */
  harmless(name, text) {
    const tests = name.length <= LONGEST_CACHED ? this.values.get(lower(name)) : undefined;
    return tests !== undefined && tests.some((fits) => fits(text));
  }

  /** @param {string} name @returns {string} */
  byName(name) {
    const bare = folded(name);
    for (const { is, has, reason } of this.table.words) {
      if (is.includes(bare) || has.some((/** @type {string} */ word) => bare.includes(word))) return reason;
    }
    return "";
  }
}

/** @param {any} rule @returns {Known} */
const known = (rule) => ({ members: new Map(Object.entries(rule.members)), needs: rule.needs ?? [], unit: rule.unit ?? "" });

/** @param {any[]} rules @returns {Map<string, string>} */
const named = (rules) => new Map(rules.flatMap(({ names, keep }) => names.map((/** @type {string} */ name) => [name, keep])));
