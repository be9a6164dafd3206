// Trusted Types: the only addresses from which this app starts workers.

const OWN = new Set(["/sw.js", "/app/workers/stretch.worker.js", "/app/workers/scan.worker.js"]);

/** @param {string} url */
function allow(url) {
  if (!OWN.has(url)) throw new TypeError(`not a worker of this app: ${url}`);
  return url;
}

/** @typedef {{createPolicy(name: string, rules: {createScriptURL: (url: string) => string}): {createScriptURL: (url: string) => string}}} Factory */

const { trustedTypes } = /** @type {{trustedTypes?: Factory}} */ (/** @type {unknown} */ (globalThis));
const policy = trustedTypes?.createPolicy("vestibule-urls", { createScriptURL: allow });

/** @param {string} url @returns {string} trusted, where browsers know the notion */
export const scriptUrl = (url) => policy?.createScriptURL(url) ?? allow(url);

/** @param {string} url */
export const startWorker = (url) => new Worker(scriptUrl(url), { type: "module" });
