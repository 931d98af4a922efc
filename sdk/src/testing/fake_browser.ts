/** A browser in memory: tabs that share cookies, storage, locks and messages, and a network that can be cut. */

import type { Ports } from "../core/ports.js";
import type { FakeServer, Jar } from "./fake_server.js";

export interface Requested {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

export interface FakeBrowser {
  /** Return the ports of a new tab. */
  readonly tab: () => Ports;
  readonly jar: Jar;
  readonly stored: Map<string, string>;
  /** Everything that was sent, oldest first, also what did not arrive. */
  readonly requests: Requested[];
  /** Cut the network, or bring it back; that wakes the tabs up. */
  readonly setOnline: (isOnline: boolean) => void;
  /** As if the person had come back to the page. */
  readonly wake: () => void;
  /** Called before the server sees a request. A response from here is the answer; a rejection is a cut line. */
  intercept: ((request: Request) => Promise<Response | undefined>) | undefined;
}

const ORIGIN = "https://app.example.com";

const LONGEST_PAUSE_MS = 10;

/** Pauses are short here: a test waits for what happens, not for time. They keep no finished test alive. */
function shortSleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, Math.min(milliseconds, LONGEST_PAUSE_MS));
    (timer as { unref?: () => void }).unref?.();
  });
}

export function createFakeBrowser(
  server: FakeServer,
  serverOrigin: string,
  clock: { now: () => number } = Date,
): FakeBrowser {
  const jar: Jar = new Map();
  const stored = new Map<string, string>();
  const requests: Requested[] = [];
  const listeners = new Map<string, Set<(message: unknown) => void>>();
  const wakers = new Set<() => void>();
  const queues = new Map<string, Promise<unknown>>();
  let isOnline = true;
  let made = 0;

  const fetchPort = async (input: string | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(typeof input === "string" ? new URL(input, ORIGIN) : input, init);
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    if (!isOnline) throw new TypeError("Failed to fetch");
    const answer = await browser.intercept?.(request.clone());
    if (answer) return answer;
    request.signal.throwIfAborted();
    if (new URL(request.url).origin !== serverOrigin) return Response.json({ from: request.url });
    return server.answer(request, request.credentials === "include" ? jar : new Map());
  };

  const openChannel: Ports["openChannel"] = (name, onMessage) => {
    const all = listeners.get(name) ?? new Set();
    listeners.set(name, all.add(onMessage));
    return {
      post: (message) => {
        const copy = structuredClone(message);
        for (const listener of all)
          if (listener !== onMessage) queueMicrotask(() => all.has(listener) && listener(copy));
      },
      close: () => void all.delete(onMessage),
    };
  };

  const withLock: Ports["withLock"] = async (name, _patience, work) => {
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    queues.set(name, mine.then(Object, Object));
    return mine;
  };

  const browser: FakeBrowser = {
    jar,
    stored,
    requests,
    intercept: undefined,
    wake: () => {
      for (const waker of [...wakers]) waker();
    },
    setOnline: (online) => {
      isOnline = online;
      if (online) browser.wake();
    },
    tab: () => ({
      fetch: fetchPort,
      now: () => clock.now(),
      sleep: shortSleep,
      random: () => 0.5,
      newId: () => `device-${(made += 1)}`,
      withLock,
      openChannel,
      onWake: (callback) => {
        wakers.add(callback);
        return () => void wakers.delete(callback);
      },
      readCookie: () => undefined,
      storage: {
        getItem: (key) => stored.get(key) ?? null,
        setItem: (key, value) => void stored.set(key, value),
        removeItem: (key) => void stored.delete(key),
      },
      origin: ORIGIN,
    }),
  };
  return browser;
}
