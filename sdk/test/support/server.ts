/** The real server: `sekisho dev` of this checkout on a free port, with a folder of its own. A vitest global set-up. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    server: string;
  }
}

const PYTHON = new URL("../../../.venv/bin/python", import.meta.url).pathname;
const START_MS = 30_000;

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(PYTHON)) throw new Error("the journeys need the server: run `make setup-dev` first");
  const folder = mkdtempSync(join(tmpdir(), "sekisho-sdk-"));
  const port = await freePort();
  const limits = { SEKISHO_LIMITS__CODE_NETWORK_SENDS: "1000" };
  const { PATH = "", HOME = "" } = process.env;
  const server = spawn(PYTHON, ["-m", "sekisho", "dev"], {
    cwd: folder,
    env: { PATH, HOME, PORT: String(port), PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", ...limits },
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (part) => (said += String(part)));
  const stop = async () => {
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(`http://localhost:${port}/readyz`, server);
  } catch (cause) {
    await stop();
    throw new Error(`the server did not start:\n${said}`, { cause });
  }
  project.provide("server", `http://localhost:${port}`);
  return stop;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS;
  let last: unknown;
  while (Date.now() < deadline) {
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch (cause) {
      last = cause;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("no answer in time", { cause: last });
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await gone;
}
