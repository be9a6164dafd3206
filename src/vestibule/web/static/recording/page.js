// The block in which a browser's recording is made safe, looked at and sent.
//
//   [data-recording]        the block; data-worker and data-table say where those are, data-most how
//                           large a file may be, data-upload where attachments are sent, data-token
//   [data-stage=<name>]     shown at that stage: pick, working, refused, ready, sending, cut, done
//   [data-does=<name>]      a button: stop, again, look, more, send, stop-sending
//   [data-refusal=<code>]   shown when the file was refused with that code
//   [data-slot=<name>]      filled by script; data-says on it is the sentence with {gaps}
//
// The file itself never leaves this browser: only what the worker made of it can be sent. That lies
// in a private file of the browser where there are such, and leaves with this page at the latest. A form
// around the block that is sent while a recording is ready sends the recording first. Afterwards
// the block tells its page by the event `recording-sent`, which bubbles.

import { Listing } from "./listing.js";
import { drawRemoved, fill, part, share, size } from "./drawing.js";
import { reserve, sweep } from "./private_files.js";
import { sendBlob } from "./sending.js";

/**
 * @typedef {import("../captures/report.js").Told} Told
 * @typedef {{blob: Blob, name: string}} Recording
 */

const WORKER = /^\/static\/captures\.[0-9a-f]{12}\/worker\.js$/;

/** @param {string} address @returns {string} */
function ownWorker(address) {
  if (!WORKER.test(address)) throw new TypeError(`not the worker of this page: ${address}`);
  return address;
}

/** @typedef {{createPolicy(name: string, rules: {createScriptURL: (url: string) => string}): {createScriptURL: (url: string) => string}}} Factory */

const { trustedTypes } = /** @type {{trustedTypes?: Factory}} */ (/** @type {unknown} */ (globalThis));
const policy = trustedTypes?.createPolicy("vestibule-captures", { createScriptURL: ownWorker });

