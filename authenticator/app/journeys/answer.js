// Answering a request (spec §8). Approval needs a proof or an assertion; deny and report do not.

import { assert } from "../device/biometrics.js";
import { health } from "../device/push.js";
import { Problem } from "../protocol/errors.js";
import { childKey, knowledgeProof } from "../protocol/keys.js";
import { approval, requestHash } from "../protocol/messages.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("./watch.js").Waiting} Waiting */
/** @typedef {import("../device/vault.js").Answered["outcome"]} RememberedOutcome */
/** @typedef {{act: "approve" | "deny" | "report", number?: string, proof?: string, assertion?: object | null}} Answer */

/** The kinds of request that this app knows how to show, and the word for them in the catalogue. */
export const KINDS = new Map([
  ["sign-in", "sign_in"],
  ["step-up", "step_up"],
  ["migration", "migration"],
  ["terminal", "terminal"],
]);
// Refusals that end the request for good.
const FINAL = new Set(["number_wrong", "request_expired", "request_unknown", "already_answered"]);

/** @param {Waiting} waiting @param {CryptoKey} root */
export async function proofOf({ account, text }, root) {
  const knowledge = await childKey(root, "knowledge", account.id);
  const proof = await knowledgeProof(knowledge, "approve", text);
  knowledge.fill(0);
  return proof;
}

/** @param {Waiting} waiting the account has a credential @returns {Promise<object>} */
export async function assertionOf({ account, text }) {
  const credential = account.credential ?? new Uint8Array();
  return (await assert({ credential, challenge: await requestHash(text) })).assertion;
}

/**
 * @param {App} app
 * @param {Waiting} waiting
 * @param {Answer} answer
 * @returns {Promise<string>} `approved`, `denied` or `reported`
 * @throws {Problem} with the server's code
 */
export async function send(app, waiting, { act, number = "", proof = "", assertion = null }) {
  const { account, request, text } = waiting;
  const members = { act, number, proof, assertion, push: await health() };
  const by = () => ({ id: account.id, dk: account.dk, issuer: account.issuer, now: app.clock.seconds() });
  try {
    const { result } = await app.server.answer(() => approval(by(), { text, id: request.jti }, members));
    app.watch.drop(waiting.id);
    await remember(app, waiting, /** @type {RememberedOutcome} */ (result));
    return result;
  } catch (problem) {
    if (problem instanceof Problem && FINAL.has(problem.code)) app.watch.drop(waiting.id);
    if (problem instanceof Problem && problem.code === "number_wrong") await remember(app, waiting, "number_wrong");
    throw problem;
  }
}

/** @param {App} app @param {Waiting} waiting @param {RememberedOutcome} outcome */
export async function remember({ vault }, { account, request }, outcome) {
  const { browser, place } = request.show;
  const { id: enrollment, account: name, organisation } = account;
  // The answer counts even where the phone cannot note it down.
  await vault.remember({ at: Date.now(), enrollment, account: name, organisation, outcome, browser, place }).catch(() => {});
}
