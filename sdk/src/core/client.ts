/** The client that apps hold: thin, over an engine that all clients of one server and app share in a tab. */

import { type Account, createAccount } from "./account.js";
import { type Calls, createCalls } from "./calls.js";
import type { CsrfNames } from "./csrf.js";
import { createEngine, type Engine, type EngineOptions } from "./engine.js";
import type { AuthError } from "./error.js";
import { createFactors, type Factors } from "./factors.js";
import { createNotMe, type NotMe } from "./not_me.js";
import { createPasswordReset, type PasswordReset } from "./password_reset.js";
import { browserPorts, type KeyValueStorage, type Ports } from "./ports.js";
import { createRenewal, inBackground, learn, type Renewal } from "./renewal.js";
import { createSignIns, type SignedIn, type SignIns } from "./sign_in.js";
import { createSignOuts, createTellLeft, type SignOuts, type TellLeft } from "./sign_out.js";
import { type AuthListener, type AuthState, isKnown, LOADING, SIGNED_OUT } from "./state.js";
import type { CurrentSession, Transport } from "./wire.js";

interface CommonOptions {
  /** Where the server is, as `https://auth.example.com`. Left out: the page's own origin. */
  readonly baseUrl?: string;
  /** The app's name, as `web`. A device part is made once and kept. */
  readonly clientId: string;
  /** Origins besides the server's that the access token may go to. Left out: the page's own. */
  readonly origins?: readonly string[];
  /** The language of the server's messages, `ja` or `en`. Left out: what the browser prefers. */
  readonly locale?: string;
  /** If the server's names were changed by its settings. */
  readonly csrf?: Partial<CsrfNames>;
  /** For tests and unusual places; what is left out is the browser's. */
  readonly ports?: Partial<Ports>;
}

export type AuthClientOptions = CommonOptions &
  (
    | { readonly transport?: Exclude<Transport, "body">; readonly storage?: KeyValueStorage }
    /** `storage` holds the refresh token, so it must be a safe place: a keychain, never `localStorage`. */
    | { readonly transport: "body"; readonly storage: KeyValueStorage }
  );

export interface AuthClient
  extends Pick<SignIns, "signUp" | "confirmSignUp" | "resendCode" | "signIn" | "secondFactor" | "sendFactorCode">,
    Pick<SignOuts, "signOut">,
    Pick<Calls, "authorize" | "recover" | "authFetch" | "getAccessToken">,
    PasswordReset,
    NotMe,
    Factors,
    Account {
  /** Who is signed in, or null. Rejects with a retryable `AuthError` while that cannot be found out. */
  readonly getSession: () => Promise<SignedIn | null>;
  /** Trade the access token for a new one now, or for transport `session` ask the server whether the session lives. */
  readonly refresh: () => Promise<void>;
  /** Hear of what happens; `INITIAL_SESSION` comes first, once it is known. Returns the undo. */
  readonly onAuthStateChange: (listener: AuthListener) => () => void;
  /** Be called whenever `getSnapshot` has something new. Returns the undo. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => AuthState;
  /** What a page rendered on a server knows: nothing yet. */
  readonly getServerSnapshot: () => AuthState;
  /** Let go of the other tabs and of page events. The session stays. */
  readonly dispose: () => void;
}

/** The page came back: a session that was checked a moment ago is not asked for again. */
const CHECK_AFTER_MS = 30_000;

interface Shared {
  readonly engine: Engine;
  readonly renewal: Renewal;
  readonly calls: Calls;
  readonly tellLeft: TellLeft;
  readonly start: () => Promise<void>;
  readonly close: () => void;
  readonly ports: Partial<Ports> | undefined;
  holders: number;
}

const sharedInThisTab: Shared[] = [];

/**
 * Return a client. Nothing is sent and nothing is opened before it is first asked, or subscribed to.
 *
 * Clients of the same server, app and transport in a tab share one session, one token and one refresh. On a server
 * each is on its own.
 */
