// The bytes of a chosen file, as the reader asks for them.

const PIECE = 1 << 20; // bytes read at a time: each reading is a question to the browser

/** @param {File} file @returns {(most: number) => Uint8Array} the next bytes, until the next are asked for; none: the end */
export function source(file) {
  const reader = new FileReaderSync();
  const nowhere = new MessageChannel();
  nowhere.port2.close();
  let read = 0;
  let piece = new Uint8Array(0);
  let at = 0;
  return (most) => {
    if (at === piece.length) {
      // What was read stays in memory until the collector comes, and it comes late: this worker
      // never rests. Sent to nobody, it is gone at once. Detaching alone (ArrayBuffer.transfer)
      // does not do: Chromium's own object for a read buffer keeps it.
      nowhere.port1.postMessage(null, [piece.buffer]);
      piece = new Uint8Array(reader.readAsArrayBuffer(file.slice(read, read + PIECE)));
      read += piece.length;
      at = 0;
    }
    const next = piece.subarray(at, at + most);
    at += next.length;
    return next;
  };
}
