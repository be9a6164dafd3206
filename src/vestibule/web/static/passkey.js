// Passkeys on the sign-in pages (WebAuthn): the browser asks, its answer travels in a form.
//
//   form data-passkey="/path"   options are fetched there when they are needed: {options, token}
//   form data-passkey data-options="{...}"   or stand in the page
//   button data-ask             asks; data-failed, data-missing are shown when it comes to nothing
//
// Where the browser can, the username field offers passkeys by itself, until the button is used.

const REFRESH_MS = 9 * 60_000; // the server's options last ten minutes

function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function requestOf(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: options.allowCredentials.map((one) => ({ ...one, id: bytes(one.id) })),
  };
}

function answerOf(credential) {
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  });
}

function passkey(form) {
  const button = form.querySelector("[data-ask]");
  const failed = form.querySelector("[data-failed]");
  let offered = new AbortController();

  const asked = async () => {
    if (form.dataset.options) return { options: form.dataset.options };
    const response = await fetch(form.dataset.passkey, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  };
  const send = (credential, token) => {
    form.elements.answer.value = answerOf(credential);
    if (token) form.elements.token.value = token;
    form.requestSubmit();
  };
  const ask = async () => {
    offered.abort();
    failed.hidden = true;
    button.disabled = true;
    try {
      const { options, token } = await asked();
      send(await navigator.credentials.get({ publicKey: requestOf(JSON.parse(options)) }), token);
    } catch {
      failed.hidden = false;
      failed.focus();
      button.disabled = false;
    }
  };
  const offer = async () => {
    offered = new AbortController();
    const { signal } = offered;
    const again = setTimeout(() => {
      offered.abort();
      offer();
    }, REFRESH_MS);
    try {
      const { options, token } = await asked();
      const publicKey = requestOf(JSON.parse(options));
      send(await navigator.credentials.get({ publicKey, mediation: "conditional", signal }), token);
    } catch {
      // Nothing was chosen: the form and the button are there.
    }
    if (signal.aborted && offered.signal === signal) clearTimeout(again);
  };

  form.hidden = false;
  button.addEventListener("click", ask);
  if (form.dataset.passkey) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => can && offer());
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (window.PublicKeyCredential) {
    passkey(form);
  } else {
    form.querySelector("[data-ask]").hidden = true;
    const missing = form.querySelector("[data-missing]");
    if (missing) missing.hidden = false;
  }
}
