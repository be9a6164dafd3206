// The stronger QR reader, fetched only when the light one has not read the code in a while.

import { readBarcodes } from "../../vendor/zxing.js";

const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @param {{topLeft: {x: number, y: number}, bottomRight: {x: number, y: number}}} position */
const size = ({ topLeft, bottomRight }) =>
  Math.max(Math.abs(bottomRight.x - topLeft.x), Math.abs(bottomRight.y - topLeft.y));

worker.onmessage = async (/** @type {MessageEvent<ImageData>} */ { data: frame }) => {
  try {
    const found = await readBarcodes(frame, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1, returnErrors: true });
    const [code] = found;
    const text = code?.isValid ? code.text : null;
    const seen = code ? size(code.position) / Math.min(frame.width, frame.height) : null;
    worker.postMessage({ text, seen });
  } catch (problem) {
    worker.postMessage({ text: null, seen: null, failed: String(problem) });
  }
};
