/** A sign-up whose code is still to come, kept for when this tab is loaded again. Never the password. */

import type { PendingSignUp } from "../core/wire.js";

const KEY = "sekisho sign-up";

interface Kept {
  /** The form that it began in: the same one goes on with it. */
  readonly from: string;
  readonly email: string;
  readonly pending: string;
  /** When the code ends, in milliseconds since 1970 by this browser's clock. */
  readonly until: number;
}

/** Keep it, or with null forget what was kept. */
export function keepPending(from: string, pending: PendingSignUp | null): void {
  const kept: Kept | null = pending && {
    from,
    email: pending.email,
    pending: pending.pending,
    until: Date.now() + pending.expires_in * 1_000,
  };
  try {
    if (kept) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Browsers throw where the person forbids storage: then it lives as long as the page.
  }
}

/** Return what this form was in the middle of, or null. */
export function keptPending(from: string): PendingSignUp | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
    const seconds = Math.ceil(((kept?.until ?? 0) - Date.now()) / 1_000);
    if (!kept || kept.from !== from || seconds <= 0) return null;
    return { email: kept.email, pending: kept.pending, expires_in: seconds, message: "" };
  } catch {
    return null;
  }
}
