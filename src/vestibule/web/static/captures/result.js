// What was made of a recording, on its way to the page: in a private file of the browser, which
// takes no memory however long it grows. Where there is none, or from where it is full, it becomes
// parts of a blob, which the browser keeps in its memory; the page gets one blob either way.
//
// Safe bytes alone are ever written, and the page removes the file (recording/private_files.js).

const PART = 1 << 20; // bytes that are written at once

/**
 * A place for the result: in the private file of that name, if there can be one.
 * @param {string} name of a file that the page has reserved; empty: it could not
 */
export async function resultIn(name) {
  if (!name) return new Result();
  try {
    const root = await navigator.storage.getDirectory();
    const file = await root.getFileHandle(name, { create: true });
    return new Result(file, await file.createSyncAccessHandle());
  } catch (error) {
    console.info(`no private file: ${error}`);
    return new Result();
  }
}

class Result {
  /** @param {FileSystemFileHandle} [file] @param {FileSystemSyncAccessHandle} [handle] */
  constructor(file, handle) {
    this.file = file;
    this.handle = handle;
    this.full = !handle;
    this.filed = 0; // bytes in the file
    /** @type {Blob[]} */
    this.parts = []; // what comes behind them
    this.open = new Uint8Array(PART);
    this.size = 0;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  write(bytes) {
    if (this.size + bytes.length > PART) this.flush();
    if (bytes.length > PART) this.put(bytes);
    else this.open.set(bytes, this.size);
    this.size += bytes.length > PART ? 0 : bytes.length;
  }

  flush() {
    if (this.size) this.put(this.open.subarray(0, this.size));
    this.size = 0;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  put(bytes) {
    if (!this.full && this.wrote(bytes)) this.filed += bytes.length;
    else {
      this.full = true;
      this.parts.push(new Blob([bytes]));
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @returns {boolean} whether all of it is in the file */
  wrote(bytes) {
    try {
      // A full disk is told in three ways: by an exception, by less than was asked (Firefox), or
      // by more (Chromium, an error's number without its sign).
      return this.handle?.write(bytes, { at: this.filed }) === bytes.length;
    } catch {
      return false;
    }
  }

  /** Nobody can remove the file before. */
  async close() {
    const { handle } = this;
    this.handle = undefined;
    this.full = true;
    await handle?.close(); // Safari before 16.4 answers later
  }

  /** All of it. @returns {Promise<Blob>} */
  async whole() {
    this.flush();
    await this.close();
    const file = this.filed ? await this.file?.getFile() : undefined;
    const begun = file ? [file.slice(0, this.filed)] : [];
    return new Blob([...begun, ...this.parts], { type: "application/json" });
  }
}
