// A toy server for looking at the app and for trying it by hand: the app's files under the real
// policy, and a device interface with the real protocol. Keeps everything in memory.
//
//     node authenticator/tests/toy_house.js [port]
//
// Then open the address it prints. POST /toy/… makes things happen; see `TOY` below.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { b64u, newId, parseJson, randomBytes, unb64u } from "../app/protocol/encoding.js";
import { Malformed, Problem, Refused } from "../app/protocol/errors.js";
import { kid, nonceProof } from "../app/protocol/keys.js";
import { APPROVAL, APPROVAL_REQUEST, ENROL_REQUEST, parseMessage, signMessage } from "../app/protocol/messages.js";
import { SUITE } from "../app/protocol/ocra.js";
import { toyCases } from "./toy_cases.js";
import { SHAPES, checkProof, findCounter, openEnrolResponse, readApproval } from "./house_side.js";

/** @typedef {import("node:http").IncomingMessage} IncomingMessage */
/** @typedef {import("node:http").ServerResponse} ServerResponse */
/** @typedef {{link: string, code: string, account: string, expires: number, id: string, used: boolean, tries: number}} Ticket */
/** @typedef {{jwk: any, response: Uint8Array<ArrayBuffer>, knowledge: Uint8Array<ArrayBuffer>, account: string, label: string, device: string, counter: number, push: any, rests?: number | null, retires?: number | null}} Enrollment */
/** @typedef {{id: string, enrollment: string, text: string, number: string, expires: number, failures: number}} Attempt */

const ROOT = new URL("../", import.meta.url);
const PORT = Number(process.argv[2] ?? 8601);
const ADDRESS = `http://localhost:${PORT}`;
const ISSUER = "http://localhost:8600";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types vestibule-urls";
const WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const TYPES = /** @type {Record<string, string>} */ ({
  html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml",
  png: "image/png", wasm: "application/wasm", webmanifest: "application/manifest+json", txt: "text/plain; charset=utf-8",
});
const LOCATOR = 4;

const signing = await pair("ECDSA", ["sign", "verify"]);
const agreeing = await pair("ECDH", ["deriveBits"]);
/** @type {Ticket[]} */
const tickets = [];
/** @type {Map<string, Enrollment>} */
const enrollments = new Map();
/** @type {Attempt[]} */
const attempts = [];
/** @type {Map<string, Set<ServerResponse>>} */
const streams = new Map();
/** @type {string[]} what was answered, for tests */
const answered = [];
const weather = { down: false, skew: 0, wrong: 0 };

/** @param {string} name @param {KeyUsage[]} uses */
async function pair(name, uses) {
  const made = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey({ name, namedCurve: "P-256" }, false, uses));
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", made.publicKey);
  const jwk = { kty: /** @type {const} */ ("EC"), crv: /** @type {const} */ ("P-256"), x, y };
  return { key: made.privateKey, jwk, id: await kid(jwk) };
}

const now = () => Math.floor(Date.now() / 1000) + weather.skew;
const dates = (/** @type {string} */ aud, /** @type {number} */ life, jti = newId()) => ({ iss: ISSUER, aud, iat: now(), exp: now() + life, jti });

// --- the device interface --------------------------------------------------------------------

/** @param {any} body */
async function openTicket({ link, code }) {
  const ticket = tickets.find((one) => (link ? one.link === link : one.code.slice(0, LOCATOR) === code.slice(0, LOCATOR)));
  if (!ticket) throw new Refused("ticket_unknown");
  if (ticket.used) throw new Refused("ticket_used");
  if (ticket.expires <= now()) throw new Refused("ticket_expired");
  if (ticket.tries >= 5) throw new Refused("ticket_exhausted");
  if (code && ticket.code !== code) {
    ticket.tries++;
    throw new Refused("ticket_unknown");
  }
  return { request: await requestOf(ticket) };
}

/** @param {Ticket} ticket */
const requestOf = (ticket) =>
  signMessage(ENROL_REQUEST, signing.id, signing.key, {
    ...dates("phone", ticket.expires - now()),
    ticket: ticket.id,
    account: `${ticket.account[0]}…${ticket.account.at(-1)}`,
    organisation: "Northgate Bank",
    application: "Client Portal",
    keys: { sign: signing.jwk, encrypt: agreeing.jwk },
    policy: { pin_min: 4, pin_max: 6, suite: SUITE, argon2id: { m: 19456, t: 2 }, pbkdf2: { rounds: 600000 } },
    vapid: b64u(vapid),
  });

