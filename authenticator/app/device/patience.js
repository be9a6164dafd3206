// Camera, push, storage and biometrics can each hang for ever without an error. Whatever waits
// for one of them waits with a limit.

import { Unavailable } from "../protocol/errors.js";

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {string} code what to say when the time is over
 * @returns {Promise<T>}
 * @throws {Unavailable} `code`
 */
export async function within(ms, promise, code) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(code)), ms);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, limit]));
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
