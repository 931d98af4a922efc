/** One call to the server: bounded in time, told apart from "no answer", and the server's clock learnt from it. */

import { AuthError, errorOf, isAbort, jsonOf, UNEXPECTED } from "./error.js";
import type { Ports } from "./ports.js";

const TIMEOUT_MS = 30_000;
/** A clock that differs by less may as well be right. */
const RESOLUTION_MS = 1_000;

export interface Http {
  /** Send to a path of the API and return the answer, whatever its status. Rejects with `network_error`. */
  readonly send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;
  /** Note what an answer of the server says about its clock. */
  readonly learn: (response: Response, sentAt: number) => void;
  /** Milliseconds since 1970 by the server's clock, as far as it is known. */
  readonly serverNow: () => number;
  readonly url: (path: string) => string;
}

export function createHttp(baseUrl: string, ports: Ports, credentials: RequestCredentials, locale?: string): Http {
  let offset = 0;
  const url = (path: string) => `${baseUrl}/api/v1${path}`;
  const learn = (response: Response, sentAt: number) => {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isNaN(date)) return;
    // The header has whole seconds, so the middle of that second; it was written about half-way.
    const seen = date + 500 - (sentAt + ports.now()) / 2;
    if (Math.abs(seen - offset) > RESOLUTION_MS) offset = seen;
  };
  return {
    url,
    learn,
    serverNow: () => ports.now() + offset,
    send: async (method, path, body, headers = {}) => {
      const sentAt = ports.now();
      const init: RequestInit = {
        method,
        credentials,
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(locale === undefined ? {} : { "Accept-Language": locale }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      const response = await reached(ports.fetch(url(path), init));
      learn(response, sentAt);
      return response;
    },
  };
}

/** Return the answer; a failure to get one becomes `network_error`, unless the caller itself gave up. */
export async function reached(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof AuthError || isAbort(cause)) throw cause;
    throw new AuthError({ code: "network_error", status: 0, cause });
  }
}

/** Return the JSON of a success. Rejects with the server's refusal, or `unexpected_answer` for what is none of ours. */
export async function bodyOf<T>(response: Response): Promise<T> {
  if (!response.ok) throw await errorOf(response);
  const body = await jsonOf(response);
  if (!body) throw new AuthError({ code: UNEXPECTED, status: response.status });
  return body as T;
}