/** @param {any} body */
async function enroll({ response }) {
  const by = { signKey: signing.jwk, encryptKey: agreeing.key, encryptKid: agreeing.id, issuer: ISSUER, now: now() };
  const { id, claims, request, secrets } = await openEnrolResponse(response, by);
  const ticket = tickets.find((one) => one.id === request.ticket);
  if (!ticket) throw new Refused("ticket_unknown");
  if (ticket.used) throw new Refused("ticket_used");
  const twice = [...enrollments.values()].some(({ account, device }) => account === ticket.account && device === claims.device);
  if (twice) throw new Refused("enrollment_exists");
  ticket.used = true;
  const { response: k, knowledge } = secrets;
  enrollments.set(id, { jwk: claims.jwk, response: unb64u(k), knowledge: unb64u(knowledge), account: ticket.account, label: claims.label, device: claims.device, counter: 0, push: null });
  return { enrollment: id, account: ticket.account, portal: ISSUER, seamless: true };
}

/** @param {any} body */
async function answer({ answer: text }) {
  const { header, payload } = parseMessage(text, APPROVAL, SHAPES[APPROVAL]);
  const enrollment = enrollments.get(header.kid);
  if (!enrollment) throw new Refused("enrollment_unknown");
  const attempt = attempts.find(({ id }) => id === payload.request);
  if (!attempt) throw new Refused("already_answered");
  if (attempt.expires <= now()) throw new Refused("request_expired");
  const end = (/** @type {string} */ result) => {
    attempts.splice(attempts.indexOf(attempt), 1);
    answered.push(result);
    tell(attempt.enrollment, "outcome", { request: attempt.id, result });
    tell(attempt.enrollment, "change", {});
    return { result };
  };
  try {
    const by = { jwk: enrollment.jwk, request: attempt.text, issuer: ISSUER, now: now(), knowledge: enrollment.knowledge };
    const claims = await readApproval(text, by);
    if (claims.act !== "approve") return end(claims.act === "deny" ? "denied" : "reported");
    if (attempt.number && claims.number !== attempt.number) {
      end("number_wrong");
      throw new Refused("number_wrong");
    }
    return end("approved");
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "proof_wrong") throw problem;
    attempt.failures++;
    throw new Refused("proof_wrong", { left: 3 - attempt.failures });
  }
}

/** @param {any} body @param {{id: string, enrollment: Enrollment}} proven */
async function checkKnowledge({ nonce, proof }, { enrollment }) {
  if (proof === (await nonceProof(enrollment.knowledge, nonce))) return { ok: true };
  weather.wrong++;
  throw weather.wrong > 4 ? new Refused("approvals_blocked", { wait: 60 }) : new Refused("proof_wrong", { left: 5 - weather.wrong });
}

/** @param {string} id @param {Enrollment} enrollment */
function waiting(id, enrollment) {
  const requests = attempts.filter((one) => one.enrollment === id && one.expires > now()).map(({ text }) => text);
  return { account: enrollment.account, seamless: true, label: enrollment.label, push: "ok", rests_until: enrollment.rests ?? null, retires_at: enrollment.retires ?? null, requests };
}

