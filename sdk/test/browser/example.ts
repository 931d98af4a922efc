/** One of the examples, started by its own one command against the server of the tests. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answers, ended, freePort } from "../support/process.js";
import type { Site } from "./chromium.js";

const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));
const PYTHON = fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));
/** The first start installs two locks from the network. */
const START_MS = 300_000;

/** What npm tells the scripts that it runs is about this package, not about the example's. */
const OF_NPM = /^(npm_(?!config_)|npm_config_.*prefix$|INIT_CWD$)/;

export interface Server {
  readonly url: string;
  readonly folder: string;
}

/** Start `examples/NAME/run.sh` with a new file for its data, named by the variable `data`. */
export async function startExample(name: string, server: Server, data: string): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-example-"));
  const port = await freePort();
  const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !OF_NPM.test(key)));
  const example: ChildProcess = spawn("sh", [join(EXAMPLES, name, "run.sh")], {
    env: {
      ...environment,
      PORT: String(port),
      AUTH_URL: server.url,
      AUTH_FOLDER: server.folder,
      PYTHON,
      [data]: join(folder, "data.db"),
    },
    // Of its own group, so that an end in the middle of the set-up reaches pip and npm too.
    detached: true,
  });
  let said = "";
  for (const stream of [example.stdout, example.stderr]) stream?.on("data", (part) => (said += String(part)));
  const close = async () => {
    await ended(example, { isGroup: true });
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://localhost:${port}`;
  try {
    await answers(url, example, START_MS);
  } catch (cause) {
    await close();
    throw new Error(`examples/${name} did not start:\n${said}`, { cause });
  }
  return { url, close };
}
