// JSON (RFC 8259) read from a source of bytes, token after token, in bounded memory (section 1 of
// spec/captures.md).
//
// The reader holds one window of the file. A string longer than the limit is checked and counted
// to its end but never kept: it stands as `Odd`. Everything is checked, also what is passed over.

import { CaptureRefused } from "./errors.js";
import { Big, NESTED, Num, Odd } from "./scalars.js";

const PIECE = 256 * 1024; // bytes asked of the source at a time
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const NUMBER_BEGUN = /^-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)?$/;
const SURROGATE = /\p{Surrogate}/u; // matches lone ones only
const WORDS = { t: "true", f: "false", n: "null" };

/**
 * @typedef {string | Odd} Text
 * @typedef {Text | Big | Num | boolean | null} Scalar
 * @typedef {"{" | "[" | '"' | "0" | "t" | "f" | "n"} Kind how a value begins; any number: `0`
 */

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

export class Reader {
  /**
   * @param {(most: number) => Uint8Array} source the next bytes; none: the end
   * @param {{limit: number, longest: number, big: number, digits: number, depth: number, onRead?: (bytes: number) => void}} how
   */
  constructor(source, { limit, longest, big, digits, depth, onRead }) {
    this.source = source;
    this.limit = limit;
    this.longest = longest;
    this.big = big; // texts of more bytes than this are read only when somebody asks
    this.digits = digits;
    this.deepest = depth;
    this.onRead = onRead;
    this.window = new Uint8Array(longest + 2 * PIECE);
    this.base = 0; // where in the file the window begins
    this.at = 0; // the next byte, in the window
    this.end = 0;
    this.kept = -1; // from here on the window forgets nothing; -1: what was read may go
    this.over = false;
    this.depth = 0;
  }

  /** Bytes read from the source so far. */
  get bytes() {
    return this.base + this.end;
  }

  /** @param {string} code @param {number} [at] in the window @returns {never} */
  refuse(code, at = this.at) {
    throw new CaptureRefused(code, this.base + at);
  }

  /** What stands here is no JSON, or no more. @returns {never} */
  fail() {
    this.refuse(this.at < this.end || this.more() ? "capture_not_json" : "capture_cut");
  }

  /** Bring more of the file into the window, whose positions move. @returns {boolean} whether there was more */
  more() {
    if (this.over) return false;
    const from = this.kept < 0 ? this.at : this.kept;
    this.window.copyWithin(0, from, this.end);
    this.base += from;
    this.at -= from;
    this.end -= from;
    if (this.kept > 0) this.kept = 0;
    const piece = this.source(PIECE);
    this.over = piece.length === 0;
    this.window.set(piece, this.end);
    this.end += piece.length;
    if (this.bytes > this.limit) this.refuse("capture_too_large");
    this.onRead?.(this.bytes);
    return !this.over;
  }

  /** Pass over a byte order mark, and refuse what is no text at all (spec §1.2). */
  begin() {
    while (this.end < 4 && this.more());
    const [first = -1, second = -1, third = -1, fourth = -1] = this.window.subarray(0, this.end);
    const mark = (first << 8) | second;
    if (mark === 0x1f8b || (mark === 0x504b && third === 3 && fourth === 4)) this.refuse("capture_compressed");
    if (mark === 0x28b5 && third === 0x2f && fourth === 0xfd) this.refuse("capture_compressed");
    if (mark === 0xfffe || mark === 0xfeff) this.refuse("capture_encoding");
    if (mark === 0xefbb && third === 0xbf) this.at = 3;
    if (this.peek() < 0) this.refuse("capture_empty");
    if (this.kind() === "{") return;
    this.skip();
    this.finish();
    this.refuse("capture_not_har");
  }

  /** Nothing but white space may follow. */
  finish() {
    if (this.peek() >= 0) this.refuse("capture_not_json");
  }

  /** @returns {number} the next byte that is no white space, not taken; -1: the end */
  peek() {
    for (;;) {
      while (this.at < this.end) {
        const byte = this.window[this.at] ?? 0;
        if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return byte;
        this.at++;
      }
      if (!this.more()) return -1;
    }
  }

