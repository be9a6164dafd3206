// Server-sent events over fetch: EventSource cannot carry an Authorization header.

import { problemOf } from "./server.js";
import { pause } from "./patience.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./vault.js").Account} Account */
/** @typedef {{event: string, data: string}} StreamEvent */

const PATH = "/device/stream";
// The server says at least a comment every 15 s; a silence of three is a dead connection.
const SILENCE_MS = 45_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Listens until stopped, reconnecting with growing pauses.
 *
 * @param {Server} server
 * @param {Account} account
 * @param {(event: StreamEvent) => void} hear also called with "open" after each connection,
 *   because whatever changed while there was none was missed
 * @returns {() => void} stops
 */
export function listen(server, account, hear) {
  const stop = new AbortController();
  void (async () => {
    let wait = FIRST_WAIT_MS;
    while (!stop.signal.aborted) {
      const opened = Date.now();
      try {
        await connect(server, account, hear, stop.signal);
      } catch {
        // Offline, refused or silent: all are answered by waiting and asking again.
      }
      if (Date.now() - opened > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
      await pause(wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  })();
  return () => stop.abort();
}

/**
 * @param {Server} server
 * @param {Account} account
 * @param {(event: StreamEvent) => void} hear
 * @param {AbortSignal} stopped
 */
async function connect(server, account, hear, stopped) {
  const silence = new AbortController();
  const stop = () => silence.abort();
  stopped.addEventListener("abort", stop, { once: true });
  let timer = setTimeout(stop, SILENCE_MS);
  try {
    const Authorization = await server.authorization(account, "GET", PATH);
    const response = await fetch(PATH, {
      headers: { Authorization, Accept: "text/event-stream" },
      signal: silence.signal,
      cache: "no-store",
      credentials: "omit",
    });
    if (!response.ok || !response.body) throw problemOf(response, await response.json().catch(() => undefined));
    hear({ event: "open", data: "" });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = eventParser(hear);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
      parse(value);
    }
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener("abort", stop);
    silence.abort();
  }
}

/**
 * @param {(event: StreamEvent) => void} hear
 * @returns {(chunk: string) => void} takes the stream in pieces of any size
 */
export function eventParser(hear) {
  let rest = "";
  let event = "message";
  /** @type {string[]} */
  let data = [];
  return (chunk) => {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/u);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0 || event !== "message") hear({ event, data: data.join("\n") });
        event = "message";
        data = [];
      } else if (!line.startsWith(":")) {
        const [, field, value] = /^([^:]*):? ?(.*)$/u.exec(line) ?? [];
        if (field === "event") event = value;
        if (field === "data") data.push(value);
      }
    }
  };
}
