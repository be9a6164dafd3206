// argon2id (RFC 9106) off the page's thread, under the one policy that lets WebAssembly run.

import { argon2id } from "../../vendor/argon2.js";

/** @typedef {{pin: Uint8Array, salt: Uint8Array, m: number, t: number}} Task `m` in KiB */

const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.onmessage = async (/** @type {MessageEvent<Task>} */ { data: { pin, salt, m, t } }) => {
  try {
    const cost = { memorySize: m, iterations: t, parallelism: 1, hashLength: 32 };
    const stretched = await argon2id({ password: pin, salt, ...cost, outputType: "binary" });
    worker.postMessage(stretched);
  } catch (problem) {
    worker.postMessage(String(problem));
  }
};
