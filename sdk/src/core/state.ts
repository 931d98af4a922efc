/** The one store that everything subscribes to, and the events beside it. */

import type { AuthError } from "./error.js";
import type { SecondFactorRequired, User } from "./wire.js";

/** The session of this browser or device, as far as every transport knows it. */
export interface SessionInfo {
  readonly id: string;
  readonly client_id: string;
  readonly amr: readonly string[];
  /**
   * What the person's role, or the app, requires and this session has not shown: `aal2`, a second factor. Until then the
   * roles that it guards are left out of `user.roles` and of tokens. Left out where nothing is wanting.
   */
  readonly acr_required?: string;
}

/** Pick what is known of every session out of an answer. */
export const sessionInfo = ({ id, client_id, amr, acr_required }: SessionInfo): SessionInfo =>
  acr_required === undefined ? { id, client_id, amr } : { id, client_id, amr, acr_required };

/**
 * What is known now. A snapshot never changes; a new one takes its place.
 *
 * `loading`: not known yet. `unavailable`: not known, because the server does not answer; it is asked again by itself, and
 * `error` says what happened. An error never counts as signed in.
 */
export type AuthState =
  | { readonly status: "loading"; readonly user: null; readonly session: null }
  | { readonly status: "unavailable"; readonly user: null; readonly session: null; readonly error: AuthError }
  | { readonly status: "signed_in"; readonly user: User; readonly session: SessionInfo }
  | { readonly status: "signed_out"; readonly user: null; readonly session: null };

export type AuthEvent =
  | { readonly type: "INITIAL_SESSION"; readonly state: AuthState }
  | { readonly type: "SIGNED_IN"; readonly state: AuthState }
  /** `reason`: `signed_out` by the person here or in another tab, else the server's code. */
  | { readonly type: "SIGNED_OUT"; readonly reason: string }
  | { readonly type: "TOKEN_REFRESHED" }
  | { readonly type: "TOKEN_REFRESH_FAILED"; readonly error: AuthError }
  | { readonly type: "USER_UPDATED"; readonly user: User }
  | ({ readonly type: "SECOND_FACTOR_REQUIRED" } & Omit<SecondFactorRequired, "status">)
  /** An API wants fresher or stronger proof. `details` holds what it said of it, as `max_age` and `acr`. */
  | { readonly type: "STEP_UP_REQUIRED"; readonly details: Readonly<Record<string, unknown>> };

export type AuthListener = (event: AuthEvent) => unknown;

export const LOADING: AuthState = Object.freeze({ status: "loading", user: null, session: null });
export const SIGNED_OUT: AuthState = Object.freeze({ status: "signed_out", user: null, session: null });

export interface Store {
  readonly get: () => AuthState;
  readonly set: (state: AuthState) => void;
  readonly subscribe: (listener: () => void) => () => void;
  readonly emit: (event: AuthEvent) => void;
  readonly listen: (listener: AuthListener) => () => void;
}

export function createStore(): Store {
  let state = LOADING;
  let wasKnown = false;
  const listeners = new Set<() => void>();
  const eventListeners = new Set<AuthListener>();

  const tell = (listener: AuthListener, event: AuthEvent) =>
    // Later: outside whatever section emitted it, and a mistake in one listener reaches the page's error handler
    // without stopping the others.
    queueMicrotask(() => {
      if (eventListeners.has(listener)) void listener(event);
    });

  return {
    get: () => state,
    set: (next) => {
      if (next === state) return;
      state = Object.freeze(next);
      for (const listener of [...listeners]) listener();
      if (wasKnown || !isKnown(state)) return;
      wasKnown = true;
      for (const listener of eventListeners) tell(listener, initial(state));
    },
    subscribe: (listener) => {
      // Wrapped, so that one function subscribed twice counts twice.
      const own = () => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    emit: (event) => {
      for (const listener of eventListeners) tell(listener, event);
    },
    listen: (listener) => {
      const own: AuthListener = (event) => listener(event);
      eventListeners.add(own);
      if (wasKnown) tell(own, initial(state));
      return () => void eventListeners.delete(own);
    },
  };
}

export const isKnown = (state: AuthState) => state.status === "signed_in" || state.status === "signed_out";

const initial = (state: AuthState): AuthEvent => ({ type: "INITIAL_SESSION", state });
