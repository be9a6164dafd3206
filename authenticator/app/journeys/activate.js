// One activation (spec §5, §6): a ticket becomes an enrollment on this phone.

import { register } from "../device/biometrics.js";
import { pause } from "../device/patience.js";
import { describePhone } from "../device/phone.js";
import { permission, subscribe } from "../device/push.js";
import { b64u, randomBytes, unb64u } from "../protocol/encoding.js";
import { Problem, Refused } from "../protocol/errors.js";
import { childKey, hkdfKey, knowledgeProof, makeDeviceKey, wrapWithBiometrics } from "../protocol/keys.js";
import { enrolResponse, readEnrolRequest, requestHash, sealSecrets } from "../protocol/messages.js";
import { kept, nameHere } from "./credentials.js";
import { underPin, witnesses } from "./pin.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../device/vault.js").Account} Account */
/** @typedef {import("../device/vault.js").Device} Device */
/** @typedef {import("../protocol/activation_link.js").ActivationLink} ActivationLink */
/** @typedef {import("../protocol/encoding.js").Bytes} Bytes */
/** @typedef {import("./credentials.js").Case} Case */
/** @typedef {import("../protocol/messages.js").EnrolRequest} EnrolRequest */
/**
 * @typedef {object} Ticket
 * @property {string} text
 * @property {EnrolRequest} request
 * @property {Case} [opened] the case that it came of, if it came by username and password
 * @property {number | null} [rests] ms, server time: until when the new phone cannot approve
 * @property {boolean} [attested] the operator wants the phone's maker to vouch for it
 * @property {boolean} [newPin] the PIN was forgotten: all keys of this phone are made anew
 */
/** @typedef {{link: ActivationLink} | {code: string}} From */
/** @typedef {import("../protocol/messages.js").Subscription} Subscription */

/**
 * An activation under way, in memory only.
 * @typedef {object} Draft
 * @property {Ticket} ticket
 * @property {Device} device stored already, or new
 * @property {boolean} existing its root is in use: the same PIN or the same lock opens it
 * @property {string} label the name of this phone
 * @property {{dk: CryptoKey, jwk: import("../protocol/keys.js").PublicJwk, id: string}} key
 * @property {Bytes | null} bytes the new root, until it is sealed
 * @property {CryptoKey | null} root
 * @property {{id: Bytes, registration: object} | null} credential
 * @property {Promise<Subscription | null>} push under way while the person chooses a PIN
 * @property {Account | null} sent what was stored before the response went out
 */

// A subscription is usually there long before; the activation does not hang on it.
const PUSH_MS = 5000;

/**
 * Fetches the enrol-request and checks it. Uses nothing up.
 *
 * @param {App} app
 * @param {From} from
 * @returns {Promise<Ticket>}
 */
export async function openTicket({ server, clock }, from) {
  const { request: text, attested } = await server.openTicket("link" in from ? { link: from.link.secret } : from);
  const pinned = "link" in from ? from.link.server : undefined;
  const request = await readEnrolRequest(text, { now: clock.seconds(), server: pinned });
  return { text, request, attested };
}

/** Makes the keys: only after the person has agreed. @param {App} app @param {Ticket} ticket @returns {Promise<Draft>} */
export async function begin({ vault }, ticket) {
  const stored = await vault.device();
  const anew = ticket.newPin || ticket.opened?.newPin || !(await inUse(vault, stored));
  const device = stored && !anew ? stored : await vault.newDevice(ticket.opened?.device);
  device.policy = ticket.request.policy;
  const key = await makeDeviceKey();
  const bytes = anew ? randomBytes(32) : null;
  const root = bytes && (await hkdfKey(bytes));
  const label = ticket.opened?.label ?? (await nameHere(vault)) ?? (await describePhone()).label;
  const push = permission() === "granted" ? subscribe(ticket.request.vapid).catch(() => null) : Promise.resolve(null);
  return { ticket, device, existing: !anew, label, key, bytes, root, credential: null, push, sent: null };
}

/** Whether the stored root still opens an account. @param {import("../device/vault.js").Vault} vault @param {Device | undefined} device */
async function inUse(vault, device) {
  const accounts = await vault.accounts();
  // One that is pending may be one yet: its keys must not be thrown away by guessing.
  return witnesses(device, accounts.map((account) => ({ ...account, pending: false }))).length > 0;
}

/** Sets the PIN of a new root. @param {Draft} draft @param {string} pin */
export async function protectWithPin({ device, bytes, ticket }, pin) {
  if (!bytes) throw new Refused("unexpected");
  device.cpin = await underPin(device.kd, bytes, pin, ticket.request.policy);
}

/**
 * Registers this phone's own verifier.
 *
 * @param {Draft} draft
 * @returns {Promise<boolean>} whether it opens the root too; if not, a PIN is needed as well
 */
