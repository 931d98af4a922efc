/** The real server: `sekisho dev` of this checkout on a free port, with a folder of its own. A vitest global set-up. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { answers, ended, freePort } from "./process.js";

declare module "vitest" {
  export interface ProvidedContext {
    server: string;
    /** Where it was started: commands there work on its data. */
    folder: string;
  }
}

export const PYTHON = new URL("../../../.venv/bin/python", import.meta.url).pathname;
const START_MS = 90_000;

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(PYTHON)) throw new Error("the journeys need the server: run `make setup-dev` first");
  const folder = mkdtempSync(join(tmpdir(), "sekisho-sdk-"));
  const port = await freePort();
  const settings = { SEKISHO_LIMITS__CODE_NETWORK_SENDS: "1000", SEKISHO_FACTORS__REQUIRED_CLIENTS: "console" };
  const { PATH = "", HOME = "" } = process.env;
  const server = spawn(PYTHON, ["-m", "sekisho", "dev"], {
    cwd: folder,
    env: { PATH, HOME, PORT: String(port), PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", ...settings },
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (part) => (said += String(part)));
  const stop = async () => {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(`http://localhost:${port}/readyz`, server, START_MS);
  } catch (cause) {
    await stop();
    throw new Error(`the server did not start:\n${said}`, { cause });
  }
  project.provide("folder", folder);
  project.provide("server", `http://localhost:${port}`);
  return stop;
}