export function createAuthClient(given: AuthClientOptions): AuthClient {
  const options = checked(given);
  const shared = sharedFor(options, given.ports);
  const { engine, renewal, calls, tellLeft, start } = shared;
  const { store } = engine;
  const undo = new Set<() => void>();
  let isDisposed = false;

  /** Subscribing starts the work, and disposing of the client ends what it subscribed. */
  const held = (release: () => void) => {
    undo.add(release);
    inBackground(start());
    return () => {
      undo.delete(release);
      release();
    };
  };

  return {
    ...createSignIns(engine, renewal),
    ...createPasswordReset(engine),
    ...createNotMe(engine),
    ...createAccount(engine, calls),
    ...createFactors(engine, calls, renewal),
    ...createSignOuts(engine, calls, tellLeft),
    authorize: calls.authorize,
    recover: calls.recover,
    authFetch: calls.authFetch,
    getAccessToken: calls.getAccessToken,
    getSession: async () => {
      await start();
      const state = store.get();
      return state.status === "signed_in" ? state : null;
    },
    refresh: async () => {
      // Somebody asks: a pause of our own making is over, one that the server named is not.
      if (isKnown(store.get())) return renewal.renew();
      renewal.wake();
      await start();
    },
    onAuthStateChange: (listener) => held(store.listen(listener)),
    subscribe: (listener) => held(store.subscribe(listener)),
    getSnapshot: store.get,
    getServerSnapshot: () => LOADING,
    dispose: () => {
      if (isDisposed) return;
      isDisposed = true;
      for (const release of undo) release();
      shared.holders -= 1;
      if (shared.holders > 0) return;
      shared.close();
      const place = sharedInThisTab.indexOf(shared);
      if (place >= 0) sharedInThisTab.splice(place, 1);
    },
  };
}

function checked(given: AuthClientOptions): EngineOptions {
  const { transport = "cookie" } = given;
  if (transport === "body" && !given.storage)
    throw new TypeError('transport "body" needs a storage for the refresh token');
  return {
    baseUrl: (given.baseUrl ?? "").replace(/\/+$/, ""),
    clientId: given.clientId,
    transport,
    storage: given.storage,
    origins: given.origins,
    locale: given.locale,
    csrf: { cookieName: "csrftoken", headerName: "X-CSRFToken", ...given.csrf },
  };
}

function sharedFor(options: EngineOptions, given: Partial<Ports> | undefined): Shared {
  const ports = { ...browserPorts(), ...given };
  const same = (other: Shared) =>
    other.ports === given &&
    (["baseUrl", "clientId", "transport", "storage"] as const).every(
      (name) => other.engine.options[name] === options[name],
    );
  const found = ports.origin === undefined ? undefined : sharedInThisTab.find(same);
  if (found) {
    found.holders += 1;
    return found;
  }
  const made = createShared(options, ports, given);
  if (ports.origin !== undefined) sharedInThisTab.push(made);
  return made;
}

function createShared(options: EngineOptions, ports: Ports, given: Partial<Ports> | undefined): Shared {
  const engine = createEngine(options, ports);
  const renewal = createRenewal(engine);
  const tellLeft = createTellLeft(engine);
  let stopListening: (() => void) | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let left: Promise<AuthError | undefined> | undefined;

  /** Somebody signed out here while the server was away: that comes before asking who is signed in. */
  const start = async () => {
    engine.tabs.open();
    stopListening ??= ports.onWake(() => inBackground(wake()));
    if (isKnown(engine.store.get())) return;
    left ??= tellLeft();
    // Over `body` the storage knows by itself: the token of the session that was left is gone from it.
    if ((await left) && options.transport !== "body") engine.store.set(SIGNED_OUT);
    await renewal.ready();
  };

  const wake = async () => {
    if (await tellLeft()) return;
    renewal.wake();
    if (engine.store.get().status !== "signed_in" || ports.now() - checkedAt < CHECK_AFTER_MS) return;
    checkedAt = ports.now();
    learn(engine, await calls.call<CurrentSession>("GET", "/auth/session"));
  };

  const calls = createCalls(engine, renewal, start);
  return {
    engine,
    renewal,
    calls,
    tellLeft,
    start,
    ports: given,
    holders: 1,
    close: () => {
      stopListening?.();
      stopListening = undefined;
      engine.tabs.close();
      renewal.close();
    },
  };
}
