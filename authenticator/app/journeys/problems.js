// The last problems that this app showed: stable codes with time and screen, for a diagnosis. Of
// what was typed, scanned or answered nothing is kept.

const KEPT = 20;
const NAME = "problems";
/** A screen that is drawn anew says the same once more. */
const AGAIN_MS = 2000;
const CODE = /^[a-z][a-z0-9_]{0,39}$/u;

/** @typedef {import("../device/vault.js").Vault} Vault */
/** @typedef {{code: string, at: number, screen: string}} Shown `at` in ms, this phone's clock */

export class Problems {
  /** @param {Pick<Vault, "thing" | "keep">} vault @param {() => number} [now] */
  constructor(vault, now = Date.now) {
    this.vault = vault;
    this.now = now;
    /** @type {Shown[]} oldest first */
    this.list = [];
  }

  async load() {
    this.list = (await this.vault.thing(NAME)) ?? [];
  }

  /** @param {string} code a server's too, so only what has the form of one @param {string} screen */
  note(code, screen) {
    const [shown, at] = [{ code: CODE.test(code) ? code : "unexpected", at: this.now(), screen }, this.list.at(-1)];
    if (at && at.code === shown.code && at.screen === screen && shown.at - at.at < AGAIN_MS) return;
    this.list = [...this.list, shown].slice(-KEPT);
    // A phone that cannot store may be the very problem; then it is known until the app is closed.
    void this.vault.keep(NAME, this.list).catch(() => {});
  }
}
