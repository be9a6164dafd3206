// Make a capture safe: the one call that others make. Neither DOM nor network: it runs in a worker
// of the browser and in Node, and gives byte for byte what vestibule.captures gives on the server.

import { Reader } from "./reader.js";
import { Tally } from "./report.js";
import { Structure, Writer } from "./structure.js";
import { Rules } from "./table.js";

/** @typedef {import("./report.js").Entry} Entry */
/** @typedef {import("./report.js").Report} Report */

/**
 * Read a capture, write it made safe, and say what was taken out (spec/captures.md). What was
 * written until a refusal is to be thrown away.
 * @param {(most: number) => Uint8Array} source gives the next bytes; none: the end
 * @param {(bytes: Uint8Array<ArrayBuffer>) => void} sink gets the output in order, each piece until it returns
 * @param {unknown} table rules.json as parsed
 * @param {{limit?: number, onEntry?: (entry: Entry) => void, onProgress?: (bytes: number) => void}} [how]
 *   `onEntry` hears of each request once it was written, `onProgress` of the bytes read so far
 * @returns {Report}
 * @throws {import("./errors.js").CaptureRefused}
 */
export function sanitise(source, sink, table, { limit, onEntry, onProgress } = {}) {
  const rules = new Rules(table);
  const { bytes = 0, string = 0, number = 0, depth = 0, value = 0 } = rules.limits;
  // More bytes are more characters than a detector looks at, whatever they are.
  const big = 4 * value;
  const reader = new Reader(source, { limit: limit ?? bytes, longest: string, big, digits: number, depth, onRead: onProgress });
  const writer = new Writer(sink);
  const tally = new Tally(rules);
  new Structure(reader, writer, tally, onEntry).whole();
  writer.flush();
  return tally.report(reader.bytes, writer.at);
}
