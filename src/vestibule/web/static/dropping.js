// A file with a public key or a certificate goes into the form's text field, and nothing private
// does: what holds a private key is taken out of the field before anything is sent.
//
//   form[data-drop=key|certificate]   one textarea; files may be dropped anywhere on the page
//   input[type=file]                  without a name, so that no file is ever sent
//   [data-with-script]                inside the form: shown where this script runs
//   [data-says=<name>]                inside the form: appears when that happened
//                                     private, several, large, unreadable, filled

const MOST = 256 * 1024; // bytes; the server takes no more either

// Labels and marks of every form that private keys are written in.
const MARKS = [
  /-----\s*BEGIN [A-Z0-9 ]*PRIVATE KEY/i,
  /----\s*BEGIN SSH2 ENCRYPTED PRIVATE KEY/i,
  /PuTTY-User-Key-File-\d/i,
  /^Private-(Lines|MAC|Hash):/im,
  /SSH PRIVATE KEY FILE FORMAT/,
  /openssh-key-v1/,
  /b3BlbnNzaC1rZXktdj/, // the same in base64
  /"d"\s*:\s*"/, // a JSON Web Key (RFC 7517)
];
const ARMOR = /-----\s*BEGIN PGP [A-Z ]+-----(?:[^\n]*\n)(?:[A-Za-z-]+: [^\n]*\n)*/g;

/**
 * @param {string} text
 * @returns {boolean} whether any of it is private
 */
function isPrivate(text) {
  if (MARKS.some((mark) => mark.test(text))) return true;
  // One label may stand before the content of another.
  const bare = text.replace(ARMOR, "\n\n").replace(/^-.*$/gm, "\n").replace(/^=.*$/gm, "\n");
  return bare.split(/\n\s*\n/).some((block) => startsPrivate(decoded(block.replace(/\s+/g, ""))));
}

/**
 * @param {string} base64
 * @returns {Uint8Array} its first bytes; none where it is no base64
 */
function decoded(base64) {
  const start = base64.slice(0, 64).replace(/-/g, "+").replace(/_/g, "/");
  if (start.length < 24 || !/^[A-Za-z0-9+/]+=*$/.test(start)) return new Uint8Array();
  const whole = start.replace(/=+$/, "");
  return Uint8Array.from(atob(whole.slice(0, whole.length - (whole.length % 4))), (letter) => letter.charCodeAt(0));
}

/**
 * Whether bytes begin as a private key does, without any label.
 * @param {Uint8Array} bytes
 */
function startsPrivate(bytes) {
  const [first = 0, second = 0] = bytes;
  // OpenPGP (RFC 9580 section 4.2): packets 5 and 7 hold secret keys, in both forms of the header.
  if (first === 0xc5 || first === 0xc7 || (first >= 0x94 && first <= 0x97) || (first >= 0x9c && first <= 0x9f)) {
    return true;
  }
  // DER: a sequence that begins with a version of one byte is PKCS #8, PKCS #1 or SEC 1 private;
  // one that begins with another sequence is PKCS #8 encrypted only where PBES2 or its kin follow.
  if (first !== 0x30) return false;
  const at = second < 0x80 ? 2 : 2 + (second & 0x7f);
  if (bytes[at] === 0x02 && bytes[at + 1] === 0x01) return true;
  const inner = at + ((bytes[at + 1] ?? 0) < 0x80 ? 2 : 2 + ((bytes[at + 1] ?? 0) & 0x7f));
  const pkcs5 = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
  return bytes[at] === 0x30 && pkcs5.every((byte, index) => bytes[inner + index] === byte);
}

/**
 * A file as text: as editors of any system write it, or a bare certificate in armor.
 * @param {Uint8Array} bytes
 * @param {string} kind
 * @returns {string | null} null: neither
 */
function written(bytes, kind) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    if (kind !== "certificate") return null;
  }
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const lines = btoa(letters).replace(/.{64}/g, "$&\n");
  // RFC 9580 section 6.1: the checksum may be left out.
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${lines}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name empty: nothing
 */
function says(form, name) {
  for (const part of form.querySelectorAll("[data-says]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.says !== name;
  }
  const told = form.querySelector(`[data-says="${name}"]`);
  if (name && name !== "filled" && told instanceof HTMLElement) {
    told.focus();
    told.scrollIntoView({ block: "nearest" });
  }
}

/** @param {HTMLFormElement} form */
function bind(form) {
  const area = form.querySelector("textarea");
  const picked = form.querySelector("input[type=file]");
  if (!area) return;
  for (const part of form.querySelectorAll("[data-with-script]")) {
    if (part instanceof HTMLElement) part.hidden = false;
  }

  /** @returns {boolean} whether the field was emptied */
  const emptied = () => {
    if (!isPrivate(area.value)) return false;
    area.value = "";
    says(form, "private");
    return true;
  };

  /** @param {FileList | null | undefined} files */
  const take = async (files) => {
    const [file] = files ?? [];
    if (!file) return;
    if (files && files.length > 1) {
      says(form, "several");
      return;
    }
    if (file.size > MOST) {
      says(form, "large");
      return;
    }
    const bytes = await file.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => null);
    if (bytes && startsPrivate(bytes)) {
      says(form, "private");
      return;
    }
    const text = bytes && written(bytes, form.dataset.drop ?? "");
    if (text === null) {
      says(form, "unreadable");
    } else if (isPrivate(text)) {
      says(form, "private");
    } else {
      area.value = text;
      says(form, "filled");
      area.focus();
    }
  };

  area.addEventListener("paste", (event) => {
    const { files } = event.clipboardData ?? {};
    if (files?.length) {
      event.preventDefault();
      void take(files);
    } else if (isPrivate(event.clipboardData?.getData("text/plain") ?? "")) {
      // Not even into the field: browsers and extensions keep copies of what stands there.
      event.preventDefault();
      says(form, "private");
    }
  });
  area.addEventListener("input", () => {
    // An emptied field says so until something stands in it again.
    if (!emptied() && area.value) says(form, "");
  });
  form.addEventListener("submit", (event) => {
    if (emptied()) event.preventDefault();
  });
  if (picked instanceof HTMLInputElement) {
    picked.addEventListener("change", async () => {
      await take(picked.files);
      // So that the same file can be chosen again once it was mended.
      picked.value = "";
    });
  }
  // Anywhere on the page: a browser opens a file that was dropped beside the field.
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.dataset.over = "";
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete form.dataset.over;
  });
  document.addEventListener("drop", (event) => {
    delete form.dataset.over;
    const { dataTransfer } = event;
    if (dataTransfer?.files.length) {
      event.preventDefault();
      void take(dataTransfer.files);
    } else if (isPrivate(dataTransfer?.getData("text/plain") ?? "")) {
      event.preventDefault();
      says(form, "private");
    }
  });
}

for (const form of document.querySelectorAll("form[data-drop]")) {
  if (form instanceof HTMLFormElement) bind(form);
}

export {};
