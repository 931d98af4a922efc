/** Build `dist`: one folder of ES modules, one of CommonJS, each with its own types; then weigh the core. */

import { execFileSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";

const run = (...words) => execFileSync(process.execPath, words, { stdio: "inherit" });
const TSC = "node_modules/typescript/bin/tsc";

rmSync("dist", { recursive: true, force: true });
for (const [folder, type, config] of [
  ["esm", "module", "tsconfig.build.json"],
  ["cjs", "commonjs", "tsconfig.cjs.json"],
]) {
  run(TSC, "-p", config);
  // Says for this folder what its `.js` and `.d.ts` files are.
  writeFileSync(`dist/${folder}/package.json`, `${JSON.stringify({ type, sideEffects: false })}\n`);
}
cpSync("src/styles.css", "dist/styles.css");
cpSync("../LICENSE", "LICENSE");
run("scripts/size.js");
