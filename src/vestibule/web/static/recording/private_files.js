// The file in the browser's private file system in which a safe recording lies until it is sent:
// its name, and its end. The worker writes it (captures/result.js).
//
// - A page takes a lock of the file's name before there is a file, and holds it until the file was
//   removed: the browser ends locks with their page, however that ends. So a file whose lock is
//   free belongs to nobody.
// - Whoever removes such a file takes its lock meanwhile, instead of asking who holds it: between
//   an answer and what is done about it, anything can happen.
// - Every recording has a file of its own: what goes on about an old one never meets a new one.

const PREFIX = "capture-";
const TRIES = [0, 50, 200, 1000, 5000]; // ms between them

/** @typedef {{name: string, remove: () => Promise<void>}} PrivateFile */

/** @returns {Promise<PrivateFile | null>} a name that is this page's alone; null: this browser has no private files for us */
export async function reserve() {
  try {
    const root = await navigator.storage.getDirectory();
    const name = PREFIX + crypto.randomUUID();
    const release = await locked(name);
    let going = false;
    const remove = async () => {
      if (going) return;
      going = true;
      await removed(root, name);
      release();
    };
    return { name, remove };
  } catch {
    // No secure context, a private window, an old browser.
    return null;
  }
}

/** @param {string} name @returns {Promise<() => void>} which lets it go */
function locked(name) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, () => new Promise((release) => resolve(() => release(null)))).catch(reject);
  });
}

/** @param {FileSystemDirectoryHandle} root @param {string} name */
async function removed(root, name) {
  for (const wait of TRIES) {
    if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      await root.removeEntry(name);
      return;
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") return;
      // A worker that was just ended may still have it open. What stays goes at the next visit.
    }
  }
}

/** Remove the files of pages that are gone: they crashed, or were left while a worker wrote. */
export async function sweep() {
  try {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys()) {
      if (!name.startsWith(PREFIX)) continue;
      await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && removed(root, name));
    }
  } catch {
    // This browser has none.
  }
}
