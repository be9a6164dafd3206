// A blob on its way to the server. XMLHttpRequest, because fetch does not tell how much has gone.

/**
 * @typedef {object} Sending
 * @property {string} token of the page's forms
 * @property {(done: number) => void} progress of 1
 * @property {AbortSignal} signal
 */

/** @typedef {{id: string, name: string, size: number, kind: string, entries: number | null, details: string}} Kept what the server says of a file that it keeps */

/** @typedef {{done: boolean, stopped: boolean, said: string, kept: Kept | null}} Sent `said`: the server's own words for a refusal */

/**
 * Send a recording; never throws. Nothing is kept of one that was cut, so it is simply sent anew.
 * @param {string} address that takes attachments
 * @param {{blob: Blob, name: string}} recording
 * @param {Sending} how
 * @returns {Promise<Sent>}
 */
export function sendBlob(address, { blob, name }, { token, progress, signal }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    /** @param {boolean} done @param {boolean} stopped */
    const end = (done, stopped) => resolve({ done, stopped, said: done ? "" : words(request), kept: done ? JSON.parse(request.responseText) : null });
    request.open("POST", `${address}?${new URLSearchParams({ name })}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-form-token", token);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("load", () => end(request.status >= 200 && request.status < 300, false));
    request.addEventListener("error", () => end(false, false));
    request.addEventListener("timeout", () => end(false, false));
    request.addEventListener("abort", () => end(false, true));
    signal.addEventListener("abort", () => request.abort());
    request.send(blob);
  });
}

/** @param {XMLHttpRequest} request @returns {string} title, cause and next step, if the server told them (RFC 9457) */
function words(request) {
  if (!request.getResponseHeader("content-type")?.includes("json")) return "";
  try {
    const { title, detail, next } = JSON.parse(request.responseText);
    return `${title}. ${detail} ${next}`;
  } catch {
    return "";
  }
}
