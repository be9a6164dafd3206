// Force a resync: nine steps, some here and some in the browser. What can be seen ticks itself off.

import { home, openWaiting } from "../app.js";
import { advance, beginResync, currentResync, endResync, stepsDone, subscribeAnew } from "../journeys/resync.js";
import { alertLine, note, steps } from "../ui/cards.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/resync.js").Resync} Resync */

/** @type {import("../ui/router.js").Show} */
export async function resync(/** @type {App} */ app, /** @type {{id: string}} */ { id }) {
  const account = await app.vault.account(id);
  if (!account) return app.router.screens.home(app, {});
  const current = await currentResync(app);
  const fresh = current?.id !== id;
  let state = fresh ? await beginResync(app, id) : /** @type {Resync} */ (current);
  const portal = account.issuer.replace(/^https?:\/\//u, "");
  const { list, show } = steps([
    t("resync.1", { portal }), t("resync.2"), t("resync.3", { phone: account.label }), t("resync.4"), t("resync.5"),
    t("resync.6"), t("resync.7"), t("resync.8"), t("resync.9"),
  ]);
  const alert = alertLine();
  const foot = h("div", { class: "rows" });
  const finish = async (/** @type {() => unknown} */ then) => {
    await endResync(app);
    await then();
  };
  const draw = () => {
    show(stepsDone(state));
    alert.say(state.arrived ? t("resync.done") : "", true);
    const respond = () => app.router.go("authenticate", { id });
    const next = state.arrived
      ? button(t("resync.open"), () => void finish(() => openWaiting(app)), { weight: "brass" })
      : button(t("home.authenticate"), respond, { weight: state.responded ? "plain" : "brass", icon: "digits" });
    foot.replaceChildren(next, button(t(state.arrived ? "action.done" : "resync.stop"), () => void finish(() => home(app))));
  };
  let left = false;
  const look = async () => {
    state = await advance(app, state);
    if (!left) draw();
  };
  const subscribed = h("p", { class: "soft", role: "status" });
  if (fresh) {
    subscribed.textContent = t("resync.subscribing");
    void subscribeAnew(app).then((outcome) => {
      subscribed.textContent = t(`resync.subscribed.${outcome}`);
      subscribed.className = outcome === "ok" ? "good" : "bad";
    });
  }
  draw();
  void look();
  const stop = app.watch.subscribe(() => void look());
  return {
    title: t("resync.title"),
    lead: t("resync.lead"),
    back: () => void app.router.go("self_test", { id }),
    body: [subscribed, list, alert.line, note({ icon: "mark", text: t("resync.note") }), h("p", {}, link(t("resync.restart"), () => void finish(() => app.router.go("resync", { id }, { replace: true }))))],
    foot: [foot],
    leave: () => {
      left = true;
      stop();
    },
  };
}
