// Reads QR codes from a running video: the phone's own reader where there is one, else a light
// one, and after a few seconds also the strong one in a worker. Says what would help meanwhile.

import { startWorker } from "./script_urls.js";
import { pause, within } from "./patience.js";

/** @typedef {"aim" | "closer" | "farther" | "still" | "dark" | "camera" | "type"} Hint */
/** @typedef {{text: string | null, seen: number | null}} Look `seen`: the code's share of the picture's shorter side */
/** @typedef {(frame: ImageData, video: HTMLVideoElement) => Promise<Look>} Reader */
/** @typedef {{detect(source: HTMLVideoElement): Promise<{rawValue: string, boundingBox: DOMRectReadOnly}[]>}} Detector */
/** @typedef {{new (options: {formats: string[]}): Detector, getSupportedFormats(): Promise<string[]>}} DetectorClass */

const STRONG_AFTER_MS = 3000;
const FRAME_MS = 90;
const DARK = 45;
const NOTHING = { text: null, seen: null };

/** @returns {Promise<Reader | null>} */
async function phoneReader() {
  const { BarcodeDetector } = /** @type {{BarcodeDetector?: DetectorClass}} */ (/** @type {unknown} */ (globalThis));
  // The class exists also where no format is supported.
  const formats = BarcodeDetector ? await within(2000, BarcodeDetector.getSupportedFormats(), "camera_timeout").catch(() => []) : [];
  if (!BarcodeDetector || !formats.includes("qr_code")) return null;
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  return async (frame, video) => {
    const [code] = await within(2000, detector.detect(video), "camera_timeout");
    if (!code) return NOTHING;
    return { text: code.rawValue || null, seen: code.boundingBox.width / Math.min(frame.width, frame.height) };
  };
}

/** @returns {Promise<Reader>} */
async function lightReader() {
  const { decodeQR } = await import("../../vendor/qr.js");
  return async (frame) => {
    /** @type {number | null} */
    let seen = null;
    const shorter = Math.min(frame.width, frame.height);
    try {
      const text = decodeQR(frame, { pointsOnDetect: ({ boundingBox }) => void (seen = boundingBox.width / shorter) });
      return { text, seen };
    } catch {
      return { text: null, seen };
    }
  };
}

/** @returns {{read: Reader, close: () => void}} one frame at a time; a busy reader sees nothing */
function strongReader() {
  const worker = startWorker("/app/workers/scan.worker.js");
  let busy = false;
  /** @type {Look} */
  let last = NOTHING;
  worker.onmessage = ({ data }) => {
    busy = false;
    last = data;
  };
  worker.onerror = () => (busy = true);
  /** @type {Reader} */
  const read = async (frame) => {
    const look = last;
    last = NOTHING;
    if (!busy) {
      busy = true;
      worker.postMessage(frame);
    }
    return look;
  };
  return { read, close: () => worker.terminate() };
}

/** Mean brightness, 0 to 255, of a sparse sample. @param {ImageData} frame */
export function brightness({ data }) {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < data.length; at += 4 * 997) {
    sum += 0.3 * data[at] + 0.59 * data[at + 1] + 0.11 * data[at + 2];
    count++;
  }
  return sum / count;
}

/**
 * What would help most now.
 *
 * @param {{light: number, seen: number | null, elapsed: number}} now `elapsed` in ms
 * @returns {Hint}
 */
export function hintFor({ light, seen, elapsed }) {
  if (light < DARK) return "dark";
  if (seen !== null && seen < 0.25) return "closer";
  if (seen !== null && seen > 0.9) return "farther";
  if (seen !== null) return "still";
  if (elapsed > 14_000) return "type";
  if (elapsed > 10_000) return "camera";
  return elapsed > 5000 ? "closer" : "aim";
}

/**
 * @param {HTMLVideoElement} video playing
 * @param {{found: (text: string) => boolean, hint: (hint: Hint) => void}} on `found` says
 *   whether that was the code wanted; if so, scanning ends
 * @returns {() => void} stops
 */
export function scan(video, on) {
  let stopped = false;
  /** @type {{read: Reader, close: () => void} | null} */
  let strong = null;
  const stop = () => {
    stopped = true;
    strong?.close();
  };
  void (async () => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const light = (await phoneReader()) ?? (await lightReader());
    const start = performance.now();
    /** @type {number | null} */
    let seen = null;
    let seenAt = 0;
    while (!stopped && context) {
      await pause(FRAME_MS);
      const frame = grab(video, canvas, context);
      if (!frame || stopped) continue;
      const elapsed = performance.now() - start;
      if (!strong && elapsed > STRONG_AFTER_MS) strong = strongReader();
      const looks = [await light(frame, video).catch(() => NOTHING)];
      if (strong) looks.push(await strong.read(frame, video));
      if (stopped) return;
      const text = looks.find((look) => look.text)?.text;
      if (text && on.found(text)) return stop();
      const size = looks.find((look) => look.seen !== null)?.seen;
      if (size !== undefined) [seen, seenAt] = [size, elapsed];
      if (elapsed - seenAt > 1500) seen = null;
      on.hint(hintFor({ light: brightness(frame), seen, elapsed }));
    }
  })();
  return stop;
}

/** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2D} context */
function grab(video, canvas, context) {
  if (video.readyState < 2 || video.videoWidth === 0) return null;
  const scale = Math.min(1, 1280 / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
