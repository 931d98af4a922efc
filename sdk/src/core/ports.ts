/** What the core needs from the world. A test brings its own; `browserPorts` are the real ones. */

/** Keeps small texts. `localStorage` fits, and so do asynchronous stores such as those of React Native. */
export interface KeyValueStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** Reaches the other tabs of this origin, never the sender itself. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

export interface Ports {
  readonly fetch: (input: string | Request, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970 by the local clock, which may be wrong. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** A name that nobody can guess and that no other device has. */
  readonly newId: () => string;
  /** Run `work` alone among the tabs, or after `patience` milliseconds of waiting without that. */
  readonly withLock: <T>(name: string, patience: number, work: () => Promise<T>) => Promise<T>;
  readonly openChannel: (name: string, onMessage: (message: unknown) => void) => Channel;
  /** Call back when the network returned or the page is looked at again; returns the undo. */
  readonly onWake: (callback: () => void) => () => void;
  readonly readCookie: (name: string) => string | undefined;
  /** Where small things that are no secret are kept; undefined where nothing can be kept. */
  readonly storage: KeyValueStorage | undefined;
  /** The page's own origin; undefined where there is no page. */
  readonly origin: string | undefined;
}

/** Return the ports of this browser, or on a server ports that do without one. Touches nothing yet. */
export function browserPorts(): Ports {
  const page = typeof document === "object" && typeof location === "object";
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random: () => Math.random(),
    newId: () =>
      Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    withLock: lockAcrossTabs,
    // Only for pages: on a server such a channel would lead from one person's client to another's.
    openChannel:
      page && typeof BroadcastChannel === "function" ? openBroadcast : () => ({ post: () => {}, close: () => {} }),
    onWake: page ? onWake : () => () => {},
    readCookie: (name) => (page ? cookieIn(document.cookie, name) : undefined),
    storage: page ? pageStorage() : undefined,
    origin: page ? location.origin : undefined,
  };
}

async function lockAcrossTabs<T>(name: string, patience: number, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "object" ? navigator.locks : undefined;
  if (!locks) return work();
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), patience);
  let started = false;
  try {
    return await locks.request(name, { signal: impatience.signal }, () => {
      started = true;
      clearTimeout(timer);
      return work();
    });
  } catch (cause) {
    // Not granted in time, or not allowed here: the server makes two refreshes at once harmless.
    if (started) throw cause;
    return work();
  } finally {
    clearTimeout(timer);
  }
}

function openBroadcast(name: string, onMessage: (message: unknown) => void): Channel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent) => onMessage(event.data);
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}

function onWake(callback: () => void): () => void {
  const onVisible = () => document.visibilityState === "visible" && callback();
  addEventListener("online", callback);
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    removeEventListener("online", callback);
    document.removeEventListener("visibilitychange", onVisible);
  };
}

function pageStorage(): KeyValueStorage | undefined {
  try {
    return localStorage;
  } catch {
    // Browsers throw where the person forbids storage; what would stand there lives as long as the page then.
    return undefined;
  }
}

function cookieIn(cookies: string, name: string): string | undefined {
  const start = `${name}=`;
  return cookies
    .split("; ")
    .find((pair) => pair.startsWith(start))
    ?.slice(start.length);
}
