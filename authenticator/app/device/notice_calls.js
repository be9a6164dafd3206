// The device interface for notices, health and test pushes (spec §7), beside requests.

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./vault.js").Account} Account */
/** @typedef {"ok" | "denied" | "unavailable" | "gone" | "unknown"} PushState */
/** @typedef {"sending" | "sent" | "gone" | "failed" | "none"} TestOutcome */

/**
 * One thing that the account was told.
 * @typedef {object} Notice
 * @property {number} id
 * @property {string} event
 * @property {number} at ms
 * @property {string} title
 * @property {string} text
 * @property {string} place
 * @property {"info" | "alarm"} weight
 * @property {boolean} not_me whether its owner may say that this was somebody else
 * @property {string | null} not_me_url
 * @property {boolean} read
 */

/** @typedef {{on: boolean, topic_url: string | null, subscribe: string | null}} SecondWay */

/**
 * What the server knows of reaching this phone.
 * @typedef {object} Health
 * @property {number} now
 * @property {boolean} seamless
 * @property {PushState} push
 * @property {number | null} push_stopped_until ms
 * @property {boolean} quiet
 * @property {number | null} quiet_until ms
 * @property {number | null} last_delivered_at ms
 * @property {SecondWay | null} second null where the house has none
 */

/** @typedef {{now: number, sent_at: number, outcome: TestOutcome, second: TestOutcome, delivered_at: number | null}} TestPush ms */

const json = (/** @type {object} */ value) => async () => JSON.stringify(value);

/** The newest of an account. @param {Server} server @param {Account} account @returns {Promise<{unread: number, notices: Notice[]}>} */
export const fetchNotices = (server, account) => server.call({ method: "GET", path: "/device/notices", account });

/** @param {Server} server @param {Account} account @param {number} upto id */
export const markRead = (server, account, upto) =>
  server.call({ method: "POST", path: "/device/notices/read", account, body: json({ upto }) });

/** @param {Server} server @param {Account} account @returns {Promise<Health>} */
export const fetchHealth = (server, account) => server.call({ method: "GET", path: "/device/health", account });

/** @param {Server} server @param {Account} account @returns {Promise<{id: string}>} */
export const sendTestPush = (server, account) => server.call({ method: "POST", path: "/device/test-push", account, body: json({}) });

/** @param {Server} server @param {Account} account @param {string} id @returns {Promise<TestPush>} */
export const followTestPush = (server, account, id) =>
  server.call({ method: "GET", path: `/device/test-push?id=${encodeURIComponent(id)}`, account });

/** @param {Server} server @param {Account} account @param {boolean} on @returns {Promise<{topic_url: string | null, subscribe: string | null}>} */
export const switchSecondWay = (server, account, on) =>
  server.call({ method: "PUT", path: "/device/second-push", account, body: json({ on }) });

/** @param {Server} server @param {Account} account @param {string} claim @returns {Promise<{request: string}>} */
export const claimSignIn = (server, account, claim) =>
  server.call({ method: "POST", path: "/device/claims", account, body: json({ claim }) });
