// Work that many ask for at once.

/**
 * Never two runs at a time: calls during a run make one more follow, for what they want to see may
 * have happened after it had looked.
 *
 * @param {() => Promise<void>} work
 * @returns {() => Promise<void>} settles when no run is left
 */
export function coalesced(work) {
  /** @type {Promise<void> | null} */
  let running = null;
  let again = false;
  const run = async () => {
    try {
      while (again) {
        again = false;
        await work();
      }
    } finally {
      // In the same turn as the last look at `again`: no call can come between.
      running = null;
    }
  };
  return () => {
    again = true;
    return (running ??= run());
  };
}
