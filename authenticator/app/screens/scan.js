// The scanner: reads without a shutter and says what would help meanwhile.

import { fail, isClaim, ownClaim, ownLink, present } from "../app.js";
import { nextCamera, openCamera } from "../device/camera.js";
import { shake } from "../device/phone.js";
import { scan as read } from "../device/scanner.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/camera.js").Camera} Camera */
/** @typedef {{newPin?: boolean, claimFor?: string, say?: string}} Params `claimFor`: the account that a sign-in is claimed for */

// A hint has to stay long enough to be read.
const HINT_MS = 1200;
const REFUSAL_MS = 3000;

/** @type {import("../ui/router.js").Show} */
export function scan(/** @type {App} */ app, /** @type {Params} */ { newPin = false, claimFor, say } = {}) {
  const view = new Finder(app, { newPin, claimFor });
  void view.start();
  return {
    title: t("scan.title"),
    lead: say ?? t("scan.lead"),
    back: true,
    passing: true,
    body: [
      h("div", { class: "finder" }, view.video, h("div", { class: "finder-frame", "aria-hidden": "true" })),
      view.hint,
      h("div", { class: "pair wrap" }, view.turn, view.lamp),
    ],
    foot: [h("p", { class: "centre" }, link(t("scan.type"), () => app.router.go("type_code", { newPin })))],
    leave: () => view.leave(),
  };
}

class Finder {
  /** @param {App} app @param {Params} params */
  constructor(app, { newPin = false, claimFor }) {
    this.app = app;
    this.newPin = newPin;
    this.claimFor = claimFor;
    this.video = h("video", { playsinline: true, muted: true, autoplay: true, "aria-label": t("scan.picture") });
    this.video.muted = true; // The attribute alone does not count on elements made by script.
    this.hint = h("p", { class: "scan-hint", role: "status" }, t("scan.hint.start"));
    this.lamp = button(t("scan.light"), () => void this.light(), { icon: "light" });
    this.turn = button(t("scan.switch"), () => void this.other(), { icon: "turn" });
    this.lamp.hidden = this.turn.hidden = true;
    this.lit = false;
    this.left = false;
    this.quietUntil = 0;
    /** @type {Camera | null} */
    this.camera = null;
    this.stopReading = () => {};
  }

  /** @param {string} [device] */
  async start(device) {
    try {
      const opened = await openCamera(device);
      if (this.left) return opened.close();
      this.camera = opened;
      this.video.srcObject = opened.stream;
      await this.video.play();
      this.lamp.hidden = !opened.light;
      this.turn.hidden = !(await nextCamera(opened));
      const found = (/** @type {string} */ text) => this.found(text);
      this.stopReading = read(this.video, { found, hint: (name) => this.say(t(`scan.hint.${name}`), HINT_MS) });
    } catch (problem) {
      if (!this.left) await fail(this.app, problem);
    }
  }

  /** @param {string} text what a code held @returns {boolean} whether it was a link that leads on */
  found(text) {
    try {
      if (isClaim(text)) {
        const link = ownClaim(text);
        shake([30]);
        void this.app.router.go("claim", { link, id: this.claimFor });
        return true;
      }
      const parsed = ownLink(text);
      shake([30]);
      void present(this.app, { link: parsed }, { newPin: this.newPin });
      return true;
    } catch (problem) {
      this.quietUntil = 0;
      this.say(whyOf(problem), REFUSAL_MS);
      return false;
    }
  }

  /** @param {string} text @param {number} ms for which nothing else is said */
  say(text, ms) {
    if (performance.now() < this.quietUntil || this.hint.textContent === text) return;
    this.quietUntil = performance.now() + ms;
    this.hint.textContent = text;
  }

  async light() {
    this.lit = !this.lit;
    await this.camera?.light?.(this.lit).catch(() => (this.lamp.hidden = true));
  }

  async other() {
    const next = this.camera && (await nextCamera(this.camera));
    if (!next) return;
    this.close();
    await this.start(next);
  }

  close() {
    this.stopReading();
    this.camera?.close();
    this.video.srcObject = null;
  }

  leave() {
    this.left = true;
    this.close();
  }
}
