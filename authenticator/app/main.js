// The start: read the address, load what is needed, show the first screen.

import { takeAddress } from "./address.js";
import { fail, home, openRequest, openWaiting, ownClaim, ownLink, present } from "./app.js";
import { Clock } from "./device/clock.js";
import { Server } from "./device/server.js";
import { Updates } from "./device/updates.js";
import { openVault } from "./device/vault.js";
import { Notices } from "./journeys/notices.js";
import { Problems } from "./journeys/problems.js";
import { Watch } from "./journeys/watch.js";
import { SCREENS } from "./screens.js";
import { announce, mountAnnouncer } from "./ui/announce.js";
import { mountBanner, showBanner } from "./ui/banner.js";
import { Router } from "./ui/router.js";
import { counted, loadWords, whenExplained } from "./ui/words.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./address.js").Opened} Opened */

const opened = takeAddress();

/** What shortcuts and notifications may open. @type {Record<string, string>} */
const OPENS = { authenticate: "authenticate", scan: "scan", notices: "notices", test: "self_test" };

/** Screens that show nothing of what waits, and on which nothing is lost by leaving. */
const TOLD_ON = new Set([
  "account", "authenticate", "diagnosis", "diagnosis_sent", "history", "install", "language", "licences", "notice", "notices", "notifications", "second_push", "self_test", "settings",
]);

/** @param {App} app @param {Opened} from */
async function first(app, from) {
  const { link, claim, request, open, install } = from;
  try {
    if (link) return await present(app, { link: ownLink(link) });
    if (claim) return await app.router.go("claim", { link: ownClaim(claim) });
  } catch (problem) {
    await home(app);
    return fail(app, problem);
  }
  if (install) return app.router.go("install");
  await home(app);
  if (open && Object.hasOwn(OPENS, open)) return app.router.go(OPENS[open]);
  if (request) return openRequest(app, request);
}

// Until the app stands where it was opened, nothing may take it elsewhere.
let settled = false;

/** Started, or seen again: one request that waits is shown at once. @param {App} app */
async function look(app) {
  void app.notices.refresh().catch(() => {});
  await app.watch.start();
  const { waiting } = app.watch;
  if (settled && waiting.length === 1 && app.router.name === "home") await app.router.go("request", { id: waiting[0].id });
}

/** @param {App} app */
function listenToPage(app) {
  const seen = () => (document.visibilityState === "visible" ? void look(app) : app.watch.stop());
  document.addEventListener("visibilitychange", seen);
  addEventListener("pageshow", (event) => event.persisted && seen());
  // A link that is opened while the app is already at its address only changes the fragment.
  addEventListener("hashchange", () => {
    const { link, claim } = takeAddress();
    if (link || claim) void first(app, { link, claim, request: null, open: null, install: false });
  });
  addEventListener("unhandledrejection", ({ reason }) => void fail(app, reason));
  let count = 0;
  const tellOfWaiting = () => {
    const { length } = app.watch.waiting.filter((waiting) => !app.watch.isOver(waiting));
    const said = length > 0 ? counted("home.waiting", length) : "";
    const elsewhere = TOLD_ON.has(app.router.name);
    showBanner(elsewhere ? said : "", () => openWaiting(app));
    // The banner speaks for itself.
    if (length > count && !elsewhere) announce(said);
    count = length;
  };
  app.watch.subscribe(tellOfWaiting);
  app.router.drawn = tellOfWaiting;
}

async function start() {
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  const opening = openVault();
  // Where there is no storage there is no choice of one's own either; that is told further down.
  await loadWords(await opening.then((vault) => vault.thing("language")).catch(() => undefined));
  mountAnnouncer();
  mountBanner();
  const router = new Router(SCREENS, root);
  if (!globalThis.crypto?.subtle) return SCREENS.problem && router.go("problem", { code: "crypto_unavailable", facts: {} });
  try {
    const vault = await opening;
    const clock = new Clock((await vault.thing("offset")) ?? 0);
    const app = /** @type {App} */ ({ vault, clock, router, server: new Server(clock), updates: new Updates() });
    app.watch = new Watch(app);
    app.notices = new Notices(app);
    app.problems = new Problems(vault);
    whenExplained((code) => app.problems.note(code, router.name));
    router.app = app;
    clock.learnt = (offset) => void vault.keep("offset", offset).catch(() => {});
    app.server.contact = (reached) => {
      const changed = app.watch.reached !== reached;
      app.watch.reached = reached;
      root.dataset.reached = String(reached);
      if (changed) app.watch.tell();
    };
    document.documentElement.dataset.motion = (await vault.thing("motion")) ?? "system";
    await Promise.all([app.watch.reload(), app.notices.load(), app.problems.load()]);
    // A link or a request must not be lost to a restart: then the new version waits.
    const calm = !opened.link && !opened.claim && !opened.request;
    if (calm && (await app.updates.takeUp())) return;
    app.updates.found = () => app.watch.tell();
    const registering = app.updates.start(({ type, request = null, screen = null, kind }) => {
      const named = screen && Object.hasOwn(OPENS, screen) ? OPENS[screen] : null;
      if (type === "open") void (request ? openRequest(app, request) : named ? app.router.go(named) : openWaiting(app));
      if (type === "look") void app.watch.refresh();
      if (type === "look" && kind === "notice") void app.notices.refresh();
    });
    listenToPage(app);
    await first(app, opened);
    settled = true;
    await Promise.all([registering, look(app)]);
  } catch (problem) {
    await router.go("problem", { code: /** @type {{code?: string}} */ (problem).code ?? "unexpected", facts: {} });
  }
}

void start();
