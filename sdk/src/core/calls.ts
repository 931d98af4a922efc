/**
 * Calls that a session pays for.
 *
 *     is it one of our origins? -> authorize -> send -> 401: renew once, send once more -> hand the response back
 */

import { type Engine, NOWHERE } from "./engine.js";
import { AuthError, jsonOf } from "./error.js";
import { bodyOf, reached } from "./http.js";
import { inBackground, type Renewal } from "./renewal.js";

/** Less than this before its end a token may be too old when it arrives. */
const MARGIN_MS = 5_000;
const SAFE = ["GET", "HEAD", "OPTIONS"];
/** Refusals that a new token does not change. */
const NOT_ABOUT_THE_TOKEN = ["invalid_credentials", "step_up_required"];

/** What a request needs; made for HTTP clients of other kinds, see `sekisho/axios`. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether cookies go along, also to another origin. */
  readonly withCredentials: boolean;
  /** The access token in it, if any, and the session that it was made for. */
  readonly token: string | undefined;
  readonly session: string | undefined;
}

/** An answer that a request with an `Authorization` got. */
export interface Refused {
  readonly status: number;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}

export interface Calls {
  /** Return what a request to `url` needs, or null where it goes to none of our origins. */
  readonly authorize: (url: string, method: string) => Promise<Authorization | null>;
  /** After a refusal: return whether sending once more, newly authorized, makes sense. */
  readonly recover: (used: Authorization, refused: Refused) => Promise<boolean>;
  readonly getAccessToken: () => Promise<string | null>;
  readonly authFetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Call our own server's API. Rejects with every refusal. */
  readonly call: <T>(method: string, path: string, body?: unknown) => Promise<T>;
}

/** `ready` resolves once it is known who is signed in. */
export function createCalls(engine: Engine, renewal: Renewal, ready: () => Promise<void>): Calls {
  const { ports, http, csrf, store } = engine;
  const { transport } = engine.options;
  const absolute = (url: string) => new URL(url, ports.origin ?? NOWHERE);

  async function getAccessToken(): Promise<string | null> {
    await ready();
    const token = engine.token();
    if (engine.believed() === undefined || transport === "session") return null;
    if (token && http.serverNow() < token.renewAt) return token.value;
    if (token && http.serverNow() < token.expiresAt - MARGIN_MS) {
      inBackground(renewal.renew());
      return token.value;
    }
    await renewal.renew();
    return engine.token()?.value ?? null;
  }

  async function authorize(url: string, method: string): Promise<Authorization | null> {
    const target = absolute(url);
    if (!engine.isOurs(target)) return null;
    const token = (await getAccessToken()) ?? undefined;
    const session = engine.believed();
    const isOfCookie = transport === "session" && session !== undefined;
    return {
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(isOfCookie && !SAFE.includes(method.toUpperCase()) ? await csrf.header() : {}),
        ...(session !== undefined && engine.isServer(target) ? { "X-Sekisho-Session": session } : {}),
      },
      // To the server also over `cookie`, so that it can take the cookies of an ended session away.
      withCredentials: transport === "session" || (transport === "cookie" && engine.isServer(target)),
      token,
      session,
    };
  }

  async function recover(used: Authorization, refused: Refused): Promise<boolean> {
    const code = refused.body?.["error"];
    const details = refused.body?.["details"];
    if (code === "csrf_failed" && used.withCredentials) return csrf.take(details);
    if (code === "step_up_required") {
      store.emit({ type: "STEP_UP_REQUIRED", details: isRecord(details) ? details : {} });
    }
    if (code === "session_changed" && engine.believed() === used.session) {
      await renewed();
      return false;
    }
    if (refused.status !== 401 || used.session === undefined || NOT_ABOUT_THE_TOKEN.includes(String(code)))
      return false;
    if (engine.believed() === used.session && engine.token()?.value === used.token && !(await renewed())) return false;
    // Sent again for the same person only, and only with something new in it.
    return engine.believed() === used.session && used.token !== undefined && engine.token()?.value !== used.token;
  }

  /** Say whether a renewal got through. Where it did not, the refusal is handed back and the session stays. */
  async function renewed(): Promise<boolean> {
    try {
      await renewal.renew();
      return true;
    } catch (cause) {
      if (cause instanceof AuthError) return false;
      throw cause;
    }
  }

  async function authFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const isRequest = typeof input === "object" && "url" in input;
    const url = isRequest ? input.url : String(input);
    const method = init.method ?? (isRequest ? input.method : "GET");
    const given = new Headers(init.headers ?? (isRequest ? input.headers : undefined));
    const signal = init.signal ?? (isRequest ? input.signal : undefined);
    const plain = () => ports.fetch(isRequest ? input : url, init);
    if (given.has("Authorization")) return plain();

    const first = await abortable(authorize(url, method), signal);
    if (!first) return plain();
    const spare = isRequest && replayable(init.body) ? input.clone() : input;

    const send = async (target: string | URL | Request, by: Authorization) => {
      const headers = new Headers(given);
      for (const [name, value] of Object.entries(by.headers)) headers.set(name, value);
      const sentAt = ports.now();
      const answer = await ports.fetch(typeof target === "object" && "url" in target ? target : String(target), {
        ...init,
        headers,
        ...(by.withCredentials ? { credentials: "include" as const } : {}),
      });
      if (engine.isServer(absolute(url))) http.learn(answer, sentAt);
      return answer;
    };

    const response = await send(input, first);
    const isAgain = await abortable(worthRepeating(first, response), signal);
    if (!isAgain || !replayable(init.body)) return response;
    const second = await abortable(authorize(url, method), signal);
    return second && second.session === first.session ? send(spare, second) : response;
  }

  async function worthRepeating(used: Authorization, response: Response): Promise<boolean> {
    if (![401, 403, 409].includes(response.status)) return false;
    return recover(used, { status: response.status, body: await jsonOf(response.clone()) });
  }

  return {
    authorize,
    recover,
    getAccessToken,
    authFetch,
    call: async <T>(method: string, path: string, body?: unknown) => {
      const query = transport === "session" ? `?client_id=${engine.app}` : "";
      const headers: Record<string, string> = {};
      if (body !== undefined) headers["Content-Type"] = "application/json";
      if (engine.options.locale !== undefined) headers["Accept-Language"] = engine.options.locale;
      const init: RequestInit = { method, headers, cache: "no-store" };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await reached(authFetch(http.url(path) + query, init));
      return bodyOf<T>(response);
    },
  };
}

/** A stream is spent by the first sending. */
const replayable = (body: BodyInit | null | undefined) =>
  !(typeof ReadableStream !== "undefined" && body instanceof ReadableStream);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Give up waiting when the caller does. What is waited for goes on: others wait for it too. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  if (signal.aborted) {
    inBackground(work);
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason);
    signal.addEventListener("abort", give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", give));
  });
}
