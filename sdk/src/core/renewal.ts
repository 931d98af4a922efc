/**
 * Renewal: one at a time in a tab, best effort one at a time among tabs, and never a sign-out without a definitive answer.
 *
 *     wait for the other tabs (at most 3 s) -> ask, again after a pause -> apply, unless a sign-in or sign-out came first
 *
 * Two tabs that refresh at once get one and the same successor from the server, so the lock only saves calls.
 */

import type { Engine } from "./engine.js";
import { AuthError, hasCode, isDefinitive } from "./error.js";
import { bodyOf } from "./http.js";
import { isKnown, sessionInfo } from "./state.js";
import { type AccessToken, tokenOf } from "./token.js";
import type { CurrentSession, Pair } from "./wire.js";

const LOCK_PATIENCE_MS = 3_000;
const TRIES = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_INSIDE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

/** `token` is undefined for transport `session`; `current` is there where the server was asked for it. */
interface Answer {
  readonly token?: AccessToken | undefined;
  readonly current?: CurrentSession;
}

export interface Renewal {
  /** Find out who is signed in, or trade the access token for a new one. Rejects if that is not decided. */
  readonly renew: () => Promise<void>;
  /** Resolves once it is known who is signed in. Rejects while the server does not answer. */
  readonly ready: () => Promise<void>;
  /** Resolves when nothing is under way. */
  readonly quiet: () => Promise<void>;
  /** The network is back: do not wait out a pause of our own making. */
  readonly wake: () => void;
  readonly close: () => void;
  readonly lock: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createRenewal(engine: Engine): Renewal {
  const { ports, store } = engine;
  let inFlight: Promise<void> | undefined;
  let flownFor = engine.generation();
  let failures = 0;
  let pause:
    | { readonly error: AuthError; readonly since: number; readonly length: number; readonly byServer: boolean }
    | undefined;
  let isRetryPlanned = false;
  let isClosed = false;

  const lock = <T>(work: () => Promise<T>) =>
    ports.withLock(`sekisho ${engine.options.baseUrl} ${engine.app}`, LOCK_PATIENCE_MS, work);

  const renew = (): Promise<void> => {
    // One that began before the last sign-in changes nothing any more: whoever asks now asks for the session of now.
    if (inFlight) return flownFor === engine.generation() ? inFlight : inFlight.then(renew);
    const waited = pause ? ports.now() - pause.since : 0;
    if (pause && waited >= 0 && waited < pause.length) return Promise.reject(pause.error);
    flownFor = engine.generation();
    inFlight = run().finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  };

  async function run(): Promise<void> {
    const generation = engine.generation();
    const before = engine.token();
    const isOvertaken = () => engine.generation() !== generation;
    try {
      const answer = await lock(async () => {
        const isDone = isOvertaken() || engine.token() !== before;
        return isDone ? undefined : await asked(engine, engine.believed(), isOvertaken);
      });
      failures = 0;
      pause = undefined;
      if (answer && !isOvertaken()) await apply(engine, answer);
    } catch (cause) {
      if (isOvertaken()) return;
      if (isOver(engine, cause)) {
        await engine.leave(cause.code);
        return;
      }
      const error = cause instanceof AuthError ? cause : new AuthError({ code: "network_error", status: 0, cause });
      rest(error);
      throw error;
    }
  }

  function rest(error: AuthError): void {
    const own = Math.min(2 ** failures * 1000, LONGEST_PAUSE_MS) * (0.5 + ports.random() / 2);
    failures += 1;
    const asked = (error.retryAfter ?? 0) * 1000;
    pause = { error, since: ports.now(), length: Math.max(own, asked), byServer: asked > own };
    if (!isKnown(store.get())) {
      store.set({ status: "unavailable", user: null, session: null, error });
      retryLater(pause.length);
    }
    store.emit({ type: "TOKEN_REFRESH_FAILED", error });
  }

  function retryLater(length: number): void {
    if (isRetryPlanned) return;
    isRetryPlanned = true;
    void ports.sleep(length).then(() => {
      isRetryPlanned = false;
      pause = undefined;
      if (!isClosed && !isKnown(store.get())) inBackground(renew());
    });
  }

  return {
    renew,
    lock,
    ready: () => (isKnown(store.get()) ? Promise.resolve() : renew()),
    quiet: async () => {
      if (inFlight) await inFlight.catch(ITS_OWN_CALLERS_KNOW);
    },
    wake: () => {
      if (pause && !pause.byServer) pause = undefined;
      if (!isKnown(store.get())) inBackground(renew());
    },
    close: () => {
      isClosed = true;
    },
  };
}

/** Nobody waits for this one: what it fails of stands in the store and in `TOKEN_REFRESH_FAILED`. */
export function inBackground(work: Promise<unknown>): void {
  work.catch(ITS_OWN_CALLERS_KNOW);
}

const ITS_OWN_CALLERS_KNOW = () => {};

/** Ask, and ask again after a pause where the answer decided nothing: with the same token, inside the server's grace time. */
async function asked(
  engine: Engine,
  believed: string | undefined,
  isOvertaken: () => boolean,
): Promise<Answer | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await askOnce(engine, believed);
    } catch (error) {
      if (hasCode(error, "session_changed") && believed !== undefined) return asked(engine, undefined, isOvertaken);
      if (!(error instanceof AuthError) || !error.retryable || tries === TRIES) throw error;
      const own = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + engine.ports.random());
      const length = Math.max(own, (error.retryAfter ?? 0) * 1000);
      if (length > LONGEST_PAUSE_INSIDE_MS) throw error;
      await engine.ports.sleep(length);
      if (isOvertaken()) return undefined;
    }
  }
}

