// The service worker: keeps the shell for offline use, shows pushes, opens the app on a tap.
// No cryptography and no secrets here.

// Written by `node authenticator/shell.mjs`; a test fails when they are stale.
const VERSION = "b4411e1ac6a02bf0";
/** @type {string[]} */
const SHELL = [
  "/",
  "/manifest.webmanifest",
  "/app/address.js",
  "/app/app.js",
  "/app/device/biometrics.js",
  "/app/device/camera.js",
  "/app/device/clock.js",
  "/app/device/notice_calls.js",
  "/app/device/patience.js",
  "/app/device/phone.js",
  "/app/device/push.js",
  "/app/device/scanner.js",
  "/app/device/script_urls.js",
  "/app/device/server.js",
  "/app/device/stream.js",
  "/app/device/stretch.js",
  "/app/device/updates.js",
  "/app/device/vault.js",
  "/app/journeys/activate.js",
  "/app/journeys/answer.js",
  "/app/journeys/coalesced.js",
  "/app/journeys/credentials.js",
  "/app/journeys/diagnosis.js",
  "/app/journeys/notices.js",
  "/app/journeys/pin.js",
  "/app/journeys/problems.js",
  "/app/journeys/pushes.js",
  "/app/journeys/respond.js",
  "/app/journeys/resync.js",
  "/app/journeys/self_test.js",
  "/app/journeys/self_test_report.js",
  "/app/journeys/unlock.js",
  "/app/journeys/watch.js",
  "/app/main.js",
  "/app/protocol/activation_link.js",
  "/app/protocol/claim_link.js",
  "/app/protocol/encoding.js",
  "/app/protocol/errors.js",
  "/app/protocol/keys.js",
  "/app/protocol/messages.js",
  "/app/protocol/ocra.js",
  "/app/protocol/typed_code.js",
  "/app/screens.js",
  "/app/screens/account.js",
  "/app/screens/activating.js",
  "/app/screens/adding.js",
  "/app/screens/again.js",
  "/app/screens/authenticate.js",
  "/app/screens/case_code.js",
  "/app/screens/case_wait.js",
  "/app/screens/change_pin.js",
  "/app/screens/claim.js",
  "/app/screens/confirm.js",
  "/app/screens/credentials.js",
  "/app/screens/diagnosis.js",
  "/app/screens/diagnosis_sent.js",
  "/app/screens/done.js",
  "/app/screens/forgotten.js",
  "/app/screens/history.js",
  "/app/screens/home.js",
  "/app/screens/install.js",
  "/app/screens/language.js",
  "/app/screens/licences.js",
  "/app/screens/notice.js",
  "/app/screens/notices.js",
  "/app/screens/notifications.js",
  "/app/screens/pin_changed.js",
  "/app/screens/pin_guidelines.js",
  "/app/screens/problem.js",
  "/app/screens/replaces.js",
  "/app/screens/reported.js",
  "/app/screens/request.js",
  "/app/screens/response.js",
  "/app/screens/resting.js",
  "/app/screens/result.js",
  "/app/screens/resync.js",
  "/app/screens/scan.js",
  "/app/screens/second_push.js",
  "/app/screens/security.js",
  "/app/screens/self_test.js",
  "/app/screens/settings.js",
  "/app/screens/type_code.js",
  "/app/screens/ways.js",
  "/app/screens/welcome.js",
  "/app/ui/account_choice.js",
  "/app/ui/announce.js",
  "/app/ui/banner.js",
  "/app/ui/cards.js",
  "/app/ui/controls.js",
  "/app/ui/element.js",
  "/app/ui/fields.js",
  "/app/ui/icons.js",
  "/app/ui/languages.js",
  "/app/ui/new_pin.js",
  "/app/ui/pictures.js",
  "/app/ui/pseudo.js",
  "/app/ui/ring.js",
  "/app/ui/router.js",
  "/app/ui/unlock_sheet.js",
  "/app/ui/words.js",
  "/app/workers/stretch.worker.js",
  "/css/controls.css",
  "/css/layout.css",
  "/css/notices.css",
  "/css/tokens.css",
  "/i18n/en.json",
  "/icons/app-192.png",
  "/icons/app-512.png",
  "/icons/app.svg",
  "/icons/badge-96.png",
  "/icons/badge.svg",
  "/icons/mark.svg",
  "/icons/maskable-512.png",
  "/icons/maskable.svg",
  "/icons/touch-180.png",
];
// Built from packages, or big: kept when they can be had, but the app starts without them.
const EXTRAS = ["/vendor/argon2.js", "/vendor/qr.js", "/vendor/LICENSES.txt"];

