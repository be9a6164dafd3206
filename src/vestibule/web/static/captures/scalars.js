// What the reader hands out where a JavaScript value would not do.

const BLANKS = new Set([0x6e, 0x72, 0x74]); // \n \r \t
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** A string that has no content here: longer than the limit (`size` bytes as written), or no whole Unicode. */
export class Odd {
  /** @param {"oversize" | "broken"} kind @param {number} size */
  constructor(kind, size) {
    this.kind = kind;
    this.size = size;
  }
}

/**
 * A long text that may not be needed: of a script or picture only the size is told. Strings of a
 * million characters would fill the memory before the collector looks for them.
 */
export class Big {
  /** @param {Uint8Array<ArrayBuffer>} raw as written, checked; ours alone @param {number} size bytes of the text in UTF-8 */
  constructor(raw, size) {
    this.raw = raw;
    this.size = size;
  }

  /** Whether JSON may begin here, an object or array: surely not, or perhaps. */
  mayOpenJson() {
    for (let i = 0; i < this.raw.length; i++) {
      const byte = this.raw[i] ?? 0;
      if (byte === 0x5c && BLANKS.has(this.raw[i + 1] ?? 0)) i++;
      else if (byte !== 0x20) return byte === 0x5c || byte === 0x7b || byte === 0x5b;
    }
    return false;
  }

  text() {
    const text = utf8.decode(this.raw);
    return this.raw.includes(0x5c) ? /** @type {string} */ (JSON.parse(`"${text}"`)) : text;
  }

  /** It was judged: give the memory back at once. */
  release() {
    this.raw.buffer.transfer?.(0);
  }
}

/** A number, as written. */
export class Num {
  /** @param {string} raw */
  constructor(raw) {
    this.raw = raw;
  }
}

/** An array or object where a single value was asked for; it is still to be read. */
export const NESTED = Symbol("nested");
