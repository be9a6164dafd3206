// Waiting for the server, shown as the steps that have happened: first the ticket is opened, and
// after the person's answers the enrollment is made.

import { fail } from "../app.js";
import { begin, finish, openTicket } from "../journeys/activate.js";
import { mayMakeKeys } from "../device/phone.js";
import { Problem } from "../protocol/errors.js";
import { renderLink } from "../protocol/activation_link.js";
import { steps } from "../ui/cards.js";
import { t } from "../ui/words.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../journeys/activate.js").Draft} Draft */
/** @typedef {import("../journeys/activate.js").From} From */

// A step that flashes by explains nothing.
const STEP_MS = 350;

/** @type {import("../ui/router.js").Show} */
export function activating(app, { from, draft, newPin = false }) {
  return draft ? sending(app, draft) : opening(app, from, newPin);
}

/** @param {App} app @param {From} from @param {boolean} newPin the PIN of this phone was forgotten */
function opening(app, from, newPin) {
  const progress = steps([t("activating.open"), t("activating.check"), t("activating.ask")]);
  const run = async () => {
    try {
      const ticket = { ...(await openTicket(app, from)), newPin };
      const link = "link" in from ? renderLink(from.link) : null;
      if (link) await app.vault.keep("held", { link, expires: ticket.request.exp * 1000 });
      if (!mayMakeKeys()) return await app.router.go("install", { link, expires: ticket.request.exp });
      await app.router.go("confirm", { ticket });
    } catch (problem) {
      if (problem instanceof Problem && problem.code.startsWith("ticket_")) await app.vault.keep("held", undefined);
      await fail(app, problem, () => app.router.go("activating", { from, newPin }));
    }
  };
  // After this screen has been drawn, so that what follows replaces it and is not replaced by it.
  setTimeout(run);
  return { title: t("activating.opening"), passing: true, body: [progress.list] };
}

/** @param {App} app @param {Draft} draft */
function sending(app, draft) {
  const progress = steps([t("activating.keys"), t("activating.send"), t("activating.confirmed")]);
  const run = async () => {
    const shown = new Promise((resolve) => setTimeout(resolve, STEP_MS));
    try {
      const account = await finish(app, draft, progress.show);
      await app.vault.keep("held", undefined);
      await Promise.all([shown, app.watch.reload()]);
      void app.watch.start();
      await app.router.go("done", { account, byPassword: Boolean(draft.ticket.opened) });
    } catch (problem) {
      await fail(app, problem, () => again(app, draft));
    }
  };
  setTimeout(run);
  return { title: t("activating.title"), lead: `${draft.ticket.opened?.account ?? draft.ticket.request.account} · ${draft.ticket.request.organisation}`, passing: true, body: [progress.list] };
}

/** The same keys once more, unless the server has said no to them. @param {App} app @param {Draft} draft */
async function again(app, draft) {
  if (draft.sent) return app.router.go("activating", { draft });
  return app.router.go("security", { draft: await begin(app, draft.ticket) });
}