const CACHE = `shell-${VERSION}`;
// Outlives versions: the language in use, and when a push of each kind arrived last.
const KEPT = "kept";
const PAGE = "/";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @typedef {{title?: string, body?: string, navigate?: string, tag?: string}} Shown */
/** @typedef {{web_push?: number, kind?: string, notification?: Shown, id?: string}} Push */

/** What an older version or the page left. @param {string} name @returns {Promise<string>} */
async function kept(name) {
  const found = await (await caches.open(KEPT)).match(`/kept/${name}`);
  return found ? found.text() : "";
}

/** @param {string} name @param {string} value */
async function keep(name, value) {
  await (await caches.open(KEPT)).put(`/kept/${name}`, new Response(value));
}

async function keepShell() {
  const cache = await caches.open(CACHE);
  // From the network, not from the browser's own cache: a new version must not hold old files.
  const fresh = (/** @type {string} */ path) => new Request(path, { cache: "reload" });
  await cache.addAll(SHELL.map(fresh));
  const language = await kept("language");
  const words = language && language !== "en" ? [`/i18n/${language}.json`] : [];
  await Promise.allSettled([...words, ...EXTRAS].map((path) => cache.add(fresh(path))));
}

async function dropOldShells() {
  const old = (await caches.keys()).filter((name) => name !== CACHE && name !== KEPT);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === "navigate" ? PAGE : request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  // The strong reader and other languages are fetched only where they are needed; then they are kept.
  const { pathname } = new URL(request.url);
  if (response.ok && /^\/(?:app|vendor|i18n)\//u.test(pathname)) await cache.put(request, response.clone());
  return response;
}

/** A push that cannot be read still has to show something. @param {PushMessageData | null} data @returns {Push} */
function parse(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

/** Words of the language in use, else English, else what the browser calls the app. @param {string} key */
async function t(key) {
  const cache = await caches.open(CACHE);
  for (const language of [await kept("language"), "en"]) {
    const found = language && (await cache.match(`/i18n/${language}.json`));
    const words = found ? await found.json().catch(() => ({})) : {};
    if (typeof words[key] === "string") return words[key];
  }
  return "";
}

/**
 * What is said: the same for every push of these kinds, so in the phone's own language; what
 * only the server can tell is in the account's.
 *
 * @param {Push} push
 * @returns {Promise<{title: string, body: string}>}
 */
async function saying({ kind = "sign-in", notification: { title = "", body = "" } = {} }) {
  const name = title || (await t("app.name")) || "Vestibule";
  if (kind === "test") return { title: name, body: await t("worker.test") };
  if (kind === "sign-in") return { title: name, body: (await t("worker.sign_in")) || body };
  return { title: name, body: body || (await t("worker.notice")) };
}

/** @param {Push} push */
async function show(push) {
  const { kind = "sign-in", notification: { navigate = PAGE, tag = "request" } = {}, id } = push;
  const at = Date.now();
  const { title, body } = await saying(push);
  await worker.registration.showNotification(title, {
    body,
    tag,
    icon: "/icons/app-192.png",
    badge: "/icons/badge-96.png",
    lang: (await kept("language")) || "en",
    // A request is over soon and has to be seen; the rest may go by itself.
    requireInteraction: kind === "sign-in",
    data: { navigate, kind },
  });
  await keep(`push-${kind}`, String(at)).catch(() => {});
  for (const client of await worker.clients.matchAll({ type: "window" })) client.postMessage({ type: "look", kind, at });
  if (typeof id !== "string") return;
  const receipt = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id }) };
  await fetch("/device/delivered", receipt).catch(() => {});
}

/** @param {unknown} navigate from the push; only addresses of this app are followed */
async function openApp(navigate) {
  const url = new URL(String(navigate), worker.location.origin);
  const own = url.origin === worker.location.origin ? url : new URL(PAGE, worker.location.origin);
  const [client] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!client) return worker.clients.openWindow(own.href);
  client.postMessage({ type: "open", request: own.searchParams.get("request"), screen: own.searchParams.get("open") });
  return client.focus();
}

worker.addEventListener("install", (event) => event.waitUntil(keepShell()));
worker.addEventListener("activate", (event) => event.waitUntil(dropOldShells()));
worker.addEventListener("message", ({ data }) => data?.type === "take-over" && worker.skipWaiting());
worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const ours = origin === worker.location.origin && event.request.method === "GET";
  if (ours && !pathname.startsWith("/device/")) event.respondWith(answer(event.request));
});
worker.addEventListener("push", (event) => event.waitUntil(show(parse(event.data))));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openApp(event.notification.data?.navigate));
});
