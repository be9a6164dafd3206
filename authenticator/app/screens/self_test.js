// Notifications do not arrive? Nine checks as rows that live, a real test push with its time, and
// a report to hand on. What a web app cannot read is asked, with pictures.

import { home } from "../app.js";
import { system } from "../device/phone.js";
import { permission } from "../device/push.js";
import { subscribeAnew } from "../journeys/resync.js";
import { allowPushes } from "../journeys/pushes.js";
import { flyTestPush, judge, ownFacts, serverFacts } from "../journeys/self_test.js";
import { reportOf } from "../journeys/self_test_report.js";
import { accountChoice } from "../ui/account_choice.js";
import { alertLine, note, numbered } from "../ui/cards.js";
import { busy, button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { picture } from "../ui/pictures.js";
import { clockTime, currentLanguage, dayAndTime, hasWords, t, whyOf } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../journeys/self_test.js").Facts} Facts */
/** @typedef {import("../journeys/self_test.js").Flight} Flight */
/** @typedef {import("../journeys/self_test.js").Line} Line */
/** @typedef {import("../journeys/self_test.js").Remedy} Remedy */
/** @typedef {import("../journeys/self_test.js").Row} Row */
/** @typedef {import("../journeys/self_test.js").State} State */

/** A check that is not decided yet has its number. @type {Partial<Record<State, import("../ui/icons.js").IconName>>} */
const MARKS = { good: "check", todo: "warn" };
/** What the person has looked at, until the app is closed. @type {Set<string>} */
const confirmed = new Set();

/** @type {import("../ui/router.js").Show} */
export async function selfTest(/** @type {App} */ app, /** @type {{id?: string}} */ { id }) {
  const accounts = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  const account = accounts.find((one) => one.id === id) ?? accounts[0];
  if (!account) return app.router.screens.home(app, {});
  const test = new SelfTest(app, account);
  const other = (/** @type {Account} */ one) => app.router.go("self_test", { id: one.id }, { replace: true });
  const send = button(t("check.send"), () => void test.fly(send), { weight: "brass", icon: "bell" });
  void test.run();
  return {
    title: t("check.title"),
    lead: t("check.lead"),
    back: true,
    body: [
      note({ icon: "digits", text: t("check.without") }, link(t("check.respond"), () => app.router.go("authenticate", { id: account.id }))),
      accounts.length > 1 && accountChoice(t("check.account"), accounts, account, other),
      test.flight,
      test.alert.line,
      test.list,
      h("div", { class: "links" }, link(t("check.again"), () => void test.run()), link(t("check.copy"), () => void test.copy()), link(t("diagnosis.title"), () => app.router.go("diagnosis", { id: account.id, flight: test.flown }))),
      test.report,
    ],
    foot: [send],
    leave: () => test.leave(),
  };
}

class SelfTest {
  /** @param {App} app @param {Account} account */
  constructor(app, account) {
    this.app = app;
    this.account = account;
    /** @type {Facts} */
    this.facts = {};
    /** @type {Flight | null} */
    this.flown = null;
    this.left = false;
    this.alert = alertLine();
    this.flight = h("section", { class: "flight", "aria-label": t("check.flight"), hidden: true });
    /** @type {Map<string, HTMLLIElement>} */
    this.rows = new Map();
    this.list = h("ol", { class: "checks" });
    this.report = h("textarea", { class: "report", readonly: true, rows: 12, "aria-label": t("check.report"), hidden: true });
    this.stop = app.watch.subscribe(() => void this.learnOwn());
    this.draw();
  }

  async run() {
    this.facts = {};
    this.draw();
    const asking = serverFacts(this.app, this.account).then((facts) => this.learn(facts));
    await Promise.all([asking, this.learnOwn()]);
  }

  async learnOwn() {
    this.learn(await ownFacts(this.app, this.account));
  }

  /** @param {Facts} facts */
  learn(facts) {
    if (this.left) return;
    this.facts = { ...this.facts, ...facts };
    this.draw();
  }

  /** Only rows that changed are drawn anew: what is unfolded or has the focus stays. */
  draw() {
    for (const [at, row] of judge(this.facts, confirmed).entries()) {
      const before = this.rows.get(row.name);
      const now = JSON.stringify(row);
      if (before?.dataset.drawn === now) continue;
      const item = this.row(row, at + 1);
      item.dataset.drawn = now;
      if (before?.querySelector("details")?.open) item.querySelector("details")?.setAttribute("open", "");
      if (before) before.replaceWith(item);
      else this.list.append(item);
      this.rows.set(row.name, item);
    }
  }

  /** @param {Row} row @param {number} at from 1 */
  row({ name, state, lines }, at) {
    const says = lines.map((line) =>
      h("p", { class: line.good === false ? "bad" : line.good ? "soft" : "" }, t(`check.says.${line.code}`, valuesOf(line))),
    );
    const remedies = [...new Set(lines.flatMap(({ remedy }) => remedy ?? []))].map((remedy) => this.remedy(remedy));
    const mark = MARKS[state];
    const look = () => {
      confirmed.add(name);
      this.draw();
    };
    return h(
      "li",
      { class: "check", "data-check": name, "data-state": state },
      h("span", { class: "check-mark", "aria-hidden": "true" }, mark ? icon(mark) : String(at)),
      h(
        "div",
        { class: "check-text" },
        h("div", { class: "check-head" }, h("b", {}, t("check.numbered", { at, check: t(`check.${name}.title`) })), h("span", { class: "tag" }, t(`check.state.${state}`))),
        says,
        this.help(name),
        state === "asks" && h("p", {}, link(t("check.looked"), look)),
        remedies,
      ),
    );
  }

  /** How to look, on this system. @param {string} name */
  help(name) {
    const phone = system();
    const of = [1, 2, 3, 4].filter((step) => hasWords(`check.${name}.${phone}.${step}`));
    if (of.length === 0) return null;
    const vendor = phone === "android" && hasWords(`check.${name}.vendors`);
    return h(
      "details",
      {},
      h("summary", {}, t("check.how")),
      picture(name),
      numbered(of.map((step) => t(`check.${name}.${phone}.${step}`))),
      vendor && h("p", { class: "soft" }, t(`check.${name}.vendors`)),
    );
  }

  /** @param {Remedy} remedy */
  remedy(remedy) {
    if (remedy === "portal") {
      return h("a", { class: "button plain", href: `${this.account.issuer}/settings/sign-in`, target: "_blank", rel: "noopener" }, h("span", {}, t("check.remedy.portal")));
    }
    const pressed = button(t(`check.remedy.${remedy}`), () => void busy(pressed, t("check.working"), () => this.perform(remedy)));
    return pressed;
  }

  /** @param {Remedy} remedy @returns {Promise<unknown>} */
  async perform(remedy) {
    const { app, account } = this;
    this.alert.say("");
    switch (remedy) {
      case "respond": return app.router.go("authenticate", { id: account.id });
      case "resync": return app.router.go("resync", { id: account.id });
      case "install": return app.router.go("install");
      case "how": return app.router.go("notifications", { state: permission() });
      case "list": return home(app);
      case "persist": await navigator.storage?.persist?.().catch(() => false); break;
      case "allow": await allowPushes(app).catch((problem) => this.alert.say(whyOf(problem))); break;
      case "subscribe":
        if ((await subscribeAnew(app)) !== "ok") this.alert.say(t("problem.push_unavailable.why"));
    }
    return this.run();
  }

  /** @param {HTMLButtonElement} pressed */
  fly(pressed) {
    return busy(pressed, t("check.sending"), async () => {
      this.alert.say("");
      try {
        await flyTestPush(this.app, this.account, (flight) => this.drawFlight(flight), () => this.left);
        // A push that failed told the server something about this phone.
        await this.run();
      } catch (problem) {
        this.flight.hidden = true;
        this.alert.say(whyOf(problem));
      }
    });
  }

  /** From asked to arrived, each with its time. @param {Flight} flight */
  drawFlight(flight) {
    if (this.left) return;
    this.flown = flight;
    const { outcome, second, taken, arrived, over } = flight;
    const lost = over && arrived === null;
    const none = outcome === "none" && second === "none";
    const verdict = arrived !== null ? "arrived" : !lost ? "flying" : none ? "none" : outcome === "gone" ? "gone" : outcome === "sent" || second === "sent" ? "lost" : "failed";
    const stop = (/** @type {string} */ name, /** @type {number | null} */ ms, /** @type {string} */ state) =>
      h("li", { class: state }, h("b", {}, t(`check.flight.${name}`)), h("span", { class: "timer" }, ms === null ? "–" : t("check.ms", { ms })));
    this.flight.hidden = false;
    this.flight.dataset.verdict = verdict;
    this.flight.replaceChildren(
      h("ol", {}, stop("sent", 0, "done"), stop("service", taken, taken !== null ? "done" : lost ? "lost" : "now"), stop("here", arrived, arrived !== null ? "done" : lost ? "lost" : "ahead")),
      h("p", { class: lost ? "bad" : arrived !== null ? "good" : "soft", role: "status" }, t(`check.flight.${verdict}`)),
    );
  }

  async copy() {
    const text = await reportOf(this.app, { account: this.account, rows: judge(this.facts, confirmed), facts: this.facts, flight: this.flown, language: currentLanguage() });
    this.report.value = text;
    this.report.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      this.alert.say(t("check.copied"), true);
    } catch {
      this.report.select();
      this.alert.say(t("check.copy.by_hand"), true);
    }
  }

  leave() {
    this.left = true;
    this.stop();
  }
}

/** Times as people write them. @param {Line} line */
function valuesOf({ values = {} }) {
  const written = Object.entries(values).map(([name, value]) => [name, name === "when" ? dayAndTime(value) : name === "until" ? clockTime(value) : value]);
  return Object.fromEntries(written);
}
