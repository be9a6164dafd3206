// Challenge and response: six digits in, eight out, without any network.

import { fail } from "../app.js";
import { opens, usable } from "../device/vault.js";
import { respond } from "../journeys/respond.js";
import { parseChallenge } from "../protocol/ocra.js";
import { Problem, codeOf } from "../protocol/errors.js";
import { accountChoice } from "../ui/account_choice.js";
import { note } from "../ui/cards.js";
import { button } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { digitsField, onEnter } from "../ui/fields.js";
import { unlock } from "../ui/unlock_sheet.js";
import { t } from "../ui/words.js";

/** @typedef {import("../device/vault.js").Account} Account */

/** @type {import("../ui/router.js").Show} */
export async function authenticate(/** @type {import("../app.js").App} */ app, /** @type {{id?: string}} */ { id }) {
  const linked = (await app.vault.accounts()).filter(({ ended, pending }) => !ended && !pending);
  const device = await app.vault.device();
  const accounts = linked.filter((account) => usable(device, account, app.clock.now()));
  if (accounts.length === 0) return app.router.screens[linked.some((account) => !opens(device, account)) ? "forgotten" : "home"](app, {});
  let chosen = accounts.find((account) => account.id === id) ?? accounts[0];
  const { field, input, refuse } = digitsField(t("authenticate.challenge"), t("authenticate.hint"));
  const submit = async () => {
    let challenge;
    try {
      challenge = parseChallenge(input.value);
    } catch (problem) {
      refuse(t(`authenticate.${codeOf(problem)}`));
      return input.focus();
    }
    try {
      if (!device) throw new Problem("enrollment_unknown");
      const root = await unlock({ device, title: t("unlock.respond"), text: t("unlock.respond.text", { account: chosen.account }), forgot: () => app.router.go("forgotten") });
      if (!root) return;
      const digits = await respond(app, chosen, challenge, root);
      await app.router.go("response", { digits, challenge, account: chosen });
    } catch (problem) {
      await fail(app, problem);
    }
  };
  input.addEventListener("input", () => refuse(""));
  onEnter(input, () => void submit());
  return {
    title: t("authenticate.title"),
    lead: t("authenticate.lead"),
    back: true,
    focus: accounts.length === 1 ? input : undefined,
    body: [
      accounts.length > 1 ? accountChoice(t("authenticate.account"), accounts, chosen, (account) => (chosen = account)) : h("p", { class: "soft" }, nameOf(chosen)),
      field,
      note({ icon: "cloud", text: t("authenticate.offline") }),
    ],
    foot: [button(t("authenticate.make"), submit, { weight: "brass" })],
  };
}

/** @param {Account} account */
const nameOf = ({ account, organisation }) => `${account} · ${organisation}`;
