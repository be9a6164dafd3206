// Makes one recording safe beside the page, so that the page stays awake. Its policy allows it no
// connection at all: what it reads can go back to the page only, and into the private file that
// the page has reserved for it.
//
// The page sends {file, table, limit, name} once, and ends the worker to cancel.

import { CaptureRefused } from "./errors.js";
import { source } from "./reading.js";
import { resultIn } from "./result.js";
import { sanitise } from "./sanitising.js";

/**
 * @typedef {import("./report.js").Entry} Entry
 * @typedef {import("./report.js").Line} Line
 * @typedef {import("./report.js").Told} Told
 */

const TELL_EVERY = 100; // ms

/** @param {Told} told */
const tell = (told) => postMessage(told);

/** What the page lists, and no more: it keeps some hundred thousand of them. @param {Entry} entry @returns {Line} */
const line = ({ offset, length, method, url, status, ms, error }) => ({ offset, length, method, url, status, ms, failed: error !== "" });

addEventListener("message", async ({ data: { file, table, limit, name } }) => {
  /** @type {Line[]} */
  let lines = [];
  let told = 0;
  const result = await resultIn(name);
  try {
    const report = sanitise(source(file), (bytes) => result.write(bytes), table, {
      limit,
      onEntry: (entry) => lines.push(line(entry)),
      onProgress: (read) => {
        if (performance.now() - told < TELL_EVERY) return;
        told = performance.now();
        tell({ lines, read });
        lines = [];
      },
    });
    const blob = await result.whole();
    tell({ lines, read: file.size });
    tell({ blob, report });
  } catch (error) {
    await result.close();
    // A file that is gone or was changed meanwhile cannot be read (NotReadableError).
    tell(error instanceof CaptureRefused ? { refused: error.code, at: error.at } : { refused: "capture_unreadable" });
    if (!(error instanceof CaptureRefused)) console.warn(String(error));
  }
  close();
});
