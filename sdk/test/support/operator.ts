/** The operator: commands of `sekisho` on the data of a server, and somebody who writes into a copy of its database. */

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PYTHON = fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));
const WORK_MS = 60_000;

export interface Told {
  readonly code: number;
  readonly text: string;
}

/** What `sekisho audit verify --json` says. */
export interface Proof {
  readonly whole: boolean;
  readonly head_checked: boolean;
  readonly records: number;
  /** How many records no seal covers yet. */
  readonly waiting: number;
  /** RFC 3339: when the newest seal was made. */
  readonly sealed_until: string | null;
  readonly found: readonly { readonly kind: string; readonly number: number }[];
}

export function sekisho(folder: string, ...words: string[]): Promise<Told> {
  return python(folder, "-m", "sekisho", "--dev", ...words);
}

export async function audit(folder: string, ...words: string[]): Promise<{ code: number; proof: Proof }> {
  const { code, text } = await sekisho(folder, "audit", "verify", "--json", ...words);
  return { code, proof: JSON.parse(text) as Proof };
}

/** Wait until everything that was written before this call is sealed; a running server seals every ten seconds. */
export async function sealed(folder: string, withinMs = 45_000): Promise<Proof> {
  const from = Date.now();
  for (;;) {
    const { proof } = await audit(folder);
    const until = proof.sealed_until === null ? 0 : Date.parse(proof.sealed_until);
    if (proof.waiting === 0 || until > from) return proof;
    if (Date.now() - from > withinMs) throw new Error(`records were not sealed: ${JSON.stringify(proof)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Copy what a server keeps, its head file too, and let somebody change the copy of the database. */
export async function changedCopy(folder: string, sql: string): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), "sekisho-copy-"));
  const [from, to] = [join(folder, ".sekisho"), join(copy, ".sekisho")];
  mkdirSync(to, { mode: 0o700 });
  for (const name of ["secret", "sekisho.audit-head"]) cpSync(join(from, name), join(to, name));
  const work = [
    "import apsw, os, sys",
    "source, target, sql = sys.argv[1:]",
    "os.umask(0o077)",
    "apsw.Connection(source).execute('VACUUM INTO ?', (target,))",
    "apsw.Connection(target).execute(sql).fetchall()",
  ].join("\n");
  const done = await python(copy, "-c", work, join(from, "sekisho.db"), join(to, "sekisho.db"), sql);
  if (done.code !== 0) throw new Error(done.text);
  return copy;
}

function python(folder: string, ...words: string[]): Promise<Told> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1" };
  return new Promise((resolve) => {
    execFile(PYTHON, words, { cwd: folder, env, timeout: WORK_MS }, (cause, stdout, stderr) => {
      const code = cause ? (typeof cause.code === "number" ? cause.code : -1) : 0;
      resolve({ code, text: stdout || stderr });
    });
  });
}
