/** An empty Vite app with the code blocks of the README in it, and this package as npm would install it. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SDK = fileURLToPath(new URL("../../", import.meta.url));
const TOOLS = join(SDK, "node_modules");

export interface EmptyApp {
  readonly folder: string;
  /** Run a tool of the app, as `npm run build` would. Throws with what it printed if it fails. */
  readonly run: (tool: string, ...words: string[]) => void;
  readonly remove: () => void;
}

/** Return the blocks that a README says to put into files: `Replace \`FILE\`:` and the block after it. */
export function filesIn(readme: string, heading: string): Record<string, string> {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const found = section.matchAll(/^Replace `([^`]+)`:\n\n```\w+\n(.*?)^```$/gms);
  return Object.fromEntries([...found].map(([, file = "", text = ""]) => [file, text]));
}

export function emptyApp(template: string, files: Record<string, string>, packages: readonly string[]): EmptyApp {
  const parent = mkdtempSync(join(tmpdir(), "sekisho-app-"));
  const node = (cwd: string, ...words: string[]) => {
    try {
      execFileSync(process.execPath, words, { cwd, encoding: "utf8", stdio: "pipe" });
    } catch (cause) {
      const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
      throw new Error(`${words.join(" ")}\n${stdout}${stderr}`, { cause });
    }
  };
  node(parent, join(TOOLS, "create-vite/index.js"), "app", "--template", template, "--no-interactive");
  const folder = join(parent, "app");

  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "sekisho"), { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", parent], { cwd: SDK, stdio: "pipe" });
  const { version } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as { version: string };
  const tarball = join(parent, `sekisho-${version}.tgz`);
  execFileSync("tar", ["-xzf", tarball, "-C", join(modules, "sekisho"), "--strip-components=1"]);
  for (const name of packages) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(TOOLS, name), join(modules, name));
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);

  return {
    folder,
    run: (tool, ...words) => node(folder, join(TOOLS, tool), ...words),
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}
