/** Processes that tests start: a free port, the wait for the first answer, and the end. */

import type { ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** A port below those that the system gives to whoever connects next: nobody takes it before our server does. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

export async function answers(url: string, process: ChildProcess, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    if (process.exitCode !== null) throw new Error(`it ended with ${process.exitCode}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch (cause) {
      last = cause;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("no answer in time", { cause: last });
}

/** End it and wait until it is gone; where it leads a group of its own, the whole group. */
export async function ended(child: ChildProcess, { isGroup = false } = {}): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  process.kill(isGroup ? -child.pid : child.pid, "SIGTERM");
  await gone;
}
