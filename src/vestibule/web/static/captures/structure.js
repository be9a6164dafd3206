// A capture from its first byte to its last: read, judged and written in one go (§2 and §3 of
// spec/captures.md).

import { Facts } from "./entries.js";
import { NESTED } from "./scalars.js";
import { folded } from "./table.js";
import { WrongType, kept, unit } from "./units.js";

/**
 * @typedef {import("./reader.js").Reader} Reader
 * @typedef {import("./reader.js").Text} Text
 * @typedef {import("./reader.js").Scalar} Scalar
 * @typedef {import("./report.js").Tally} Tally
 * @typedef {import("./report.js").Entry} Entry
 * @typedef {import("./table.js").Known} Known
 * @typedef {import("./table.js").Treatment} Treatment
 */

const PIECE = 64 * 1024;
const encoder = new TextEncoder();

/**
 * Output in pieces of a good size, in one buffer over and over: whoever gets a piece copies it. All
 * of it is ASCII: `at` counts characters and bytes alike.
 */
export class Writer {
  /** @param {(bytes: Uint8Array<ArrayBuffer>) => void} write */
  constructor(write) {
    this.write = write;
    this.buffer = new Uint8Array(PIECE);
    this.waiting = "";
    this.at = 0;
  }

  /** @param {string} piece */
  put(piece) {
    this.waiting += piece;
    this.at += piece.length;
    if (this.waiting.length >= PIECE) this.flush();
  }

  /** Hand over what waits. */
  flush() {
    for (let done = 0; done < this.waiting.length; done += PIECE) {
      const { written } = encoder.encodeInto(this.waiting.slice(done, done + PIECE), this.buffer);
      this.write(this.buffer.subarray(0, written));
    }
    this.waiting = "";
  }
}

/** Walks a capture by the table. What it does not name is read, counted and left out. */
export class Structure {
  /** @param {Reader} reader @param {Writer} writer @param {Tally} tally @param {((entry: Entry) => void) | undefined} onEntry */
  constructor(reader, writer, tally, onEntry) {
    this.reader = reader;
    this.writer = writer;
    this.tally = tally;
    this.onEntry = onEntry;
    this.rules = tally.rules;
    this.facts = new Facts();
  }

  whole() {
    this.reader.begin();
    this.object("root");
    this.reader.finish();
    this.writer.put("\n");
  }

  /** An object whose members are written as they come. @param {string} where */
  object(where) {
    const known = this.rules.object(where);
    const seen = new Set();
    let mark = "{";
    for (const [name, treatment] of this.members(known, seen)) {
      const opening = `${mark}"${name}":`;
      if (treatment.keep ? this.scalar(opening, name, treatment.keep, where) : this.inner(opening, name, treatment, known)) mark = ",";
    }
    this.writer.put(mark === "{" ? "{}" : "}");
    if (!known.needs.every((name) => seen.has(name))) this.reader.refuse("capture_not_har");
  }

  /**
   * The members that the table names; the others are read and left out.
   * @param {Known} known @param {Set<string>} seen @returns {Generator<[string, Treatment], void, void>}
   */
  *members(known, seen) {
    const { reader } = this;
    reader.open();
    for (let first = true; ; first = false) {
      const name = reader.name(first);
      if (name === null) return;
      const treatment = typeof name === "string" ? known.members.get(name) : undefined;
      if (typeof name !== "string" || !treatment) {
        reader.skip();
        this.lost(typeof name === "string" && this.rules.storageNames.has(folded(name)) ? "storage" : "unknown");
        continue;
      }
      if (seen.has(name)) reader.refuse("capture_not_har");
      seen.add(name);
      if (treatment.drop) {
        reader.skip();
        this.lost(treatment.drop);
      } else yield [name, treatment];
    }
  }

  /** @param {string} reason */
  lost(reason) {
    this.tally.taken.push(reason);
    this.tally.fold();
  }

  /** An object or list inside another. @param {string} opening @param {string} name @param {Treatment} treatment @param {Known} known @returns {boolean} whether it was written */
  inner(opening, name, { object, list = "" }, known) {
    const { reader, writer } = this;
    if (reader.kind() === (object ? "{" : "[")) {
      writer.put(opening);
      if (object) this.any(object);
      else this.list(list);
      return true;
    }
    const value = reader.scalar();
    if (value === null && !known.needs.includes(name)) {
      writer.put(`${opening}null`);
      return true;
    }
    this.misplaced(name, value);
    return false;
  }

  /** A value of another type than the member has: an extension's is dropped. @param {string} name @param {Scalar | typeof NESTED} value */
  misplaced(name, value) {
    if (!name.startsWith("_")) this.reader.refuse("capture_not_har");
    if (value === NESTED) this.reader.skip();
    this.lost("unknown");
  }

  /** @param {string} opening @param {string} name @param {string} keep @param {string} where @returns {boolean} whether it was written */
  scalar(opening, name, keep, where) {
    const value = this.reader.scalar();
    const safe = value === NESTED ? null : this.judged(() => kept(this.tally, keep, value));
    if (safe === null) {
      this.misplaced(name, value);
      return false;
    }
    this.facts.written.set(`${where}.${name}`, safe);
    this.writer.put(opening + safe);
    return true;
  }

  /** @template T @param {() => T} judge @returns {T | null} null: a text where a number is needed */
  judged(judge) {
    try {
      return judge();
    } catch (error) {
      if (error instanceof WrongType) return null;
      throw error;
    }
  }

  /** @param {string} where */
  any(where) {
    if (this.rules.object(where).unit) this.unit(where);
    else this.object(where);
  }

  /** An array of objects. @param {string} where */
  list(where) {
    const { reader, writer } = this;
    const entries = where === "entry";
    let first = true;
    writer.put("[");
    reader.open();
    for (; reader.item(first); first = false) {
      if (!first) writer.put(",");
      reader.demandObject();
      if (entries) this.entry();
      else this.any(where);
    }
    writer.put(entries && !first ? "\n]" : "]");
  }

  entry() {
    const { tally, writer, facts } = this;
    tally.outside();
    facts.written.clear();
    writer.put("\n");
    const start = writer.at;
    this.object("entry");
    tally.entry(facts.host());
    this.onEntry?.(facts.entry(tally.entries - 1, start, writer.at - start));
  }

  /** A unit, read member by member and then judged as a whole. @param {string} where */
  unit(where) {
    const { reader, writer } = this;
    const known = this.rules.object(where);
    /** @type {Map<string, Scalar>} */
    const values = new Map();
    let mark = "{";
    for (const [name, treatment] of this.members(known, new Set())) {
      if (!treatment.keep) {
        if (this.inner(`${mark}"${name}":`, name, treatment, known)) mark = ",";
        continue;
      }
      const value = reader.scalar();
      if (value === NESTED) this.misplaced(name, value);
      else values.set(name, value);
    }
    const safe = this.judged(() => unit(this.tally, known, values)) ?? reader.refuse("capture_not_har");
    for (const [name, text] of safe) {
      writer.put(`${mark}"${name}":${text}`);
      mark = ",";
      this.facts.written.set(`${where}.${name}`, text);
    }
    writer.put(mark === "{" ? "{}" : "}");
    this.tally.fold();
  }
}
