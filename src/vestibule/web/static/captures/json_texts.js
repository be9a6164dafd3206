// JSON inside a text (spec §8.3): strict, with numbers as written and members that come twice.

/**
 * @typedef {{kind: "object", members: [string, Value][]}} JsonObject
 * @typedef {{kind: "array", items: Value[]}} JsonArray
 * @typedef {{kind: "number", raw: string}} JsonNumber
 * @typedef {JsonObject | JsonArray | JsonNumber | string | boolean | null} Value
 */

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class NotJson extends Error {}

/**
 * @param {string} text
 * @param {number} depth most arrays and objects inside each other
 * @returns {Value | undefined} undefined: it cannot be read
 */
export function parse(text, depth) {
  try {
    const reading = new Reading(text, depth);
    const value = reading.value(0);
    return reading.over() ? value : undefined;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

class Reading {
  /** @param {string} text @param {number} deepest */
  constructor(text, deepest) {
    this.text = text;
    this.deepest = deepest;
    this.at = 0;
  }

  /** @returns {string} the next character that is no white space */
  next() {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
    return this.text.charAt(this.at);
  }

  over() {
    return this.next() === "";
  }

  /** @param {number} depth @returns {Value} */
  value(depth) {
    const first = this.next();
    if (first === '"') return this.string();
    if (first === "{" || first === "[") {
      if (depth >= this.deepest) throw new NotJson();
      this.at++;
      return first === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (first === "t") return this.word("true", true);
    if (first === "f") return this.word("false", false);
    if (first === "n") return this.word("null", null);
    NUMBER.lastIndex = this.at;
    const raw = NUMBER.exec(this.text)?.[0];
    if (raw === undefined) throw new NotJson();
    this.at += raw.length;
    return { kind: "number", raw };
  }

  /** @template {boolean | null} T @param {string} word @param {T} value @returns {T} */
  word(word, value) {
    if (!this.text.startsWith(word, this.at)) throw new NotJson();
    this.at += word.length;
    return value;
  }

  /** @param {number} depth @returns {JsonObject} */
  object(depth) {
    /** @type {[string, Value][]} */
    const members = [];
    if (this.next() === "}") {
      this.at++;
      return { kind: "object", members };
    }
    for (;;) {
      if (this.next() !== '"') throw new NotJson();
      const name = this.string();
      if (this.next() !== ":") throw new NotJson();
      this.at++;
      members.push([name, this.value(depth)]);
      if (this.ends("}")) return { kind: "object", members };
    }
  }

  /** @param {number} depth @returns {JsonArray} */
  array(depth) {
    /** @type {Value[]} */
    const items = [];
    if (this.next() === "]") {
      this.at++;
      return { kind: "array", items };
    }
    for (;;) {
      items.push(this.value(depth));
      if (this.ends("]")) return { kind: "array", items };
    }
  }

  /** @param {string} closing @returns {boolean} false: a comma, and so one more */
  ends(closing) {
    const next = this.next();
    if (next !== closing && next !== ",") throw new NotJson();
    this.at++;
    return next === closing;
  }

  /** @returns {string} */
  string() {
    const start = this.at++;
    let escapes = false;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        ESCAPE.lastIndex = this.at;
        if (!ESCAPE.test(this.text)) throw new NotJson();
        escapes = true;
        this.at = ESCAPE.lastIndex;
      } else if (code >= 0x20) this.at++;
      else throw new NotJson(); // a control character, or NaN: the end
    }
    this.at++;
    return escapes ? JSON.parse(this.text.slice(start, this.at)) : this.text.slice(start + 1, this.at - 1);
  }
}
