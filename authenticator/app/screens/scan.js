// The scanner: reads without a shutter and says what would help meanwhile.

import { fail, ownLink, present } from "../app.js";
import { mayMakeKeys, shake } from "../device/phone.js";
import { nextCamera, openCamera } from "../device/camera.js";
import { scan as read } from "../device/scanner.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../device/camera.js").Camera} Camera */

const HINT_MS = 1200;

/** @type {import("../ui/router.js").Show} */
export function scan(app) {
  const video = h("video", { playsinline: true, muted: true, autoplay: true, "aria-label": t("scan.picture") });
  video.muted = true;
  const hint = h("p", { class: "scan-hint", role: "status" }, t("scan.hint.start"));
  const lamp = button(t("scan.light"), () => void turnLight(), { icon: "light" });
  const turn = button(t("scan.switch"), () => void other(), { icon: "turn" });
  lamp.hidden = turn.hidden = true;
  let lit = false;
  let left = false;
  let hintedAt = 0;
  /** @type {Camera | null} */
  let camera = null;
  let stop = () => {};

  const say = (/** @type {string} */ text) => {
    if (performance.now() - hintedAt < HINT_MS || hint.textContent === text) return;
    hintedAt = performance.now();
    hint.textContent = text;
  };
  const found = (/** @type {string} */ text) => {
    try {
      const parsed = ownLink(app, text);
      shake([30]);
      void present(app, { link: parsed });
      return true;
    } catch (problem) {
      hintedAt = 0;
      say(whyOf(problem));
      hintedAt = performance.now() + 2000;
      return false;
    }
  };
  const start = async (/** @type {string} */ device = "") => {
    try {
      const opened = await openCamera(device || undefined);
      if (left) return opened.close();
      camera = opened;
      video.srcObject = opened.stream;
      await video.play();
      lamp.hidden = !opened.light;
      turn.hidden = !(await nextCamera(opened));
      stop = read(video, { found, hint: (name) => say(t(`scan.hint.${name}`)) });
    } catch (problem) {
      if (!left) await fail(app, problem);
    }
  };
  const turnLight = async () => camera?.light?.((lit = !lit)).catch(() => (lamp.hidden = true));
  const other = async () => {
    const next = camera && (await nextCamera(camera));
    if (!next) return;
    stop();
    camera?.close();
    await start(next);
  };
  if (mayMakeKeys()) void start();

  return {
    title: t("scan.title"),
    lead: t("scan.lead"),
    back: true,
    passing: true,
    body: [
      h("div", { class: "finder" }, video, h("div", { class: "finder-frame", "aria-hidden": "true" })),
      hint,
      h("div", { class: "pair wrap" }, turn, lamp),
    ],
    foot: [h("p", { class: "centre" }, link(t("scan.type"), () => app.router.go("type_code")))],
    leave: () => {
      left = true;
      stop();
      camera?.close();
      video.srcObject = null;
    },
  };
}
