/** Print what the core weighs in a page, minified and compressed; fail above the limit. */

import { gzipSync } from "node:zlib";
import { build } from "vite";

const LIMIT = 8 * 1024;

const result = await build({
  configFile: false,
  logLevel: "error",
  build: {
    write: false,
    minify: true,
    target: "es2022",
    rolldownOptions: { input: "dist/esm/core/index.js", preserveEntrySignatures: "strict" },
  },
});
const [{ output }] = Array.isArray(result) ? result : [result];
const size = gzipSync(output.map((file) => file.code).join("\n"), { level: 9 }).length;

console.log(`core, minified and gzipped: ${size} bytes (at most ${LIMIT})`);
if (size > LIMIT) process.exit(1);
