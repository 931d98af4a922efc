/** A client for tests of apps: the real one, over a server and a browser in memory. No network, no waiting. */

import { type AuthClient, createAuthClient } from "../core/client.js";
import type { Transport } from "../core/wire.js";
import { createFakeBrowser, type FakeBrowser } from "./fake_browser.js";
import { createFakeServer, type FakeServer } from "./fake_server.js";

export type { FakeBrowser, Requested } from "./fake_browser.js";
export type { FakeFactors } from "./fake_factors.js";
export type { FakeServer, Jar } from "./fake_server.js";

export interface FakeAuthOptions {
  readonly transport?: Transport;
  /** Accounts that are there from the start, address to password. */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly locale?: string;
  readonly origins?: readonly string[];
  /** The browser's clock, in milliseconds. */
  readonly now?: () => number;
}

export interface FakeAuth {
  /** Give this to the app under test, as `<AuthProvider client={fake.client}>`. */
  readonly client: AuthClient;
  /** Return the client of another tab of the same browser. */
  readonly anotherTab: () => AuthClient;
  readonly server: FakeServer;
  readonly browser: FakeBrowser;
}

const SERVER = "https://auth.example.com";

/**
 * Return a client with its own server and browser. Everything behaves as in production: codes must be right, tokens
 * expire when `server.expireTokens()` says so, `browser.setOnline(false)` cuts the network.
 */
export function createFakeAuth(options: FakeAuthOptions = {}): FakeAuth {
  const now = options.now ?? Date.now;
  const server = createFakeServer(now);
  for (const [email, password] of Object.entries(options.accounts ?? {})) server.addAccount(email, password);
  const browser = createFakeBrowser(server, SERVER, { now });
  const anotherTab = () => {
    const ports = browser.tab();
    return createAuthClient({
      baseUrl: SERVER,
      clientId: "web",
      ports,
      ...(options.locale === undefined ? {} : { locale: options.locale }),
      ...(options.origins === undefined ? {} : { origins: options.origins }),
      ...(options.transport === "body" && ports.storage
        ? { transport: "body", storage: ports.storage }
        : { transport: options.transport === "session" ? "session" : "cookie" }),
    });
  };
  return { client: anotherTab(), anotherTab, server, browser };
}
