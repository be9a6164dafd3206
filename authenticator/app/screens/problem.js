// What happened, why it may be, what to do now. One button.

import { beginWithPassword, home } from "../app.js";
import { Problem } from "../protocol/errors.js";
import { note } from "../ui/cards.js";
import { button, link } from "../ui/controls.js";
import { h } from "../ui/element.js";
import { icon } from "../ui/icons.js";
import { currentLanguage, t, untilOf, whyOf } from "../ui/words.js";
import { mayDiagnose } from "./diagnosis.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {{code: string, facts: Record<string, unknown>, retry?: () => unknown}} Params */
/** @typedef {"scan" | "type" | "home" | "retry" | "restart" | "ways" | "password" | "forgotten"} Step */

/**
 * The next step of every code; a test holds this table, the specification and the words together.
 * @type {Record<string, Step>}
 */
export const NEXT = {
  // spec §5: links and codes
  link_foreign: "scan", link_totp: "scan", link_other: "scan", link_elsewhere: "scan", link_version: "home", link_malformed: "scan", code_characters: "type", code_length: "type",
  // §6: tickets and enrolment
  ticket_used: "home", ticket_expired: "scan", ticket_unknown: "type", ticket_withdrawn: "scan", ticket_exhausted: "scan",
  enrollment_exists: "home", platform_too_old: "home", server_foreign: "scan", signature_wrong: "home", clock_wrong: "retry", message_malformed: "home",
  // §6: username and password
  wrong_credentials: "password", password_wait: "ways", source_wait: "ways", password_busy: "password", network_not_allowed: "ways",
  username_invalid: "password", case_unknown: "password", case_expired: "password", case_over: "home", case_denied: "password", case_way: "password",
  case_running: "ways", case_codes_blocked: "ways", case_not_granted: "password", case_device: "password",
  already_enrolled_elsewhere: "ways", way_unavailable: "ways", code_wait: "ways", sms_code_wrong: "password",
  sms_code_expired: "password", sms_code_spent: "password", sms_codes_blocked: "ways", message_failed: "ways",
  contact_refused: "ways", recovery_code_wrong: "password",
  // §8: answers
  enrollment_unknown: "home", enrollment_revoked: "home", request_expired: "home", request_unknown: "home",
  already_answered: "home", request_changed: "home", number_wrong: "home", proof_wrong: "home", assertion_wrong: "home",
  approvals_blocked: "home", pin_locked: "forgotten", enrollment_rests: "home", enrollment_retired: "home", claim_over: "scan", claim_taken: "home", claim_other_account: "home", second_push_unavailable: "home",
  // §11: the interface
  body_too_large: "home", content_type: "home", json_malformed: "home", too_many_requests: "home", not_found: "home",
  method_not_allowed: "home",
  // §7: a diagnosis
  diagnosis_text: "restart", diagnoses_many: "home", diagnosis_unavailable: "home",
  // the network
  offline: "retry", timeout: "retry", server_failed: "retry", server_strange: "retry",
  // this phone
  camera_denied: "type", camera_missing: "type", camera_busy: "scan", camera_timeout: "type", camera_unsupported: "type",
  biometrics_refused: "home", biometrics_timeout: "home", biometrics_unavailable: "home", stretch_failed: "retry",
  pin_not_set: "home", pin_unprovable: "ways", keys_locked: "forgotten", push_unavailable: "home", storage_unavailable: "restart", storage_failed: "restart",
  crypto_unavailable: "restart", unexpected: "restart",
};

/** @type {import("../ui/router.js").Show} */
export function problem(/** @type {App | null} */ app, /** @type {Params} */ { code, facts, retry }) {
  const known = Object.hasOwn(NEXT, code) ? code : "unexpected";
  const step = NEXT[known] === "retry" && !retry ? "restart" : NEXT[known];
  const values = { until: untilOf(facts), address: String(facts.address ?? ""), minimum: String(facts.minimum ?? "") };
  // A newer server may know codes that this app does not: then its own words are shown.
  const theirs = known !== code && typeof facts.next === "string" ? facts.next : null;
  return {
    title: t(`problem.${known}.title`, values),
    passing: true,
    body: [
      h("p", {}, whyOf(new Problem(code, facts))),
      note({ icon: "on", text: theirs ?? t(`problem.${known}.next`, values) }),
      // The article is in the portal; without a network it would only lead to another failure.
      known !== "offline" && h("p", {}, h("a", { class: "link", href: helpAddress(known), target: "_blank", rel: "noopener" }, t("problem.more"))),
      known !== "offline" && app?.watch.accounts.some(mayDiagnose) && h("p", {}, link(t("diagnosis.title"), () => app.router.go("diagnosis"))),
      h("p", { class: "soft reference" }, t("problem.reference", { reference: String(facts.reference ?? code) })),
      h("div", { class: "picture" }, icon("shut", "soft")),
    ],
    foot: [button(t(`problem.button.${step}`), () => act(app, step, retry), { weight: "brass" })],
  };
}

/** From here the server leads on to the article. @param {string} code */
const helpAddress = (code) => `/device/help/${code}?in=${currentLanguage()}`;

/** @param {App | null} app @param {Step} step @param {(() => unknown) | undefined} retry */
function act(app, step, retry) {
  if (step === "retry" && retry) return retry();
  if (step === "restart" || !app) return location.reload();
  if (step === "scan" || step === "forgotten") return app.router.go(step);
  if (step === "ways") return app.router.go("adding");
  if (step === "password") return beginWithPassword(app, { why: "first" });
  return step === "type" ? app.router.go("type_code") : home(app);
}