async function askOnce(engine: Engine, believed: string | undefined): Promise<Answer> {
  const headers: Record<string, string> = believed === undefined ? {} : { "X-Sekisho-Session": believed };
  if (engine.options.transport === "session") return { current: await current(engine, headers) };
  const pair = await refreshed(engine, headers);
  const token = tokenOf(pair, engine.http.serverNow(), engine.ports.random());
  if (!token) throw new AuthError({ code: "unexpected_answer", status: 200 });
  engine.tabs.post({ type: "token", token });
  // With what is required the roles change, which only the server tells.
  const isOld = token.session.acr_required === engine.store.get().session?.acr_required;
  if (token.session.id === believed && isOld) return { token };
  return { token, current: await current(engine, { Authorization: `Bearer ${token.value}` }) };
}

async function refreshed(engine: Engine, headers: Record<string, string>): Promise<Pair> {
  const client_id = await engine.keeping.clientId();
  if (engine.options.transport === "cookie") {
    const send = (csrf: Record<string, string>) =>
      engine.http.send("POST", "/auth/refresh", { client_id }, { ...headers, ...csrf });
    return bodyOf<Pair>(await engine.csrf.guarded(send));
  }
  const generation = engine.generation();
  const refresh_token = await engine.keeping.refreshToken();
  if (!refresh_token) throw new AuthError({ code: "refresh_token_invalid", status: 401 });
  const pair = await bodyOf<Pair>(
    await engine.http.send("POST", "/auth/refresh", { refresh_token, client_id }, headers),
  );
  await engine.keeping.keepRefreshToken(pair.refresh_token ?? refresh_token, () => engine.generation() === generation);
  return pair;
}

async function current(engine: Engine, headers: Record<string, string>): Promise<CurrentSession> {
  const query = engine.options.transport === "session" ? `?client_id=${engine.app}` : "";
  return bodyOf<CurrentSession>(await engine.http.send("GET", `/auth/session${query}`, undefined, headers));
}

async function apply(engine: Engine, { token, current }: Answer): Promise<void> {
  const believed = engine.believed();
  if (current && current.session.id !== believed) {
    return engine.enter({ user: current.user, session: sessionInfo(current.session), token });
  }
  if (current) learn(engine, current);
  if (!token) return;
  engine.setToken(token);
  engine.store.emit({ type: "TOKEN_REFRESHED" });
}

/** Take over what the server says of the session that is there, in all tabs. */
export function learn(engine: Engine, { user, session }: CurrentSession): void {
  const told = sessionInfo(session);
  engine.setUser(user, told);
  engine.tabs.post({ type: "user", user, session: told });
}

/** For an opaque cookie `unauthorized` is definitive too: the browser has none, or none that is genuine. */
function isOver(engine: Engine, cause: unknown): cause is AuthError {
  return isDefinitive(cause) || (engine.options.transport === "session" && hasCode(cause, "unauthorized"));
}
