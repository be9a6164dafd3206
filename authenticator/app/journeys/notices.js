// What the accounts on this phone were told: fetched whenever the app is looked at, and kept, so
// that the list is there without a network.

import { Malformed, Problem } from "../protocol/errors.js";
import { fetchNotices, markRead } from "../device/notice_calls.js";
import { coalesced } from "./coalesced.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/notice_calls.js").Notice} Notice */
/** @typedef {{unread: number, notices: Notice[]}} OfAccount */
/** @typedef {{account: Account, notice: Notice}} Told */

const CALL = "/device/notices";

export class Notices {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {Record<string, OfAccount>} by enrollment */
    this.kept = {};
    /** @type {Set<string>} notices of which it was said here that it was somebody else */
    this.undone = new Set();
    /** Asks for every account; what cannot be had stays as it was. */
    this.refresh = coalesced(() => this.fetch());
  }

  /** What was kept when the app was closed. */
  async load() {
    this.kept = (await this.app.vault.thing("notices")) ?? {};
    this.undone = new Set((await this.app.vault.thing("undone")) ?? []);
  }

  get unread() {
    return Object.values(this.kept).reduce((sum, { unread }) => sum + unread, 0);
  }

  /** @returns {Told[]} of all accounts, the newest first */
  list() {
    const told = this.app.watch.accounts.flatMap((account) => (this.kept[account.id]?.notices ?? []).map((notice) => ({ account, notice })));
    return told.sort((one, other) => other.notice.at - one.notice.at);
  }

  async fetch() {
    const { vault, server, watch } = this.app;
    const known = { ...this.kept };
    const accounts = (await vault.accounts()).filter(({ pending }) => !pending);
    /** @param {Account} account @returns {Promise<[string, OfAccount]>} */
    const ask = async (account) => {
      const before = known[account.id] ?? { unread: 0, notices: [] };
      if (account.ended) return [account.id, before];
      try {
        const { unread, notices } = await fetchNotices(server, account);
        return [account.id, shaped({ unread, notices })];
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        return [account.id, before];
      }
    };
    const lists = await Promise.all(accounts.map(ask));
    // What was marked as read while a list was under way is newer than that list. Made anew, so
    // that those of an account that was removed go with it.
    this.kept = Object.fromEntries(lists.map(([id, list]) => [id, this.kept[id] === known[id] ? list : this.kept[id]]));
    // A link that speaks for the owner is not for storage.
    const stored = Object.entries(this.kept).map(([id, { unread, notices }]) => [id, { unread, notices: notices.map((one) => ({ ...one, not_me_url: null })) }]);
    await vault.keep("notices", Object.fromEntries(stored)).catch(() => {});
    watch.tell();
  }

  /** All that is listed was seen. */
  async markRead() {
    const seen = this.app.watch.accounts.filter(({ id, ended }) => !ended && (this.kept[id]?.unread ?? 0) > 0);
    for (const account of seen) {
      const upto = Math.max(0, ...this.kept[account.id].notices.map(({ id }) => id));
      await markRead(this.app.server, account, upto);
      const notices = this.kept[account.id].notices.map((one) => ({ ...one, read: true }));
      this.kept[account.id] = { unread: 0, notices };
    }
    if (seen.length > 0) this.app.watch.tell();
  }

  /** Whether it can still be said of a notice that it was somebody else. @param {Told} told */
  mayRefuse({ account, notice }) {
    return notice.not_me && !account.ended && !this.undone.has(`${account.id} ${notice.id}`);
  }

  /**
   * The owner says that this was somebody else; the server undoes what was begun.
   *
   * @param {Told} told
   * @returns {Promise<string>} what was undone, as in spec §12
   */
  async notMe({ account, notice }) {
    const { done } = await this.app.server.call({ method: "POST", path: `${CALL}/${notice.id}/not-me`, account, body: async () => "{}" });
    this.undone.add(`${account.id} ${notice.id}`);
    await this.app.vault.keep("undone", [...this.undone]).catch(() => {});
    void this.refresh();
    return done;
  }
}

/** Only what has the promised shape gets onto the screen. @param {OfAccount} answer @returns {OfAccount} @throws {Malformed} `server_strange` */
function shaped({ unread, notices }) {
  const right = Number.isSafeInteger(unread) && Array.isArray(notices) && notices.every(({ id, at, title }) => Number.isSafeInteger(id) && Number.isSafeInteger(at) && typeof title === "string");
  if (!right) throw new Malformed("server_strange");
  return { unread, notices };
}