  /** @returns {Kind} of the value that follows */
  kind() {
    const byte = this.peek();
    if (byte === 0x22) return '"';
    if (byte === 0x7b) return "{";
    if (byte === 0x5b) return "[";
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return "0";
    if (byte === 0x74) return "t";
    if (byte === 0x66) return "f";
    if (byte === 0x6e) return "n";
    return this.fail();
  }

  /** Go into the object or array that follows. */
  open() {
    this.depth++;
    if (this.depth > this.deepest) this.refuse("capture_too_deep");
    this.at++;
  }

  /** @param {boolean} first @returns {Text | null} the next member's name; null: the object is over */
  name(first) {
    if (!this.goesOn(first, 0x7d)) return null;
    if (this.peek() !== 0x22) this.fail();
    const name = this.string();
    if (this.peek() !== 0x3a) this.fail();
    this.at++;
    return name;
  }

  /** @param {boolean} first @returns {boolean} whether the array has one more element */
  item(first) {
    return this.goesOn(first, 0x5d);
  }

  /** What follows is an object, or the file is no capture. */
  demandObject() {
    const byte = this.peek();
    if (byte !== 0x7b) this.refuse(byte < 0 ? "capture_cut" : "capture_not_har");
  }

  /** @param {boolean} first @param {number} closing */
  goesOn(first, closing) {
    const byte = this.peek();
    if (byte === closing) {
      this.at++;
      this.depth--;
      return false;
    }
    if (first) return true;
    if (byte !== 0x2c) this.fail();
    this.at++;
    return true;
  }

  /** @returns {Text} */
  string() {
    const text = this.scan(true);
    return text instanceof Big ? text.text() : /** @type {Text} */ (text);
  }

  /** @param {boolean} wanted @returns {Text | Big | null} */
  scan(wanted) {
    this.at++;
    const start = this.base + this.at;
    this.kept = wanted ? this.at : -1;
    let marks = 0; // 1: escapes, 2: beyond ASCII
    for (;;) {
      const { window, end, over } = this;
      let i = this.at;
      while (i < end) {
        const byte = window[i] ?? 0;
        if (byte === 0x22) {
          this.at = i + 1;
          return wanted ? this.taken(this.base + i - start, i, marks) : null;
        }
        if (byte === 0x5c) {
          if (end - i < 6 && !over) break;
          marks |= 1;
          i = this.escaped(i);
        } else if (byte >= 0x80) {
          if (end - i < 4 && !over) break;
          marks |= 2;
          i = this.beyond(i);
        } else if (byte < 0x20) {
          this.refuse("capture_not_json", i);
        } else {
          i++;
        }
      }
      this.at = i;
      if (this.kept >= 0 && this.base + i - start > this.longest) this.kept = -1;
      if (!this.more() && this.at >= this.end) this.refuse("capture_cut");
    }
  }

  /** @param {number} size @param {number} end @param {number} marks @returns {Text | Big} */
  taken(size, end, marks) {
    const from = this.kept;
    this.kept = -1;
    if (from < 0 || size > this.longest) return new Odd("oversize", size);
    const raw = this.window.subarray(from, end);
    if (size > this.big) {
      const told = marks & 1 ? sizeOf(raw) : size;
      if (told < 0) return new Odd("broken", size);
      if (told > this.big) return new Big(raw.slice(), told);
    }
    if (marks === 0) return ascii(raw);
    const text = utf8.decode(raw);
    if ((marks & 1) === 0) return text;
    const value = JSON.parse(`"${text}"`);
    return SURROGATE.test(value) ? new Odd("broken", size) : value;
  }

  /** @param {number} i at a backslash @returns {number} behind the escape */
  escaped(i) {
    const byte = this.byte(i + 1);
    if (byte !== 0x75) {
      if (!ESCAPES.has(byte)) this.refuse("capture_not_json", i);
      return i + 2;
    }
    for (let digit = i + 2; digit < i + 6; digit++) {
      if (!hex(this.byte(digit))) this.refuse("capture_not_json", i);
    }
    return i + 6;
  }

