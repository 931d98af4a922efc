/** A guard for vue-router: pages that want a signed-in person send everybody else to the form. */

import type { AuthClient } from "../core/client.js";
import { AuthError } from "../core/error.js";

/** The part of a route that is looked at. */
export interface Destination {
  readonly fullPath: string;
  readonly meta: Readonly<Record<string | number | symbol, unknown>>;
}

export interface AuthGuardOptions {
  /** The path of the page with the form. The wish is handed to it as `?return_to=`. */
  readonly signIn: string;
}

/**
 * Return a guard: `router.beforeEach(authGuard(client, { signIn: "/sign-in" }))`.
 *
 * Routes with `meta: { requiresAuth: true }` are for signed-in people. While it cannot be found out who is signed in,
 * nobody is. This decides what is shown; what may be read is for the API to decide.
 */
export function authGuard(client: Pick<AuthClient, "getSession">, { signIn }: AuthGuardOptions) {
  return async (to: Destination): Promise<true | { path: string; query: { return_to: string } }> => {
    if (!to.meta["requiresAuth"] || (await isSignedIn(client))) return true;
    return { path: signIn, query: { return_to: to.fullPath } };
  };
}

async function isSignedIn(client: Pick<AuthClient, "getSession">): Promise<boolean> {
  try {
    return (await client.getSession()) !== null;
  } catch (cause) {
    if (cause instanceof AuthError) return false;
    throw cause;
  }
}
