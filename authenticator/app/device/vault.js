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
/** @typedef {{id: string, kd: CryptoKey, cpin: Cpin | null, bio: Biometrics | null}} Device */

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
  db.createObjectStore("things"); // device, held ticket, preferences, clock offset
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

  /** A device that is not stored before its first enrollment is. @returns {Promise<Device>} */
  async newDevice() {
    const secret = randomBytes(32);
    const kd = await hkdfKey(secret);
    secret.fill(0);
    return { id: newId(), kd, cpin: null, bio: null };
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

  /** Device and account become durable together. @param {Device} device @param {Account} account */
  async enroll(device, account) {
    await this.write(["things", "accounts"], async (tx) => {
      await settled(tx.objectStore("things").put(device, "device"));
      await settled(tx.objectStore("accounts").put(account));
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
      const store = tx.objectStore("accounts");
      await settled(store.delete(id));
      if ((await settled(store.count())) === 0) await settled(tx.objectStore("things").delete("device"));
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
