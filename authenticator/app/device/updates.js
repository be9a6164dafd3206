// The service worker and its new versions. A new version waits until the app starts anew, so
// that no journey changes under a person's hands.

import { within } from "./patience.js";
import { scriptUrl } from "./script_urls.js";

const TAKEN = "taken-up";

/** The builds of this app that lie on this phone: the one in use, and one that waits for the next start. */
export const builds = async () => (await caches.keys()).flatMap((name) => /^shell-(\w+)$/u.exec(name)?.[1] ?? []);

export class Updates {
  constructor() {
    /** @type {ServiceWorkerRegistration | null} */
    this.registration = null;
    /** @type {() => void} */
    this.found = () => {};
  }

  /** Whether a new version lies ready. */
  get ready() {
    return Boolean(this.registration?.waiting && navigator.serviceWorker.controller);
  }

  /** @param {(message: {type: string, request?: string | null, screen?: string | null, kind?: string}) => void} hear */
  async start(hear) {
    if (!navigator.serviceWorker) return;
    navigator.serviceWorker.addEventListener("message", ({ data }) => hear(data));
    try {
      const registered = navigator.serviceWorker.register(scriptUrl("/sw.js"), { scope: "/", updateViaCache: "none" });
      this.registration = await within(15_000, registered, "storage_failed");
    } catch {
      return; // Without it the app works, only not offline and without pushes.
    }
    this.registration.addEventListener("updatefound", () => {
      this.registration?.installing?.addEventListener("statechange", () => this.ready && this.found());
    });
    if (this.ready) this.found();
  }

  /**
   * A version that came while the app was away is put to work before anything begins; once a
   * session, so that one that cannot start does not try for ever.
   *
   * @returns {Promise<boolean>} whether the app is starting anew
   */
  async takeUp() {
    if (!navigator.serviceWorker?.controller || sessionStorage.getItem(TAKEN)) return false;
    const known = navigator.serviceWorker.getRegistration("/");
    this.registration = (await within(2000, known, "storage_failed").catch(() => null)) ?? null;
    if (!this.ready) return false;
    sessionStorage.setItem(TAKEN, "yes");
    await this.apply();
    return true;
  }

  /** Puts the waiting version to work and starts anew under it. */
  async apply() {
    const waiting = this.registration?.waiting;
    if (!waiting) return;
    const active = new Promise((resolve) => {
      // Control changes hands before the old version's files are gone: only "activated" is the end.
      waiting.addEventListener("statechange", () => waiting.state === "activated" && resolve(undefined));
    });
    waiting.postMessage({ type: "take-over" });
    await within(5000, active, "storage_failed").catch(() => {});
    location.reload();
  }
}
