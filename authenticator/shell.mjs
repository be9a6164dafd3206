// Writes what has to name every file of the app: the shell's list and version in sw.js, the
// module list in index.html, and which languages have a file. Nothing else is generated.
// `--check` only says whether it is stale.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const ROOT = new URL("./", import.meta.url);
const LANGUAGES = "app/ui/languages.js";
const read = (/** @type {string} */ path) => readFileSync(new URL(path, ROOT), "utf8");

/** Files of the app, without what is loaded only when needed. */
export function shellFiles() {
  const folders = ["app", "css", "i18n", "icons"];
  const found = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: "utf8" }).map((path) => `/${folder}/${path.replaceAll("\\", "/")}`),
  );
  const kept = found.filter((path) => /\.(?:js|css|json|svg|png)$/u.test(path) && path !== "/app/workers/scan.worker.js");
  // English is what everything falls back to; of the others a phone keeps the one it uses.
  const needed = kept.filter((path) => !path.startsWith("/i18n/") || path === "/i18n/en.json");
  return ["/", "/manifest.webmanifest", ...needed.sort()];
}

/** Tags of the languages that have a file, English first. */
export function shippedLanguages() {
  const tags = readdirSync(new URL("i18n/", ROOT)).flatMap((name) => /^(.+)\.json$/u.exec(name)?.[1] ?? []);
  return ["en", ...tags.filter((tag) => tag !== "en").sort()];
}

/** @param {string} index app/ui/languages.js */
export function withLanguages(index) {
  return index.replace(/^export const SHIPPED = .*;$/mu, `export const SHIPPED = ${JSON.stringify(shippedLanguages()).replaceAll(",", ", ")};`);
}

/** @param {string} page index.html */
export function withModules(page) {
  const modules = shellFiles().filter((path) => path.startsWith("/app/") && !path.endsWith(".worker.js"));
  const lines = modules.map((path) => `    <link rel="modulepreload" href="${path}" />\n`).join("");
  return page.replace(/<!-- modules -->[^]*<!-- \/modules -->/u, `<!-- modules -->\n${lines}    <!-- /modules -->`);
}

/** @param {string} worker sw.js @param {string} page index.html */
export function withShell(worker, page) {
  const files = shellFiles();
  const hash = createHash("sha256").update(page).update(read("package-lock.json"));
  const others = shippedLanguages().slice(1).map((tag) => `/i18n/${tag}.json`);
  for (const path of [...files.slice(1), ...others]) hash.update(path).update(readFileSync(new URL(`.${path}`, ROOT)));
  const list = files.map((path) => `  "${path}",\n`).join("");
  return worker
    .replace(/^const VERSION = ".*";$/mu, `const VERSION = "${hash.digest("hex").slice(0, 16)}";`)
    .replace(/^const SHELL = \[[^\]]*\];$/mu, `const SHELL = [\n${list}];`);
}

/** @returns {boolean} whether anything was stale */
export function renew({ write = true } = {}) {
  const index = read(LANGUAGES);
  const newIndex = withLanguages(index);
  // First of all: the worker's version is made from the files as they are.
  if (write && newIndex !== index) writeFileSync(new URL(LANGUAGES, ROOT), newIndex);
  const [page, worker] = [read("index.html"), read("sw.js")];
  const newPage = withModules(page);
  const newWorker = withShell(worker, newPage);
  if (write && newPage !== page) writeFileSync(new URL("index.html", ROOT), newPage);
  if (write && newWorker !== worker) writeFileSync(new URL("sw.js", ROOT), newWorker);
  return newIndex !== index || newPage !== page || newWorker !== worker;
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split("/").at(-1) ?? "")) {
  const stale = renew({ write: !process.argv.includes("--check") });
  if (stale && process.argv.includes("--check")) process.exitCode = 1;
  if (stale) console.log(process.argv.includes("--check") ? "stale: run node authenticator/shell.mjs" : "renewed");
}
