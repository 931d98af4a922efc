/**
 * Build what the pages load into `src/sekisho/ui/assets`: files whose names hold a hash of their content, and
 * `manifest.json`, which says which is which. The folder is changed as a whole: a build that fails leaves the last one.
 *
 * The SDK is taken from its sources by the names that a customer uses.
 */

import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PARENT = here("../src/sekisho/ui");
const TARGET = join(PARENT, "assets");
const ENTRIES = { account: here("src/account.ts") };

const fresh = mkdtempSync(join(PARENT, ".assets-"));
// Others than its maker may run the server.
chmodSync(fresh, 0o755);
try {
  await build({
    root: here("."),
    configFile: false,
    logLevel: "warn",
    resolve: {
      alias: [
        { find: "sekisho/styles.css", replacement: here("../sdk/src/styles.css") },
        { find: /^sekisho\/(react|vue|axios)$/, replacement: here("../sdk/src/$1/index.ts") },
        { find: /^sekisho$/, replacement: here("../sdk/src/core/index.ts") },
      ],
      // The SDK's folder may have a Vue of its own; two of them would not know each other's components.
      dedupe: ["vue"],
    },
    define: {
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    build: {
      outDir: fresh,
      emptyOutDir: false,
      assetsDir: "",
      assetsInlineLimit: 0,
      target: "es2022",
      // As the SDK ships its styles: `light-dark()` stays.
      cssTarget: ["chrome123", "firefox120", "safari17.5"],
      modulePreload: false,
      rolldownOptions: {
        input: ENTRIES,
        output: {
          entryFileNames: "[name].[hash:16].js",
          assetFileNames: "[name].[hash:16].[ext]",
          codeSplitting: false,
          // What Vue's licence asks for wherever it is copied to.
          postBanner: `/*! Vue\n${readFileSync(here("node_modules/vue/LICENSE"), "utf8").trim()}\n*/`,
        },
      },
    },
  });
  const files = readdirSync(fresh).sort();
  const names = Object.fromEntries(files.map((file) => [file.replace(/\.[\w-]{16}\./, "."), file]));
  writeFileSync(join(fresh, "manifest.json"), `${JSON.stringify(names, null, 2)}\n`);
  rmSync(TARGET, { recursive: true, force: true });
  renameSync(fresh, TARGET);
  for (const file of files) {
    const packed = gzipSync(readFileSync(join(TARGET, file)), { level: 9 }).length;
    console.log(`${file}: ${packed} bytes gzipped`);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
