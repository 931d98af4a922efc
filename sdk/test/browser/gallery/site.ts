/** The gallery, built by Vite as an app would be, on a free port. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { type Site, serveFolder } from "../chromium.js";

const GALLERY = fileURLToPath(new URL("./", import.meta.url));

export const FRAMEWORKS = ["react", "vue"] as const;

export async function startGallery(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-gallery-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const input = Object.fromEntries(FRAMEWORKS.map((name) => [name, join(GALLERY, `${name}.html`)]));
    await build({
      root: GALLERY,
      configFile: false,
      logLevel: "error",
      build: { outDir: folder, target: "es2022", cssTarget: "chrome123", rolldownOptions: { input } },
    });
    const site = await serveFolder(folder);
    const close = async () => {
      await site.close();
      remove();
    };
    return { url: site.url, close };
  } catch (cause) {
    remove();
    throw cause;
  }
}
