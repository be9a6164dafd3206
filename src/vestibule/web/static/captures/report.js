// What is told about a capture that was made safe (section 9 of spec/captures.md).

/** @typedef {import("./table.js").Rules} Rules */

/**
 * One request as it stands in the safe capture: for lists, and to find its line again. `offset` and
 * `length` are bytes in the output; `ms` and `started` are as the capture has them.
 * @typedef {object} Entry
 * @property {number} number
 * @property {number} offset
 * @property {number} length
 * @property {string} host
 * @property {string} started
 * @property {number | null} ms
 * @property {string} method
 * @property {string} url
 * @property {number} status
 * @property {string} mime
 * @property {number | null} size
 * @property {string} error
 */

/**
 * @typedef {Record<string, number>} Counts by reason, in the order of the table
 * @typedef {{format: number, entries: number, bytes_in: number, bytes_out: number, already_safe: boolean,
 *   removed: Counts, hosts: Record<string, {entries: number, removed: Counts}>}} Report
 */

/** @typedef {Pick<Entry, "offset" | "length" | "method" | "url" | "status" | "ms"> & {failed: boolean}} Line what the page lists of a request */

/** What the worker says to its page.
 * @typedef {{lines: Line[], read: number} | {refused: string, at?: number} | {blob: Blob, report: Report}} Told
 */

const OTHER_HOSTS = "*";
const MANY = 4096;

/** @typedef {Map<string, number>} Counter */

/** @param {Counter} counter @param {string} reason @param {number} times */
const add = (counter, reason, times) => counter.set(reason, (counter.get(reason) ?? 0) + times);

/** Counts while a capture is read. Treatments append reasons to `taken`. */
export class Tally {
  /** @param {Rules} rules */
  constructor(rules) {
    this.rules = rules;
    /** @type {string[]} */
    this.taken = [];
    this.entries = 0;
    /** @type {Counter} */
    this.counted = new Map();
    /** @type {Counter} */
    this.removed = new Map();
    /** @type {Map<string, {entries: number, removed: Counter}>} */
    this.hosts = new Map();
  }

  /** Keep the list short, however much one entry loses. */
  fold() {
    if (this.taken.length > MANY) this.count();
  }

  count() {
    for (const reason of this.taken) add(this.counted, reason, 1);
    this.taken.length = 0;
  }

  /** What was counted up to here belongs to no entry. */
  outside() {
    this.count();
    for (const [reason, times] of this.counted) add(this.removed, reason, times);
    this.counted.clear();
  }

  /** What was counted since belongs to one entry, sent to this host. @param {string} host */
  entry(host) {
    this.count();
    const key = !this.hosts.has(host) && this.hosts.size >= (this.rules.limits.hosts ?? 0) ? OTHER_HOSTS : host;
    const at = this.hosts.get(key) ?? { entries: 0, removed: new Map() };
    this.hosts.set(key, at);
    at.entries++;
    for (const [reason, times] of this.counted) add(at.removed, reason, times);
    this.entries++;
    this.outside();
  }

  /** The sum of it. @param {number} bytesIn @param {number} bytesOut @returns {Report} */
  report(bytesIn, bytesOut) {
    this.outside();
    const hosts = Array.from(this.hosts, ([host, { entries, removed }]) => [host, { entries, removed: this.ordered(removed) }]);
    return {
      format: this.rules.format,
      entries: this.entries,
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      already_safe: this.removed.size === 0,
      removed: this.ordered(this.removed),
      hosts: Object.fromEntries(hosts),
    };
  }

  /** @param {Counter} counts @returns {Counts} */
  ordered(counts) {
    return Object.fromEntries(this.rules.reasons.flatMap((reason) => (counts.has(reason) ? [[reason, counts.get(reason) ?? 0]] : [])));
  }
}
