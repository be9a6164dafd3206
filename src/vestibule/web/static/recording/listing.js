// The requests that will be sent, as a list that opens one by one. Some thousands are usual and
// some hundred thousand possible: a page of them is drawn at a time, and a text is read from the
// blob when its line is opened, exactly as it goes.

import { counted, duration, fill, part, size } from "./drawing.js";

/** @typedef {import("../captures/report.js").Entry} Entry */

const PAGE = 20;
const MOST_TEXT = 200_000; // bytes shown of one request; the rest is counted
const REMOVED = /(~removed\.[a-z-]+(?:\.[A-Za-z0-9_.-]*)?~)/;

export class Listing {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.rows = part(place, '[data-slot="requests"]');
    this.find = /** @type {HTMLInputElement} */ (part(place, "input[type=search]"));
    this.failed = /** @type {HTMLInputElement} */ (part(place, "input[type=checkbox]"));
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {Entry[]} */
    this.matching = [];
    this.shown = 0;
    /** @type {Blob | null} */
    this.blob = null;
    for (const field of [this.find, this.failed]) field.addEventListener("input", () => this.filter());
    // Enter in the field would send the form around it.
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }

  clear() {
    [this.entries, this.matching, this.shown, this.blob] = [[], [], 0, null];
    this.rows.replaceChildren();
  }

  /** @param {Entry[]} entries */
  add(entries) {
    for (const entry of entries) this.entries.push(entry);
  }

  /** @param {Blob} blob what the entries' offsets are in */
  draw(blob) {
    this.blob = blob;
    [this.find.value, this.failed.checked] = ["", false];
    this.filter();
  }

  filter() {
    const wanted = this.find.value.trim().toLowerCase();
    this.matching = this.entries.filter(
      (entry) => (!this.failed.checked || bad(entry)) && (!wanted || entry.url.toLowerCase().includes(wanted)),
    );
    this.shown = 0;
    this.rows.replaceChildren();
    this.more();
  }

  more() {
    const next = this.matching.slice(this.shown, this.shown + PAGE);
    this.rows.append(...next.map((entry) => this.row(entry)));
    this.shown += next.length;
    part(this.place, '[data-does="more"]').hidden = this.shown >= this.matching.length;
    fill(this.place, "shown", { shown: counted(this.shown), all: counted(this.matching.length) });
  }

  /** @param {Entry} entry */
  row(entry) {
    const item = document.createElement("li");
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const status = cell(entry.status > 0 ? String(entry.status) : (this.rows.dataset.noAnswer ?? ""), `tag${bad(entry) ? " bad" : ""}`);
    const address = cell(entry.url, "address");
    address.dir = "ltr";
    summary.append(status, cell(entry.method, "method"), address, cell(entry.ms === null ? "" : duration(entry.ms), "digits soft"));
    details.append(summary);
    details.addEventListener("toggle", () => void this.open(details, entry), { once: true });
    item.append(details);
    return item;
  }

  /** @param {HTMLElement} details @param {Entry} entry */
  async open(details, entry) {
    if (!this.blob) return;
    const most = Math.min(entry.length, MOST_TEXT);
    const text = await this.blob.slice(entry.offset, entry.offset + most).text();
    const shown = document.createElement("pre");
    shown.dir = "ltr";
    shown.tabIndex = 0;
    text.split(REMOVED).forEach((piece, index) => shown.append(index % 2 ? cell(piece, "", "mark") : piece));
    details.append(shown);
    if (entry.length <= most) return;
    const rest = cell((this.rows.dataset.longer ?? "").replace("{size}", size(entry.length)), "small soft", "p");
    details.append(rest);
  }
}

/** @param {Entry} entry */
const bad = ({ status, error }) => status <= 0 || status >= 400 || error !== "";

/** @param {string} text @param {string} name @param {string} [kind] */
function cell(text, name, kind = "span") {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}
