// Passkeys in forms: the browser makes one or answers with one, and the form is sent with it.
//
//   form[data-passkey=create|get]   data-options: the options of WebAuthn as JSON, or
//                                   data-asks: the path that makes them when they are needed; its
//                                   token then goes into input[name=token]. Shown if it was hidden
//   input[name=credential]          gets the answer as JSON, just before the form is sent
//   [data-says=<name>]              inside the form: appears when that happened
//                                   absent: this browser has no passkeys; cancelled: the person or
//                                   the time ended it; exists: this device has one already;
//                                   unable: anything else
//   form[data-passkey-beside]       also offers passkeys beside the field with
//                                   autocomplete="username webauthn", where the browser can

/**
 * @param {string} text base64url
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytes(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

/**
 * @param {ArrayBuffer | null} buffer
 * @returns {string} base64url; empty for nothing
 */
function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer ?? new ArrayBuffer(0)), (byte) => String.fromCharCode(byte));
  return btoa(letters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * The same credentials with their ids as bytes. Not every browser reads the JSON by itself yet.
 * @param {PublicKeyCredentialDescriptorJSON[] | undefined} listed
 * @returns {PublicKeyCredentialDescriptor[]}
 */
function credentials(listed) {
  return (listed ?? []).map((one) => ({
    type: "public-key",
    id: bytes(one.id),
    ...(one.transports ? { transports: /** @type {AuthenticatorTransport[]} */ (one.transports) } : {}),
  }));
}

/**
 * @param {any} options as the server wrote them
 * @returns {Promise<Credential | null>}
 */
function create(options) {
  return navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: credentials(options.excludeCredentials),
    },
  });
}

/**
 * @param {any} options as the server wrote them
 * @param {AbortSignal} signal
 * @param {boolean} beside whether to wait beside the username field
 * @returns {Promise<Credential | null>}
 */
function get(options, signal, beside) {
  return navigator.credentials.get({
    signal,
    ...(beside ? { mediation: "conditional" } : {}),
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: credentials(options.allowCredentials),
    },
  });
}

/**
 * @param {Credential | null} credential
 * @returns {string} the answer as JSON (WebAuthn Level 3 section 5.1)
 */
function answer(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new TypeError("no public key credential");
  const { response } = credential;
  /** @type {Record<string, string | string[]>} */
  const said = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    said.attestationObject = text(response.attestationObject);
    said.transports = response.getTransports?.() ?? [];
  } else if (response instanceof AuthenticatorAssertionResponse) {
    said.authenticatorData = text(response.authenticatorData);
    said.signature = text(response.signature);
    if (response.userHandle) said.userHandle = text(response.userHandle);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: said,
    clientExtensionResults: {},
  });
}

const REFRESH_MS = 9 * 60_000; // what the server asks holds for ten minutes

/** @type {Record<string, string>} */
const SAID = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "exists" };

/**
 * @param {HTMLFormElement} form
 * @param {string} name empty: nothing
 */
function says(form, name) {
  for (const part of form.querySelectorAll("[data-says]")) {
    if (!(part instanceof HTMLElement)) continue;
    part.hidden = part.dataset.says !== name;
    const target = part.querySelector("[tabindex='-1']");
    if (!part.hidden && target instanceof HTMLElement) target.focus();
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {Credential | null} credential
 */
function send(form, credential) {
  const field = form.elements.namedItem("credential");
  if (!(field instanceof HTMLInputElement)) throw new TypeError("the form has no such field");
  field.value = answer(credential);
  form.submit();
}

/** @param {HTMLFormElement} form */
function bind(form) {
  if (!("PublicKeyCredential" in window)) {
    const said = form.querySelector('[data-says="absent"]');
    form.hidden = !said;
    says(form, "absent");
    return;
  }
  form.hidden = false;
  let waiting = new AbortController();
  let busy = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    says(form, "");
    // The browser answers one question at a time: what waits beside the field gives way.
    waiting.abort();
    waiting = new AbortController();
    try {
      const options = await asked(form);
      send(form, form.dataset.passkey === "create" ? await create(options) : await get(options, waiting.signal, false));
    } catch (error) {
      says(form, (error instanceof DOMException && SAID[error.name]) || "unable");
    } finally {
      busy = false;
    }
  });

  if ("passkeyBeside" in form.dataset) void offer(form, () => waiting);
}

/**
 * What the server wants answered.
 * @param {HTMLFormElement} form
 * @returns {Promise<any>}
 */
async function asked(form) {
  if (!form.dataset.asks) return JSON.parse(form.dataset.options ?? "{}");
  const response = await fetch(form.dataset.asks);
  if (!response.ok) throw new Error(String(response.status));
  const { options, token } = await response.json();
  const field = form.elements.namedItem("token");
  if (field instanceof HTMLInputElement) field.value = token;
  return JSON.parse(options);
}

/**
 * Passkeys beside the username field, asked for anew before the server's question grows old.
 * @param {HTMLFormElement} form
 * @param {() => AbortController} now ends when the button is pressed
 */
async function offer(form, now) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const pressed = now().signal;
  while (!pressed.aborted) {
    const old = AbortSignal.timeout(REFRESH_MS);
    try {
      send(form, await get(await asked(form), AbortSignal.any([pressed, old]), true));
      return;
    } catch {
      // Nobody chose one yet, or the button was pressed: the form is there as before.
      if (!old.aborted) return;
    }
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (form instanceof HTMLFormElement) bind(form);
}

export {};
