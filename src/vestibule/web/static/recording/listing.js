// The requests that will be sent, as a list that opens one by one. Some thousands are usual and
// some hundred thousand possible: a page of them is drawn at a time, and a text is read from the
// blob when its line is opened, exactly as it goes.

import { counted, duration, fill, part, size } from "./drawing.js";

/** @typedef {import("../captures/report.js").Line} Line */

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
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Line[]} */
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
    [this.lines, this.matching, this.shown, this.blob] = [[], [], 0, null];
    this.rows.replaceChildren();
  }

  /** @param {Line[]} lines */
  add(lines) {
    for (const line of lines) this.lines.push(line);
  }

  /** @param {Blob} blob what the lines' offsets are in */
  draw(blob) {
    this.blob = blob;
    [this.find.value, this.failed.checked] = ["", false];
    this.filter();
  }

  filter() {
    const wanted = this.find.value.trim().toLowerCase();
    this.matching = this.lines.filter(
      (line) => (!this.failed.checked || bad(line)) && (!wanted || line.url.toLowerCase().includes(wanted)),
    );
    this.shown = 0;
    this.rows.replaceChildren();
    this.more();
  }

  more() {
    const next = this.matching.slice(this.shown, this.shown + PAGE);
    this.rows.append(...next.map((line) => this.row(line)));
    this.shown += next.length;
    part(this.place, '[data-does="more"]').hidden = this.shown >= this.matching.length;
    fill(this.place, "shown", { shown: counted(this.shown), all: counted(this.matching.length) });
  }

  /** @param {Line} line */
  row(line) {
    const item = document.createElement("li");
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const status = cell(line.status > 0 ? String(line.status) : (this.rows.dataset.noAnswer ?? ""), `tag${bad(line) ? " bad" : ""}`);
    const address = cell(line.url, "address");
    address.dir = "ltr";
    summary.append(status, cell(line.method, "method"), address, cell(line.ms === null ? "" : duration(line.ms), "digits soft"));
    details.append(summary);
    details.addEventListener("toggle", () => void this.open(details, line), { once: true });
    item.append(details);
    return item;
  }

  /** @param {HTMLElement} details @param {Line} line */
  async open(details, line) {
    if (!this.blob) return;
    const most = Math.min(line.length, MOST_TEXT);
    const text = await this.blob.slice(line.offset, line.offset + most).text();
    const shown = document.createElement("pre");
    shown.dir = "ltr";
    shown.tabIndex = 0;
    text.split(REMOVED).forEach((piece, index) => shown.append(index % 2 ? cell(piece, "", "mark") : piece));
    details.append(shown);
    if (line.length <= most) return;
    const rest = cell((this.rows.dataset.longer ?? "").replace("{size}", size(line.length)), "small soft", "p");
    details.append(rest);
  }
}

/** @param {Line} line */
const bad = ({ status, failed }) => failed || status <= 0 || status >= 400;

/** @param {string} text @param {string} name @param {string} [kind] */
function cell(text, name, kind = "span") {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}
