// Makes each front-end dependency a single ES module in vendor/, with types and licences beside.
// The phone app's own files need no build: they are served as written.

import { build } from "esbuild";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "vendor");
const packageFolder = (/** @type {string} */ name) => join(here, "node_modules", name);

const modules = [
  // Reads a QR code from pixels; plain JavaScript, allowed by the strictest policy.
  { name: "qr", from: "qr/decode.js", names: "decodeQR", also: "" },
  // The stronger reader, for the worker. By default it would fetch its wasm from a public
  // network; ours lies beside the module.
  {
    name: "zxing",
    from: "zxing-wasm/reader",
    names: "prepareZXingModule, readBarcodes",
    also: `
      import { prepareZXingModule } from "zxing-wasm/reader";
      const locateFile = (file) => new URL(file, import.meta.url).href;
      prepareZXingModule({ overrides: { locateFile } });`,
  },
  // Stretches the PIN.
  { name: "argon2", from: "hash-wasm", names: "argon2id", also: "" },
];

const licences = [
  ["qr", "LICENSE-MIT", ""],
  ["zxing-wasm", "LICENSE", "The wasm holds ZXing-C++, Apache-2.0: https://github.com/zxing-cpp/zxing-cpp"],
  ["hash-wasm", "LICENSE", ""],
];

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor);
for (const { name, from, names, also } of modules) {
  const exported = `export { ${names} } from "${from}";\n`;
  await build({
    stdin: { contents: exported + also, resolveDir: here, sourcefile: `${name}.js` },
    outfile: join(vendor, `${name}.js`),
    bundle: true,
    format: "esm",
    legalComments: "none", // whole texts stand in LICENSES.txt
    minify: true,
    target: "es2022",
    logLevel: "warning",
  });
  await writeFile(join(vendor, `${name}.d.ts`), exported);
}
const wasm = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
await copyFile(wasm, join(vendor, "zxing_reader.wasm"));

let texts = "The modules in this folder are built from these packages.\n";
for (const [name, file, note] of licences) {
  const { version } = JSON.parse(await readFile(join(packageFolder(name), "package.json"), "utf8"));
  const licence = await readFile(join(packageFolder(name), file), "utf8");
  texts += `\n${"=".repeat(80)}\n${name} ${version}\n${note && `${note}\n`}\n${licence.trim()}\n`;
}
await writeFile(join(vendor, "LICENSES.txt"), texts);
