// Makes one recording safe beside the page, so that the page stays awake. Its policy allows it no
// connection at all: what it reads can go back to the page only.
//
// The page sends {file, table, limit} once, and ends the worker to cancel.

import { sanitise } from "./sanitising.js";
import { CaptureRefused } from "./errors.js";

/**
 * @typedef {import("./report.js").Entry} Entry
 * @typedef {import("./report.js").Told} Told
 */

const PART = 2 << 20; // bytes that become one part of the blob: the browser keeps these, not us
const TELL_EVERY = 100; // ms

/** @param {Told} told */
const tell = (told) => postMessage(told);

/** @param {File} file @returns {(most: number) => Uint8Array} the next bytes; none: the end */
function source(file) {
  const reader = new FileReaderSync();
  let at = 0;
  // The pieces are left to the collector: it counts them, and so comes often enough to take what
  // each reading leaves behind in the browser, of which it knows nothing.
  return (most) => {
    const piece = new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + most)));
    at += piece.length;
    return piece;
  };
}

class Parts {
  constructor() {
    /** @type {Blob[]} */
    this.parts = [];
    this.open = new Uint8Array(PART);
    this.size = 0;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  write(bytes) {
    if (this.size + bytes.length > PART) this.close();
    if (bytes.length > PART) this.parts.push(new Blob([bytes]));
    else this.open.set(bytes, this.size);
    this.size += bytes.length > PART ? 0 : bytes.length;
  }

  close() {
    if (this.size) this.parts.push(new Blob([this.open.subarray(0, this.size)]));
    this.size = 0;
  }

  whole() {
    this.close();
    return new Blob(this.parts, { type: "application/json" });
  }
}

addEventListener("message", ({ data: { file, table, limit } }) => {
  /** @type {Entry[]} */
  let entries = [];
  let told = 0;
  const parts = new Parts();
  try {
    const report = sanitise(source(file), (bytes) => parts.write(bytes), table, {
      limit,
      onEntry: (entry) => entries.push(entry),
      onProgress: (read) => {
        if (performance.now() - told < TELL_EVERY) return;
        told = performance.now();
        tell({ entries, read });
        entries = [];
      },
    });
    tell({ entries, read: file.size });
    tell({ blob: parts.whole(), report });
  } catch (error) {
    // A file that is gone or was changed meanwhile cannot be read (NotReadableError).
    tell(error instanceof CaptureRefused ? { refused: error.code, at: error.at } : { refused: "capture_unreadable" });
    if (!(error instanceof CaptureRefused)) console.warn(String(error));
  }
  close();
});