/** @param {string} id @param {string} event @param {object} data */
function tell(id, event, data) {
  for (const stream of streams.get(id) ?? []) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** @param {IncomingMessage} request @param {Uint8Array<ArrayBuffer>} body */
async function prove(request, body) {
  const text = request.headers.authorization?.replace(/^Vestibule /u, "") ?? "";
  const id = JSON.parse(Buffer.from(text.split(".")[0], "base64url").toString() || "{}").kid;
  const enrollment = enrollments.get(id);
  if (!enrollment) throw new Refused("enrollment_unknown");
  const { method = "", url = "" } = request;
  await checkProof(text, { jwk: enrollment.jwk, issuer: ISSUER, now: now(), method, path: url, body });
  return { id, enrollment };
}

/** @typedef {(body: any, proven: {id: string, enrollment: Enrollment}) => any} Face */

/** @type {Record<string, Face>} */
const OPEN = {
  "POST /device/cases": (body) => cases.open(body),
  "POST /device/cases/way": (body) => cases.choose(body),
  "POST /device/cases/code": (body) => cases.code(body),
  "POST /device/cases/enrollments": (body) => cases.enrolled(body),
  "POST /device/cases/end": (body) => cases.end(body),
  "POST /device/tickets": openTicket, "POST /device/enrollments": enroll, "POST /device/answers": answer, "POST /device/delivered": () => ({}),
};
/** @type {Record<string, Face>} */
const PROVEN = {
  "GET /device/attempts": (_, { id, enrollment }) => waiting(id, enrollment),
  "PUT /device/subscription": ({ push }, { enrollment }) => ((enrollment.push = push), {}),
  "PUT /device/label": ({ label }, { enrollment }) => ((enrollment.label = label), {}),
  "POST /device/knowledge": checkKnowledge,
  "POST /device/removal": (_, { id }) => (enrollments.delete(id), {}),
  "GET /device/notices": (_, { enrollment }) => noticesOf(enrollment),
  "POST /device/notices/read": ({ upto }, { enrollment }) => (notices.forEach((one) => (one.read ||= one.account === enrollment.account && one.id <= upto)), {}),
  "GET /device/health": () => health,
  "POST /device/test-push": () => ((flight.sent_at = Date.now()), { id: newId() }),
  "GET /device/test-push": () => ({ ...flight, outcome: "sent", delivered_at: flight.lost ? null : flight.sent_at + 412 }),
  "PUT /device/second-push": ({ on }) => ((health.second = { ...health.second, on, ...(on ? TOPIC : {}) }), on ? TOPIC : { topic_url: null, subscribe: null }),
  "POST /device/claims": ({ claim }, { id, enrollment }) => claimed(claim, id, enrollment),
};

// --- notices, the self-test and claims --------------------------------------------------------

const TOPIC = { topic_url: "https://ntfy.northgate.example/v-7Q2MK9FX4T6WRD3HPZ8C", subscribe: "ntfy://ntfy.northgate.example/v-7Q2MK9FX4T6WRD3HPZ8C" };
/** @type {any} */
const health = { seamless: true, push: "ok", push_stopped_until: null, quiet: false, quiet_until: null, last_delivered_at: null, second: { on: false, topic_url: null, subscribe: null } };
const flight = { sent_at: 0, second: "none", lost: false };
/** @type {any[]} */
const notices = [];

/** @param {Enrollment} enrollment */
function noticesOf({ account }) {
  const own = notices.filter((one) => one.account === account).map(({ account: _, ...notice }) => notice).reverse();
  return { unread: own.filter(({ read }) => !read).length, notices: own };
}

/** @param {any} body */
function makeNotice({ account = "m.rossi", title = "A phone was linked", text = "A phone named “Pixel 9” was linked to your account.", weight = "alarm", not_me = true, place = "Turin, Italy", age = 0 }) {
  const notice = { id: notices.length + 1, account, event: "enrollment.added", at: Date.now() - age * 1000, title, text, place, weight, not_me, not_me_url: null, read: false };
  notices.push(notice);
  return { id: notice.id };
}

/** @param {string} claim @param {string} id @param {Enrollment} enrollment */
async function claimed(claim, id, enrollment) {
  if (claim.split(".")[1] === "AAAAAAAAAAAAAAAAAAAAAA") throw new Refused("claim_over");
  await makeAttempt({ account: enrollment.account });
  const [attempt] = attempts.slice(-1);
  return { request: attempt.enrollment === id ? attempt.text : "" };
}

// --- what makes things happen ----------------------------------------------------------------

const vapid = await (async () => {
  const { publicKey } = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]));
  return new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
})();

/** @param {{account?: string, life?: number}} of @returns {Ticket} */
function newTicket({ account = "m.rossi", life = 600 }) {
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const code = Array.from(randomBytes(12), (byte) => letters[byte % 32]).join("");
  const ticket = { link: newId(), code, account, expires: now() + life, id: newId(), used: false, tries: 0 };
  tickets.push(ticket);
  return ticket;
}

/** @param {any} body */
function makeTicket(body) {
  const ticket = newTicket(body);
  return { link: `${ADDRESS}/activate#1.${ticket.link}.${signing.id}`, code: ticket.code };
}

/** @param {any} body */
async function makeAttempt({ account = "m.rossi", number = "", known = false, life = 180, others = 0, kind = "sign-in", detail = "", far = false }) {
  const [id] = [...enrollments].reverse().find(([, one]) => one.account === account) ?? [];
  if (!id) throw new Refused("enrollment_unknown");
  const show = { organisation: "Northgate Bank", application: "Client Portal", account, browser: "Firefox on Windows", place: "Turin, Italy", address: "93.40.112.7", known, others, detail, far };
  const attempt = newId();
  const text = await signMessage(APPROVAL_REQUEST, signing.id, signing.key, { ...dates(id, life, attempt), kind, number: number !== "", show });
  attempts.push({ id: attempt, enrollment: id, text, number, expires: now() + life, failures: 0 });
  tell(id, "change", {});
  return { id: attempt };
}

