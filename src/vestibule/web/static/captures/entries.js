// What is told of each request once its line is written (section 9 of spec/captures.md).

/** @typedef {import("./report.js").Entry} Entry */

const AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/;

/** Host and port of an address that was made safe, without user; empty when it has none. @param {string} safeUrl */
export function hostOf(safeUrl) {
  const authority = AUTHORITY.exec(safeUrl)?.[1] ?? "";
  return authority.slice(authority.lastIndexOf("@") + 1);
}

/** Values of one entry, as they were written, by `object.member`. */
export class Facts {
  constructor() {
    /** @type {Map<string, string>} */
    this.written = new Map();
  }

  /** @param {string} where @returns {unknown} */
  value(where) {
    return JSON.parse(this.written.get(where) ?? "null");
  }

  /** @param {string} where */
  text(where) {
    const value = this.value(where);
    return typeof value === "string" ? value : "";
  }

  /** @param {string} where */
  number(where) {
    const value = this.value(where);
    return typeof value === "number" ? value : null;
  }

  /** The host that was asked. */
  host() {
    return hostOf(this.text("request.url"));
  }

  /** The entry, as lists show it. @param {number} number @param {number} offset @param {number} length @returns {Entry} */
  entry(number, offset, length) {
    return {
      number,
      offset,
      length,
      host: this.host(),
      started: this.text("entry.startedDateTime"),
      ms: this.number("entry.time"),
      method: this.text("request.method"),
      url: this.text("request.url"),
      status: this.number("response.status") ?? 0,
      mime: this.text("content.mimeType"),
      size: this.number("content.size") ?? this.number("response.bodySize"),
      error: this.text("entry._error") || this.text("response._error"),
    };
  }
}
