/** Processes that tests start: a free port, the wait for the first answer, and the end. */

import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
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
