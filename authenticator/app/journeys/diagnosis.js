// A diagnosis for the desk (spec §7): the report of the self-test, and what this app knows of
// itself. It is made as text, shown as text, and sent as it was shown.

import { permission } from "../device/push.js";
import { installed } from "../device/phone.js";
import { builds } from "../device/updates.js";
import { judge, ownFacts, serverFacts } from "./self_test.js";
import { reportOf } from "./self_test_report.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("./self_test.js").Flight} Flight */

/** What a reader would not see, or would see as something else: the server refuses it. */
const UNSEEN = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;
const LINE_MOST = 400;

/** Text as it may be sent: every line bounded, nothing unseen in it. @param {string} text */
export const cleaned = (text) =>
  text
    .replace(UNSEEN, "\ufffd")
    .split("\n")
    .map((line) => [...line].slice(0, LINE_MOST).join(""))
    .join("\n");

/**
 * All that is sent, in English for whoever helps.
 *
 * @param {App} app
 * @param {Account} account
 * @param {{flight: Flight | null, language: string}} known
 */
export async function diagnosisOf(app, account, { flight, language }) {
  const [own, asked, build, camera, room, device, accounts] = await Promise.all([
    ownFacts(app, account),
    serverFacts(app, account),
    builds().catch(() => []),
    cameraPermission(),
    storageUsed(),
    app.vault.device(),
    app.vault.accounts(),
  ]);
  const facts = { ...own, ...asked };
  const report = await reportOf(app, { account, rows: judge(facts, new Set()), facts, flight, language });
  const lines = [
    `Vestibule diagnosis, ${new Date(app.clock.now()).toISOString()}`,
    `app: build ${build.join(", ") || "not kept on the phone"}; ${installed() ? "installed" : "in the browser"}; ${location.host}`,
    `browser: ${navigator.userAgent}`,
    `languages: ${language} in the app; ${navigator.languages.join(", ")} on the phone`,
    `clock: ${app.clock.offset} ms behind the server; ${Intl.DateTimeFormat().resolvedOptions().timeZone}`,
    `permissions: notifications ${permission()}; camera ${camera}; storage ${own.persisted ? "kept" : "may be cleared"}`,
    `storage: ${megabytes(room.usage)} used of ${megabytes(room.quota)}`,
    `accounts: ${accounts.length} (${accounts.filter(({ ended }) => ended).length} ended); PIN ${device?.cpin ? "set" : "not set"}; phone lock ${device?.bio ? "set" : "not set"}`,
    `problems shown: ${app.problems.list.length}`,
    ...[...app.problems.list].reverse().map(({ code, at, screen }) => `  ${new Date(at + app.clock.offset).toISOString()} ${code} (${screen || "start"})`),
    "",
    report,
  ];
  return cleaned(lines.join("\n"));
}

/** @returns {Promise<string>} not every browser says */
async function cameraPermission() {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ ("camera") })).state;
  } catch {
    return "unknown";
  }
}

/** @returns {Promise<StorageEstimate>} */
const storageUsed = async () => (await navigator.storage?.estimate?.().catch(() => ({}))) ?? {};

/** @param {number | undefined} bytes */
const megabytes = (bytes) => (bytes === undefined ? "unknown" : `${(bytes / 1e6).toFixed(1)} MB`);