  /** @param {number} i at a byte above 7F @returns {number} behind the character (RFC 3629 section 4) */
  beyond(i) {
    const first = this.byte(i);
    const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0) this.refuse("capture_encoding", i);
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    const second = this.byte(i + 1);
    if (second < least || second > most) this.refuse("capture_encoding", i);
    for (let rest = i + 2; rest < i + length; rest++) {
      if ((this.byte(rest) & 0xc0) !== 0x80) this.refuse("capture_encoding", i);
    }
    return i + length;
  }

  /** @param {number} i @returns {number} the byte there, which the file must have */
  byte(i) {
    if (i >= this.end) this.refuse("capture_cut", this.end);
    return this.window[i] ?? 0;
  }

  /** @returns {string} a number as written */
  number() {
    let raw = "";
    do {
      while (this.at < this.end && raw.length <= this.digits && NUMERIC.has(this.window[this.at] ?? 0)) {
        raw += String.fromCharCode(this.window[this.at++] ?? 0);
      }
    } while (this.at === this.end && raw.length <= this.digits && this.more());
    if (raw.length <= this.digits && NUMBER.test(raw)) return raw;
    // At the end of the file it may be half of one.
    const torn = this.at === this.end && raw.length <= this.digits && NUMBER_BEGUN.test(raw);
    return this.refuse(torn ? "capture_cut" : "capture_not_json");
  }

  /** @returns {Scalar | typeof NESTED} the value that follows */
  scalar() {
    const kind = this.kind();
    if (kind === '"') return /** @type {Text | Big} */ (this.scan(true));
    if (kind === "0") return new Num(this.number());
    return kind === "{" || kind === "[" ? NESTED : this.literal();
  }

  /** @returns {boolean | null} */
  literal() {
    const word = WORDS[/** @type {"t" | "f" | "n"} */ (String.fromCharCode(this.peek()))];
    for (const letter of word) {
      if (this.at >= this.end && !this.more()) this.refuse("capture_cut");
      if (this.window[this.at] !== letter.charCodeAt(0)) this.refuse("capture_not_json");
      this.at++;
    }
    return word === "true" ? true : word === "false" ? false : null;
  }

  /** Pass over a value, checking it. */
  skip() {
    const kind = this.kind();
    if (kind === '"') this.scan(false);
    else if (kind === "0") this.number();
    else if (kind === "{") {
      this.open();
      for (let first = true; this.passName(first); first = false) this.skip();
    } else if (kind === "[") {
      this.open();
      for (let first = true; this.item(first); first = false) this.skip();
    } else this.literal();
  }

  /** @param {boolean} first @returns {boolean} */
  passName(first) {
    if (!this.goesOn(first, 0x7d)) return false;
    if (this.peek() !== 0x22) this.fail();
    this.scan(false);
    if (this.peek() !== 0x3a) this.fail();
    this.at++;
    return true;
  }
}

const ESCAPES = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);
const NUMERIC = new Set(Array.from("+-.eE0123456789", (letter) => letter.charCodeAt(0)));

/** @param {number} byte */
const hex = (byte) => (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

/** @param {Uint8Array} raw @returns {string} */
function ascii(raw) {
  // Below some fifty bytes a decoder costs more than it saves.
  if (raw.length > 48) return utf8.decode(raw);
  return String.fromCharCode.apply(null, /** @type {number[]} */ (/** @type {unknown} */ (raw)));
}

/** @param {Uint8Array} raw a string as written, checked @returns {number} its bytes in UTF-8 without escapes; -1: it is broken */
function sizeOf(raw) {
  let size = raw.length;
  for (let i = raw.indexOf(0x5c); i >= 0; i = raw.indexOf(0x5c, i)) {
    if (raw[i + 1] !== 0x75) {
      size -= 1;
      i += 2;
      continue;
    }
    const unit = unitAt(raw, i);
    i += 6;
    if (unit < 0xd800 || unit > 0xdfff) size -= unit < 0x80 ? 5 : unit < 0x800 ? 4 : 3;
    else {
      const second = unit < 0xdc00 && raw[i] === 0x5c && raw[i + 1] === 0x75 ? unitAt(raw, i) : 0;
      if (second < 0xdc00 || second > 0xdfff) return -1;
      size -= 8;
      i += 6;
    }
  }
  return size;
}

/** @param {Uint8Array} raw @param {number} i at the backslash of an escape with four digits */
const unitAt = (raw, i) => parseInt(ascii(raw.subarray(i + 2, i + 6)), 16);
