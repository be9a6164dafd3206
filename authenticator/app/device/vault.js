// What this phone keeps, in IndexedDB. Private keys are CryptoKey objects that cannot be
// exported; the root exists only as Cpin and Cbio (spec §3). Nothing here can check a PIN.

import { newId, randomBytes } from "../protocol/encoding.js";
import { Unavailable } from "../protocol/errors.js";
import { hkdfKey } from "../protocol/keys.js";
import { within } from "./patience.js";

/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */
/** @typedef {import("../protocol/keys.js").PublicJwk} PublicJwk */
/** @typedef {import("../protocol/keys.js").Stretch} Stretch */
/** @typedef {{salt: Bytes, iv: Bytes, data: Bytes, stretch: Stretch}} Cpin */
/** @typedef {{credential: Bytes, cbio: {iv: Bytes, data: Bytes} | null}} Biometrics */
/** @typedef {import("../protocol/messages.js").EnrolRequest["policy"]} Policy */

/**
 * This installation, and its one root.
 * @typedef {object} Device
 * @property {string} id
 * @property {CryptoKey} kd
 * @property {Cpin | null} cpin
 * @property {Biometrics | null} bio
 * @property {string} [root] a random name of the root, not made from it: says which accounts it opens
 * @property {Policy} [policy] the server's rules for PINs and for stretching them
 */

/**
 * One enrollment.
 * @typedef {object} Account
 * @property {string} id enrollment id
 * @property {string} account the account's name
 * @property {string} organisation
 * @property {string} application
 * @property {string} issuer
 * @property {PublicJwk} serverKey pinned
 * @property {string} vapid
 * @property {boolean} seamless
 * @property {string} label this phone's name
 * @property {CryptoKey} dk
 * @property {number} counter last used for a response
 * @property {Bytes | null} credential WebAuthn, registered with the server for this enrollment
 * @property {string | null} pushed endpoint that the server was told last
 * @property {string | null} ended why the server no longer knows this enrollment
 * @property {boolean} pending sent, but not confirmed by the server yet
 * @property {string} [root] the name of the root that opens its keys; another than the device's
 *   since its PIN was forgotten
 * @property {number | null} [rests] ms, server time: until then it cannot approve
 * @property {number | null} [retires] ms, server time: from then on it cannot approve any more
 * @property {import("../journeys/credentials.js").Kept | null} [opened] by which the rest may be shortened
 * @property {number} createdAt
 */

/**
 * @typedef {object} Answered
 * @property {number} [key]
 * @property {number} at
 * @property {string} enrollment
 * @property {string} account
 * @property {string} organisation
 * @property {"approved" | "denied" | "reported" | "response" | "number_wrong" | "expired"} outcome
 * @property {string} browser
 * @property {string} place
 */

/** Whether the device's PIN opens this account's keys. @param {Device | undefined} device @param {Account} account */
export const opens = (device, { root }) => device !== undefined && device.root === root;

/** Whether it can prove anything now: linked, under the PIN in use, neither resting nor retired. @param {Device | undefined} device @param {Account} account @param {number} now ms, server time */
export const usable = (device, account, now) =>
  opens(device, account) && !account.ended && !account.pending && !((account.rests ?? 0) > now) && !((account.retires ?? Infinity) <= now);

const NAME = "vestibule";
const HISTORY_KEPT = 100;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBDatabase} db */
function lay(db) {
  db.createObjectStore("things"); // device and the next one, held ticket, preferences, clock offset
  db.createObjectStore("accounts", { keyPath: "id" });
  db.createObjectStore("history", { keyPath: "key", autoIncrement: true });
}

/** @returns {Promise<Vault>} @throws {Unavailable} `storage_unavailable` */
export async function openVault() {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => lay(request.result);
    const db = await within(8000, settled(request), "storage_unavailable");
    return new Vault(db);
  } catch {
    throw new Unavailable("storage_unavailable");
  }
}

export class Vault {
  /** @param {IDBDatabase} db */
  constructor(db) {
    this.db = db;
    // A newer version of the app in another window may need to change the layout.
    db.onversionchange = () => db.close();
  }

  /** @template T @param {string} store @param {(store: IDBObjectStore) => IDBRequest<T>} ask */
  async read(store, ask) {
    return settled(ask(this.db.transaction(store).objectStore(store)));
  }

  /**
   * One transaction that is on the disk when the promise settles.
   *
   * @template T
   * @param {string[]} stores
   * @param {(tx: IDBTransaction) => Promise<T>} body awaits nothing but requests of `tx`
   */
  async write(stores, body) {
    const tx = this.db.transaction(stores, "readwrite", { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = () => reject(new Unavailable("storage_failed", { cause: String(tx.error) }));
    });
    const result = await body(tx);
    await done;
    return result;
  }

  // --- the device -----------------------------------------------------------------------

  /** @returns {Promise<Device | undefined>} */
  device() {
    return this.read("things", (store) => store.get("device"));
  }

  /**
   * A device with a new root; not stored before its first enrollment is. Its id is made with the
   * root and replaced with it: the server counts wrong PINs by it (spec §12).
   *
   * @param {string} [id] one that the server was told already
   * @returns {Promise<Device>}
   */
  async newDevice(id = newId()) {
    const secret = randomBytes(32);
    const kd = await hkdfKey(secret);
    secret.fill(0);
    return { id, kd, cpin: null, bio: null, root: newId() };
  }

