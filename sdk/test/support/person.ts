/** A person at a browser: what the tests of the core begin with. */

import type { AuthEvent } from "../../src/core/index.js";
import { createFakeAuth, type FakeAuth, type FakeAuthOptions } from "../../src/testing/index.js";

export const EMAIL = "hanako@example.com";
export const PASSWORD = "seven white cranes";
export const API = "https://api.example.com";
export const SERVER = "https://auth.example.com";

export interface Person extends FakeAuth {
  readonly events: AuthEvent[];
  /** How often a path of the server was called. */
  readonly calls: (path: string) => number;
  /** How many requests went to the app's own API. */
  readonly apiCalls: () => number;
}

export function atBrowser(options: FakeAuthOptions = {}): Person {
  const fake = createFakeAuth({ accounts: { [EMAIL]: PASSWORD }, origins: [API], ...options });
  const events: AuthEvent[] = [];
  fake.client.onAuthStateChange((event) => events.push(event));
  return {
    ...fake,
    events,
    calls: (path) =>
      fake.browser.requests.filter((request) => new URL(request.url).pathname === `/api/v1${path}`).length,
    apiCalls: () => fake.browser.requests.filter((request) => request.url.startsWith(API)).length,
  };
}

export async function signedIn(options: FakeAuthOptions = {}): Promise<Person> {
  const person = atBrowser(options);
  await person.client.signIn({ email: EMAIL, password: PASSWORD });
  await settled();
  return person;
}

/** Let everything that is under way come to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setTimeout(resolve, turn < 4 ? 0 : 11));
}

/** An API of the app that takes the tokens which the server would take. */
export function guardedApi(person: Person): void {
  person.browser.intercept = async (request) => {
    if (!request.url.startsWith(API)) return undefined;
    const asked = new Request(`${SERVER}/api/v1/auth/session`, { headers: request.headers });
    const answer = await person.server.answer(asked, new Map());
    return answer.ok ? Response.json({ method: request.method, body: await request.text() }) : answer;
  };
}

/** Answer calls of one path of the server with this instead; `times` 0 means always. */
export function answerInstead(person: Person, path: string, make: () => Response | Promise<Response>, times = 0): void {
  const before = person.browser.intercept;
  let left = times === 0 ? Number.POSITIVE_INFINITY : times;
  person.browser.intercept = async (request) => {
    if (new URL(request.url).pathname !== `/api/v1${path}` || left <= 0) return before?.(request);
    left -= 1;
    return make();
  };
}

export const refusal = (status: number, error: string, headers: Record<string, string> = {}): Response =>
  Response.json({ error, message: error }, { status, headers });

export const typesOf = (events: readonly AuthEvent[]): string[] => events.map((event) => event.type);

/** A promise with its handle. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
