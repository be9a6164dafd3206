// Files that go along with a message. They are sent as soon as they are chosen, while the message is
// still being written; without this script the form sends them, and shows the page again.
//
//   [data-attach="/path"]     the part of the form; files are posted to that address as they are
//   data-token, data-most, data-count   the form's token, bytes of a file, files of a message
//   [data-slot=files]         the list; [data-slot=row] is the template of a line
//   data-removed, data-kept   of the list: what became of what a picture tells beside the picture
//   [data-says=<name>]        failed, going: shown when that is so
//   [data-slot=recorder]      where browser recordings are made safe: they are not sent from here
//
// The name of a form that begins a conversation is kept in this tab, so that a page that is loaded
// again finds the files that have arrived.

import { sendBlob } from "./sending.js";

/** @typedef {{id: string, name: string, size: number, kind: string, details: string}} Kept */

const HEAD = 64 * 1024;
const NAME = "vestibule.attached";
const UNITS = /** @type {const} */ ([["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]]);

/** @param {ParentNode} within @param {string} selector @returns {HTMLElement} */
function part(within, selector) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new TypeError(`missing: ${selector}`);
  return found;
}

/** @param {number} bytes */
function spoken(bytes) {
  const [unit, one] = UNITS.find(([, least]) => bytes >= least) ?? UNITS[3];
  const style = { style: "unit", unit, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, /** @type {Intl.NumberFormatOptions} */ (style)).format(bytes / one);
}

/** @param {File} file @returns {Promise<boolean>} whether it is a browser recording, by name or content */
async function isRecording(file) {
  if (/\.har(\.gz)?$/i.test(file.name)) return true;
  const head = await file.slice(0, HEAD).text().catch(() => "");
  return /^\uFEFF?\s*\{/.test(head) && /"log"\s*:\s*\{/.test(head);
}

/** @param {HTMLElement} place */
function bind(place) {
  const form = place.closest("form");
  const picked = part(place, "input[type=file]");
  const list = part(place, "[data-slot=files]");
  const pattern = part(place, "template[data-slot=row]");
  const recorder = place.querySelector("[data-slot=recorder]");
  if (!form || !(picked instanceof HTMLInputElement) || !(pattern instanceof HTMLTemplateElement)) return;
  const { token = "" } = place.dataset;
  const most = Number(place.dataset.most);
  const count = Number(place.dataset.count);
  let going = 0;

  const address = () => place.dataset.attach ?? "";
  const named = /^\/messages\/new\/([\w-]{22})\/attachments$/;

  /** @param {string} name @param {string} [text] */
  const says = (name, text) => {
    for (const each of place.querySelectorAll("[data-says]")) {
      // Those of the block for recordings are its own.
      if (each instanceof HTMLElement && each.closest("[data-recording]") === null) each.hidden = each.dataset.says !== name;
    }
    if (!name) return;
    const told = part(place, `[data-says="${name}"]`);
    if (text) told.textContent = text;
    told.focus();
  };

  /** @param {string} id */
  const remember = (id) => {
    const found = named.exec(address());
    if (found?.[1] && id) sessionStorage.setItem(NAME, found[1]);
  };

  const draw = () => {
    list.hidden = list.childElementCount === 0;
  };

  /** @param {string} name @returns {HTMLElement} */
  const addRow = (name) => {
    list.append(pattern.content.cloneNode(true));
    const row = /** @type {HTMLElement} */ (list.lastElementChild);
    part(row, "[data-slot=name]").textContent = name;
    draw();
    return row;
  };

  /** @param {HTMLElement} row @param {Kept} kept */
  const arrived = (row, kept) => {
    row.dataset.id = kept.id;
    part(row, "[data-slot=name]").textContent = kept.name;
    const { removed, kept: stayed } = list.dataset;
    const details = kept.details === "removed" ? removed : kept.details === "kept" ? stayed : "";
    part(row, "[data-slot=said]").textContent = [spoken(kept.size), details].filter(Boolean).join(" · ");
    part(row, "[data-slot=going]").hidden = true;
    part(row, "[data-does=again]").hidden = true;
    remember(kept.id);
  };

  /** @param {HTMLElement} row @param {File} file */
  const send = async (row, file) => {
    const bar = /** @type {HTMLProgressElement} */ (row.querySelector("progress"));
    const again = part(row, "[data-does=again]");
    const stopping = new AbortController();
    const remove = part(row, "[data-does=remove]");
    const stop = () => stopping.abort();
    again.hidden = true;
    part(row, "[data-slot=going]").hidden = false;
    bar.setAttribute("aria-label", file.name);
    remove.addEventListener("click", stop, { once: true });
    going += 1;
    /** @param {number} done */
    const progress = (done) => {
      bar.value = done;
      part(row, "[data-slot=percent]").textContent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(done);
    };
    const answer = await sendBlob(address(), { blob: file, name: file.name }, { token, progress, signal: stopping.signal });
    going -= 1;
    remove.removeEventListener("click", stop);
    if (answer.stopped) return;
    if (answer.done && answer.kept) {
      arrived(row, answer.kept);
      says("");
      return;
    }
    part(row, "[data-slot=going]").hidden = true;
    if (answer.said) {
      // The server has decided: the same file again would be refused again.
      row.remove();
      draw();
    } else {
      again.hidden = false;
    }
    says("failed", answer.said ? `${file.name}: ${answer.said}` : part(place, "[data-says=failed]").dataset.cut);
  };

  /** @param {File} file */
  const record = (file) => {
    const input = recorder?.querySelector("#recording-file");
    if (!(recorder instanceof HTMLDetailsElement) || !(input instanceof HTMLInputElement)) return;
    recorder.open = true;
    const files = new DataTransfer();
    files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change"));
    recorder.scrollIntoView({ block: "nearest" });
  };

  /** @param {File[]} files */
  const take = async (files) => {
    const { large, empty, many } = part(place, "[data-says=failed]").dataset;
    says("");
    for (const file of files) {
      if (recorder && (await isRecording(file))) {
        record(file);
      } else if (list.childElementCount >= count) {
        says("failed", many);
      } else if (file.size > most) {
        says("failed", `${file.name}: ${large}`);
      } else if (file.size === 0) {
        says("failed", `${file.name}: ${empty}`);
      } else {
        const row = addRow(file.name);
        part(row, "[data-slot=said]").textContent = spoken(file.size);
        part(row, "[data-does=again]").addEventListener("click", () => void send(row, file));
        void send(row, file);
      }
    }
  };

  const look = async () => {
    const answer = await fetch(address(), { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return 0;
    /** @type {{attachments: Kept[]}} */
    const { attachments } = await answer.json();
    for (const kept of attachments) {
      if (!list.querySelector(`[data-id="${CSS.escape(kept.id)}"]`)) arrived(addRow(kept.name), kept);
    }
    return attachments.length;
  };

  list.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-does=remove]") : null;
    const row = button?.closest("li");
    if (!row) return;
    event.preventDefault();
    const { id } = row.dataset;
    if (id) {
      const body = new URLSearchParams({ form: token, id });
      const answer = await fetch(`${address()}/remove`, { method: "POST", body, headers: { accept: "application/json" } }).catch(() => null);
      if (!answer || (!answer.ok && answer.status !== 404)) {
        says("failed", part(place, "[data-says=failed]").dataset.cut);
        return;
      }
    }
    row.remove();
    draw();
    picked.focus();
  });
  picked.addEventListener("change", () => {
    const files = [...(picked.files ?? [])];
    // So that the form does not send them once more.
    picked.value = "";
    void take(files);
  });
  const over = part(place, "[data-over-files]");
  over.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over.dataset.over = "";
  });
  over.addEventListener("dragleave", () => delete over.dataset.over);
  over.addEventListener("drop", (event) => {
    delete over.dataset.over;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void take(files);
  });
  place.addEventListener("recording-sent", () => {
    says("");
    void look();
  });
  place.addEventListener("keydown", (event) => {
    // In a field of this part, the key that sends a form means something else.
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    if (!going) return;
    event.preventDefault();
    says("going");
  });
  for (const each of place.querySelectorAll("[data-without-script]")) {
    if (each instanceof HTMLElement) each.hidden = true;
  }

  const kept = sessionStorage.getItem(NAME);
  const once = form.elements.namedItem("once");
  const current = named.exec(address())?.[1];
  if (kept && current && kept !== current && once instanceof HTMLInputElement) {
    const fresh = address();
    place.dataset.attach = fresh.replace(current, kept);
    void look().then((found) => {
      if (found) {
        once.value = kept;
        for (const each of place.querySelectorAll("[data-upload]")) {
          if (each instanceof HTMLElement) each.dataset.upload = address();
        }
      } else {
        place.dataset.attach = fresh;
        sessionStorage.removeItem(NAME);
      }
    });
  }
}

for (const place of document.querySelectorAll("[data-attach]")) {
  if (place instanceof HTMLElement) bind(place);
}
if (new URLSearchParams(location.search).get("done") === "sent") sessionStorage.removeItem(NAME);
