/**
 * Print what an app carries of the package, minified and compressed: the core, and what the components add to a framework.
 * Fail above a limit, and if an app that leaves the account page out pays for it.
 */

import { gzipSync } from "node:zlib";
import { build } from "vite";

/** At most so many bytes. The components stand without limits of their own; they are printed so that growth is seen. */
const CORE_LIMIT = 8 * 1024;
/** Names that only the account page has. */
const OF_THE_PROFILE = ["sekisho-profile", "recovery-codes.txt"];

const at = (path) => new URL(`../dist/esm/${path}/index.js`, import.meta.url).pathname;

/** Return the code of an app that imports these names and nothing else. */
async function bundle(names, from) {
  const ENTRY = "virtual:entry";
  const result = await build({
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? id : undefined),
        load: (id) => (id === ENTRY ? `export { ${names.join(", ")} } from ${JSON.stringify(from)};` : undefined),
      },
    ],
    build: {
      write: false,
      minify: true,
      target: "es2022",
      rolldownOptions: { input: ENTRY, preserveEntrySignatures: "strict", external: ["react", "vue"] },
    },
  });
  const [{ output }] = Array.isArray(result) ? result : [result];
  return output.map((file) => file.code).join("\n");
}

const packed = (code) => gzipSync(code, { level: 9 }).length;

const core = packed(await bundle(["createAuthClient", "AuthError"], at("core")));
console.log(`core, minified and gzipped: ${core} bytes (at most ${CORE_LIMIT})`);
if (core > CORE_LIMIT) process.exit(1);

for (const [framework, provider] of [
  ["react", "AuthProvider"],
  ["vue", "authPlugin"],
]) {
  const entry = await bundle([provider, "SignIn", "ProtectedRoute"], at(framework));
  const page = await bundle([provider, "SignIn", "ProtectedRoute", "UserProfile"], at(framework));
  console.log(`${framework}, sign-in: ${packed(entry)} bytes; with the account page: ${packed(page)} bytes`);
  const carried = OF_THE_PROFILE.filter((name) => entry.includes(name) || !page.includes(name));
  if (carried.length > 0) {
    console.error(`${framework}: an app without the account page carries it, or one with it does not: ${carried}`);
    process.exit(1);
  }
}
