// The browser's program on every file of a folder: node twin.mjs FOLDER MODULE TABLE [LIMIT]
// x.har → x.har.out, the safe capture, and x.har.told: {"report", "entries"} or {"refused"}.

import { closeSync, openSync, readFileSync, readSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, module, table, limit] = process.argv.slice(2);
const { sanitise } = await import(pathToFileURL(module));
const rules = JSON.parse(readFileSync(table, "utf8"));

for (const name of readdirSync(folder).filter((each) => each.endsWith(".har")).sort()) {
  const path = join(folder, name);
  const [input, output] = [openSync(path, "r"), openSync(`${path}.out`, "w")];
  const entries = [];
  let told;
  try {
    const source = (most) => {
      const piece = new Uint8Array(most);
      return piece.subarray(0, readSync(input, piece, 0, most, null));
    };
    const how = { limit: limit ? Number(limit) : undefined, onEntry: (entry) => entries.push(entry) };
    const report = sanitise(source, (bytes) => writeSync(output, bytes), rules, how);
    told = { report: JSON.stringify(report), entries };
  } catch (error) {
    if (error.name !== "CaptureRefused") throw error;
    told = { refused: error.code, at: error.at };
  }
  closeSync(input);
  closeSync(output);
  writeFileSync(`${path}.told`, JSON.stringify(told));
}
