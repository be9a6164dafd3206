// What a capture can be refused for (section 11 of spec/captures.md).

/** A capture that is not read to its end, with a stable code and the byte it stopped at. */
export class CaptureRefused extends Error {
  /** @param {string} code @param {number} at offset in the file's bytes */
  constructor(code, at) {
    super(`${code} at byte ${at}`);
    this.name = "CaptureRefused";
    this.code = code;
    this.at = at;
  }
}
