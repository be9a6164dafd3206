// The camera, opened once a visit: some phones ask for permission at every opening.

import { Unavailable } from "../protocol/errors.js";
import { within } from "./patience.js";

/** @typedef {{stream: MediaStream, close: () => void, light: ((on: boolean) => Promise<void>) | null}} Camera */

const LIMIT_MS = 20_000;
const CODES = /** @type {Record<string, string>} */ ({
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotFoundError: "camera_missing",
  OverconstrainedError: "camera_missing",
  NotReadableError: "camera_busy",
  AbortError: "camera_busy",
});

/**
 * @param {string} [deviceId] another camera than the one at the back
 * @returns {Promise<Camera>}
 * @throws {Unavailable} `camera_denied`, `camera_missing`, `camera_busy`, `camera_timeout`, `camera_unsupported`
 */
export async function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Unavailable("camera_unsupported");
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" };
  const video = { ...which, width: { ideal: 1280 }, height: { ideal: 720 } };
  const asked = navigator.mediaDevices.getUserMedia({ video, audio: false });
  try {
    return cameraOf(await within(LIMIT_MS, asked, "camera_timeout"));
  } catch (problem) {
    // A camera that comes after we have given up must not stay on.
    void asked.then(stopTracks, () => {});
    if (problem instanceof Unavailable) throw problem;
    throw new Unavailable(CODES[/** @type {Error} */ (problem).name] ?? "camera_busy");
  }
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {MediaStream} stream @returns {Camera} */
function cameraOf(stream) {
  const [track] = stream.getVideoTracks();
  const { torch } = /** @type {{torch?: boolean}} */ (track.getCapabilities?.() ?? {});
  const light = async (/** @type {boolean} */ on) =>
    track.applyConstraints({ advanced: [/** @type {MediaTrackConstraintSet} */ ({ torch: on })] });
  return { stream, close: () => stopTracks(stream), light: torch ? light : null };
}

/** The camera after the one in use, if there is another. @param {Camera} camera @returns {Promise<string | null>} */
export async function nextCamera({ stream }) {
  const used = stream.getVideoTracks()[0]?.getSettings().deviceId;
  const devices = await navigator.mediaDevices.enumerateDevices();
  const ids = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
  const next = ids[(ids.indexOf(used ?? "") + 1) % ids.length];
  return ids.length > 1 && next ? next : null;
}