/** @param {HTMLElement} place */
function bind(place) {
  const { worker: workerAddress = "", table = "", token = "" } = place.dataset;
  const most = Number(place.dataset.most);
  const listing = new Listing(place);
  /** @type {Worker | null} */
  let worker = null;
  /** @type {Recording | null} */
  let made = null;
  /** @type {import("./private_files.js").PrivateFile | null} */
  let kept = null;
  /** @type {AbortController | null} */
  let sending = null;

  /** @param {string} name @param {boolean} [quiet] the focus stays where it is */
  const stage = (name, quiet) => {
    place.dataset.at = name;
    for (const each of place.querySelectorAll("[data-stage]")) {
      if (each instanceof HTMLElement) each.hidden = each.dataset.stage !== name;
    }
    const shown = place.querySelector(`[data-stage="${name}"]`);
    const target = shown?.querySelector("[tabindex='-1']") ?? shown?.querySelector("input");
    if (!quiet && target instanceof HTMLElement) target.focus();
  };

  /** @param {number} done of 1 */
  const progress = (done) => {
    const shown = part(place, `[data-stage="${place.dataset.at}"] .progress`);
    /** @type {HTMLProgressElement} */ (part(shown, "progress")).value = done;
    fill(shown, "percent", share(done));
  };

  const end = () => {
    worker?.terminate();
    worker = null;
  };

  /** Nothing is left of what was made. */
  const discard = () => {
    end();
    made = null;
    listing.clear();
    void kept?.remove();
    kept = null;
  };

  const startOver = () => {
    discard();
    /** @type {HTMLInputElement} */ (part(place, "input[type=file]")).value = "";
    stage("pick");
  };

  /** @param {string} code @param {number} [at] */
  const refuse = (code, at) => {
    discard();
    const known = place.querySelector(`[data-refusal="${CSS.escape(code)}"]`) ? code : "capture_unreadable";
    for (const each of place.querySelectorAll("[data-refusal]")) {
      if (each instanceof HTMLElement) each.hidden = each.dataset.refusal !== known;
    }
    fill(place, "at", at === undefined ? null : { at: new Intl.NumberFormat(document.documentElement.lang).format(at) });
    stage("refused");
  };

  /** @param {File} file */
  const take = async (file) => {
    startOver();
    part(place, '[data-slot="stopped"]').hidden = true;
    for (const name of place.querySelectorAll('[data-slot="name"]')) name.textContent = file.name;
    stage("working");
    progress(0);
    const asked = fetch(table).then((answer) => (answer.ok ? answer.json() : null), () => null);
    const [rules, reserved] = await Promise.all([asked, reserve()]);
    if (place.dataset.at !== "working") {
      void reserved?.remove(); // stopped meanwhile
      return;
    }
    discard();
    kept = reserved;
    if (!rules) {
      refuse("capture_unreadable");
      return;
    }
    const mine = new Worker(policy ? policy.createScriptURL(workerAddress) : ownWorker(workerAddress), { type: "module" });
    worker = mine;
    mine.addEventListener("error", () => refuse("capture_unreadable"));
    mine.addEventListener("message", ({ data }) => {
      // What was said before it was stopped may still arrive.
      if (worker === mine) hear(/** @type {Told} */ (data), file);
    });
    mine.postMessage({ file, table: rules, limit: most, name: kept?.name ?? "" });
  };

  /** @param {Told} told @param {File} file */
  const hear = (told, file) => {
    if ("lines" in told) {
      listing.add(told.lines);
      progress(told.read / Math.max(1, file.size));
    } else if ("refused" in told) {
      refuse(told.refused, told.at);
    } else {
      end();
      const name = file.name.replace(/(\.safe)?(\.har)?$/i, ".safe.har");
      drawRemoved(place, told.report);
      fill(place, "sizes", { before: size(file.size), after: size(told.blob.size) });
      listing.draw(told.blob);
      stage("ready");
      made = { blob: told.blob, name };
    }
  };

  /** @returns {Promise<boolean>} whether it arrived */
  const send = async () => {
    if (!made) return false;
    stage("sending");
    progress(0);
    sending = new AbortController();
    const answer = await sendBlob(place.dataset.upload ?? "", made, { token, progress, signal: sending.signal });
    sending = null;
    if (answer.done) {
      discard();
      stage("done");
      place.dispatchEvent(new CustomEvent("recording-sent", { bubbles: true, detail: answer.kept }));
    } else if (answer.stopped) {
      stage("ready");
    } else {
      fill(place, "answer", answer.said);
      stage("cut");
    }
    return answer.done;
  };

  /** @type {Record<string, () => void>} */
  const does = {
    stop: () => {
      startOver();
      part(place, '[data-slot="stopped"]').hidden = false;
    },
    again: startOver,
    look: () => stage("ready"),
    more: () => listing.more(),
    send: () => void send(),
    "stop-sending": () => sending?.abort(),
  };
  for (const button of place.querySelectorAll("button[data-does]")) {
    if (button instanceof HTMLElement) button.addEventListener("click", does[button.dataset.does ?? ""] ?? (() => {}));
  }
  const input = /** @type {HTMLInputElement} */ (part(place, "input[type=file]"));
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) void take(file);
  });
  const over = part(place, "[data-over-me]");
  over.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over.dataset.over = "";
  });
  over.addEventListener("dragleave", () => delete over.dataset.over);
  over.addEventListener("drop", (event) => {
    delete over.dataset.over;
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    // A form's own field for files must not take it as well.
    event.stopPropagation();
    void take(file);
  });
  const form = place.closest("form");
  form?.addEventListener("submit", (event) => {
    const at = place.dataset.at ?? "";
    if (at !== "ready" && at !== "cut" && at !== "working" && at !== "sending") return;
    // A message that leaves now would leave without it.
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    if (made && !sending) void send().then((arrived) => arrived && form.requestSubmit(submitter));
    else stage(at);
  }, { capture: true });
  addEventListener("pagehide", () => {
    if (kept) startOver();
  });
  stage("pick", true);
}

for (const place of document.querySelectorAll("[data-recording]")) {
  if (place instanceof HTMLElement) bind(place);
}
void sweep();