/** @param {any} body */
async function checkResponse({ account = "m.rossi", challenge, response }) {
  const enrollment = [...enrollments.values()].reverse().find((one) => one.account === account);
  const hit = enrollment && (await findCounter(enrollment.response, challenge, response, enrollment.counter));
  if (enrollment && hit?.near) enrollment.counter = hit.counter;
  return { hit: hit ?? null };
}

const cases = toyCases({ enrollments, newTicket, requestOf, enroll: (response) => enroll({ response }), now: () => now() * 1000 });

/** @type {Record<string, (body: any) => any>} */
const TOY = {
  "/toy/case": cases.toy,
  "/toy/retire": ({ at }) => ([...enrollments.values()].forEach((one) => (one.retires = at)), {}),
  "/toy/ticket": makeTicket,
  "/toy/attempt": makeAttempt,
  "/toy/response": checkResponse,
  "/toy/weather": (body) => Object.assign(weather, body),
  "/toy/revoke": () => (enrollments.clear(), {}),
  "/toy/drop": () => (attempts.splice(0), [...streams.keys()].forEach((id) => tell(id, "change", {})), {}),
  "/toy/answered": () => answered,
  "/toy/notice": makeNotice,
  "/toy/health": (body) => Object.assign(health, body),
  "/toy/flight": (body) => Object.assign(flight, body),
};

// --- http ------------------------------------------------------------------------------------

/** @param {IncomingMessage} request @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** @param {ServerResponse} response @param {number} status @param {object} value @param {string} type */
function json(response, status, value, type = "application/json") {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" }).end(JSON.stringify(value));
}

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function device(request, response) {
  const body = await bodyOf(request);
  const notMe = /^\/device\/notices\/(\d+)\/not-me$/u.exec(request.url ?? "");
  const name = `${request.method} ${new URL(request.url ?? "", ADDRESS).pathname}`;
  const read = () => (body.length > 0 ? parseJson(Buffer.from(body).toString()) : {});
  if (weather.down) return request.socket.destroy();
  if (name === "GET /device/stream") {
    const { id } = await prove(request, body);
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" }).write(": hello\n\n");
    streams.set(id, (streams.get(id) ?? new Set()).add(response));
    return request.on("close", () => streams.get(id)?.delete(response));
  }
  if (notMe) {
    await prove(request, body);
    notices.forEach((one) => one.id === Number(notMe[1]) && (one.not_me = false));
    return json(response, 200, { now: Date.now(), done: "phone_removed" });
  }
  const open = OPEN[name];
  const proven = PROVEN[name];
  if (name === "GET /device/cases/outcome") {
    const said = await cases.outcome(request.headers["vestibule-case"]?.toString());
    return json(response, 200, { now: Date.now() + weather.skew * 1000, ...said });
  }
  if (!open && !proven) throw new Refused("not_found");
  const value = open ? await open(read(), /** @type {any} */ (null)) : await proven(read(), await prove(request, body));
  return json(response, 200, { now: Date.now() + weather.skew * 1000, ...value });
}

/** @param {string} path @param {ServerResponse} response */
async function file(path, response) {
  const name = ["/", "/activate", "/claim", "/install"].includes(path) ? "/index.html" : path;
  const data = await readFile(new URL(`.${name}`, ROOT)).catch(() => null);
  if (!data || name.includes("..")) return response.writeHead(404).end();
  const policy = name.startsWith("/app/workers/") ? WORKER_POLICY : POLICY;
  const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": policy, "Cache-Control": "no-cache", "Service-Worker-Allowed": "/" }).end(data);
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? "/", ADDRESS).pathname;
  try {
    if (path.startsWith("/device/")) return await device(request, response);
    if (TOY[path]) return json(response, 200, await TOY[path](JSON.parse(Buffer.from(await bodyOf(request)).toString() || "{}")));
    return await file(path, response);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const status = problem instanceof Malformed ? 400 : 403;
    const value = { type: "about:blank", status, code: problem.code, title: problem.code, detail: "", next: "", reference: newId(), now: Date.now() + weather.skew * 1000, ...problem.facts };
    return json(response, status, value, "application/problem+json");
  }
});
server.listen(PORT, () => console.log(`${ADDRESS}\n${JSON.stringify(makeTicket({}))}`));