export async function protectWithBiometrics(draft) {
  const { organisation, account } = draft.ticket.request;
  const challenge = await requestHash(draft.ticket.text);
  const user = unb64u(draft.key.id);
  const attested = draft.ticket.attested ?? false;
  const { id, registration, prf } = await register({ challenge, user, name: account, organisation, attested });
  draft.credential = { id, registration };
  const cbio = prf && draft.bytes ? await wrapWithBiometrics(prf, draft.bytes) : null;
  prf?.fill(0);
  draft.device.bio = { credential: id, cbio };
  return cbio !== null;
}

/**
 * Sends the response and waits for the server's word. The enrollment is stored before it is
 * sent, so that an answer lost on the way, or an app closed meanwhile, loses no keys.
 *
 * @param {App} app
 * @param {Draft} draft
 * @param {(done: number) => void} progress 1 keys are stored, 2 sent and accepted
 * @returns {Promise<Account>}
 */
export async function finish(app, draft, progress) {
  if (draft.sent && (await settle(app, draft.sent))) return stored(app, draft.key.id);
  const { platform } = await describePhone();
  const push = await Promise.race([draft.push, pause(PUSH_MS).then(() => null)]);
  const response = await makeResponse(app, draft, platform, push);
  draft.sent = accountOf(draft, push);
  await app.vault.enroll(draft.device, draft.sent);
  progress(1);
  try {
    const { opened } = draft.ticket;
    const enrolled = await (opened ? app.server.enrollCase(opened.token, response) : app.server.enroll(response));
    const { account, seamless, rests_until: rests = null } = enrolled;
    await app.vault.confirm(draft.key.id, { account, seamless, rests, opened: rests && opened ? kept(opened) : null });
  } catch (problem) {
    // Only a lawful no is an end; after silence the server may well have said yes.
    if (problem instanceof Problem && problem.name !== "Unavailable") {
      await app.vault.remove(draft.key.id);
      draft.sent = null;
      throw problem;
    }
    if (!(await settle(app, draft.sent).catch(() => false))) throw problem;
  }
  progress(2);
  void keepStorage();
  draft.bytes?.fill(0);
  return stored(app, draft.key.id);
}

/** Asks the browser not to clear these keys away when space gets short. */
const keepStorage = async () => navigator.storage?.persist?.().catch(() => false);

/** @param {App} app @param {string} id */
async function stored({ vault }, id) {
  const account = await vault.account(id);
  if (!account) throw new Refused("enrollment_unknown");
  return account;
}

/**
 * Asks the server about an enrollment whose answer was never heard.
 *
 * @param {App} app
 * @param {Account} account pending
 * @returns {Promise<boolean>} whether it is one; if not, it is forgotten
 */
export async function settle({ vault, server }, account) {
  try {
    const { account: name, seamless, label, rests_until: rests = null } = await server.attempts(account);
    await vault.confirm(account.id, { account: name, seamless, label, rests, opened: rests ? account.opened : null });
    return true;
  } catch (problem) {
    // Any other no (a clock, a limit) says nothing about whether the enrollment is one.
    if (!(problem instanceof Problem) || !["enrollment_unknown", "enrollment_revoked"].includes(problem.code)) throw problem;
    await vault.remove(account.id);
    return false;
  }
}

/**
 * @param {App} app
 * @param {Draft} draft
 * @param {string} platform
 * @param {Subscription | null} push
 * @returns {Promise<() => Promise<string>>} signs the response, dated when it is called
 */
async function makeResponse({ clock }, { ticket, device, key, root, label, credential }, platform, push) {
  if (!root) throw new Refused("unexpected");
  const response = await childKey(root, "response", key.id);
  const knowledge = await childKey(root, "knowledge", key.id);
  const members = {
    request: ticket.text,
    jwk: key.jwk,
    device: device.id,
    label,
    platform,
    secrets: await sealSecrets(ticket.request.keys.encrypt, { response: b64u(response), knowledge: b64u(knowledge) }),
    proof: await knowledgeProof(knowledge, "enrol", ticket.text),
    push,
    webauthn: credential?.registration ?? null,
  };
  response.fill(0);
  knowledge.fill(0);
  const issuer = ticket.request.iss;
  return () => enrolResponse({ id: key.id, dk: key.dk, issuer, now: clock.seconds() }, members);
}

/** @param {Draft} draft @param {Subscription | null} push @returns {Account} */
function accountOf({ ticket: { request, opened, rests = null }, device, label, key, credential }, push) {
  return {
    id: key.id,
    account: request.account,
    organisation: request.organisation,
    application: request.application,
    issuer: request.iss,
    serverKey: request.keys.sign,
    vapid: request.vapid,
    seamless: true,
    label,
    dk: key.dk,
    counter: 0,
    credential: credential?.id ?? null,
    pushed: push?.endpoint ?? null,
    ended: null,
    pending: true,
    root: device.root,
    rests,
    retires: null,
    opened: opened ? kept(opened) : null,
    createdAt: Date.now(),
  };
}