  /**
   * The same root under another PIN. Nothing is changed if the root has been replaced meanwhile.
   *
   * @param {Device} device
   * @throws {Unavailable} `storage_failed`
   */
  async protect(device) {
    await this.write(["things"], async (tx) => {
      const store = tx.objectStore("things");
      /** @type {Device | undefined} */
      const stored = await settled(store.get("device"));
      if (stored?.root !== device.root) throw new Unavailable("storage_failed");
      await settled(store.put(device, "device"));
    });
  }

  // --- accounts -------------------------------------------------------------------------

  /** @returns {Promise<Account[]>} oldest first */
  async accounts() {
    /** @type {Account[]} */
    const accounts = await this.read("accounts", (store) => store.getAll());
    return accounts.sort((one, other) => one.createdAt - other.createdAt);
  }

  /** @param {string} id @returns {Promise<Account | undefined>} */
  account(id) {
    return this.read("accounts", (store) => store.get(id));
  }

  /**
   * Device and account become durable together. A new root waits beside the one in use until
   * the server has confirmed the account: a refusal must not cost the other accounts their keys.
   *
   * @param {Device} device
   * @param {Account} account pending
   */
  async enroll(device, account) {
    await this.write(["things", "accounts"], async (tx) => {
      const things = tx.objectStore("things");
      /** @type {Device | undefined} */
      const inUse = await settled(things.get("device"));
      await settled(things.put(device, inUse && inUse.root === device.root ? "device" : "nextDevice"));
      await settled(tx.objectStore("accounts").put(account));
    });
  }

  /**
   * The server has said yes. From now on the account's root is the one in use, and an older
   * enrollment of the same account on this phone is at its end.
   *
   * @param {string} id
   * @param {Partial<Account>} changes
   */
  async confirm(id, changes) {
    await this.write(["things", "accounts"], async (tx) => {
      const [things, store] = [tx.objectStore("things"), tx.objectStore("accounts")];
      /** @type {Account | undefined} */
      const found = await settled(store.get(id));
      if (!found) return;
      const account = { ...found, ...changes, counter: found.counter, pending: false };
      await settled(store.put(account));
      /** @type {Device | undefined} */
      const next = await settled(things.get("nextDevice"));
      if (next && next.root === account.root) {
        await settled(things.put(next, "device"));
        await settled(things.delete("nextDevice"));
      }
      /** @type {Account[]} */
      const all = await settled(store.getAll());
      const older = all.filter((one) => one.id !== id && !one.pending && one.issuer === account.issuer && one.account === account.account);
      for (const one of older) await settled(store.delete(one.id));
    });
  }

  /** @param {string} id @param {Partial<Account>} changes never the counter */
  async change(id, changes) {
    await this.write(["accounts"], async (tx) => {
      const store = tx.objectStore("accounts");
      const account = await settled(store.get(id));
      if (account) await settled(store.put({ ...account, ...changes, counter: account.counter }));
    });
  }

  /**
   * The next counter, stored before anybody may use it: a counter that was used and forgotten
   * would make the same response twice.
   *
   * @param {string} id
   * @returns {Promise<number>}
   */
  async takeCounter(id) {
    return this.write(["accounts"], async (tx) => {
      const store = tx.objectStore("accounts");
      /** @type {Account} */
      const account = await settled(store.get(id));
      const counter = account.counter + 1;
      await settled(store.put({ ...account, counter }));
      return counter;
    });
  }

  /** The last account takes the device's keys with it. @param {string} id */
  async remove(id) {
    await this.write(["accounts", "things"], async (tx) => {
      const [things, store] = [tx.objectStore("things"), tx.objectStore("accounts")];
      /** @type {Account | undefined} */
      const account = await settled(store.get(id));
      await settled(store.delete(id));
      /** @type {Device | undefined} */
      const next = await settled(things.get("nextDevice"));
      if (next && next.root === account?.root) await settled(things.delete("nextDevice"));
      if ((await settled(store.count())) === 0) await settled(things.delete("device"));
    });
  }

  // --- answers given on this phone ------------------------------------------------------

  /** @param {Answered} answered */
  async remember(answered) {
    await this.write(["history"], async (tx) => {
      const store = tx.objectStore("history");
      const key = Number(await settled(store.add(answered)));
      await settled(store.delete(IDBKeyRange.upperBound(key - HISTORY_KEPT)));
    });
  }

  /** @returns {Promise<Answered[]>} latest first */
  async history() {
    /** @type {Answered[]} */
    const all = await this.read("history", (store) => store.getAll());
    return all.reverse();
  }

  async forgetHistory() {
    await this.write(["history"], async (tx) => void (await settled(tx.objectStore("history").clear())));
  }

  // --- small things ---------------------------------------------------------------------

  /** @template T @param {string} name @returns {Promise<T | undefined>} */
  thing(name) {
    return this.read("things", (store) => store.get(name));
  }

  /** @param {string} name @param {unknown} value undefined takes it away */
  async keep(name, value) {
    await this.write(["things"], async (tx) => {
      const store = tx.objectStore("things");
      if (value === undefined) await settled(store.delete(name));
      else await settled(store.put(value, name));
    });
  }
}
