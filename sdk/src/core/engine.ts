/** What all clients of one server and one app share in a tab: who is signed in, and every way that this changes. */

import { type Csrf, type CsrfNames, createCsrf } from "./csrf.js";
import { createHttp, type Http } from "./http.js";
import { createKeeping, type Keeping, type Leaving } from "./keeping.js";
import type { KeyValueStorage, Ports } from "./ports.js";
import { createStore, type SessionInfo, SIGNED_OUT, type Store } from "./state.js";
import { createTabs, type Tabs } from "./tabs.js";
import type { AccessToken } from "./token.js";
import type { Transport, User } from "./wire.js";

export interface EngineOptions {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly transport: Transport;
  readonly storage: KeyValueStorage | undefined;
  readonly origins: readonly string[] | undefined;
  readonly locale: string | undefined;
  readonly csrf: CsrfNames;
}

/** What a relative address is relative to where there is no page. */
export const NOWHERE = "http://nowhere.invalid";

/** A sign-in that happened, here or in another tab. */
export interface Entry {
  readonly user: User;
  readonly session: SessionInfo;
  readonly token?: AccessToken | undefined;
}

export interface Engine {
  readonly options: EngineOptions;
  readonly ports: Ports;
  readonly http: Http;
  readonly csrf: Csrf;
  readonly keeping: Keeping;
  readonly store: Store;
  readonly tabs: Tabs;
  /** The app part of `client_id`. */
  readonly app: string;
  readonly isOurs: (url: URL) => boolean;
  readonly isServer: (url: URL) => boolean;
  readonly token: () => AccessToken | undefined;
  readonly setToken: (token: AccessToken) => void;
  /** Rises with each sign-in and sign-out: what began under an older one must change nothing any more. */
  readonly generation: () => number;
  /** The session that this tab believes in. */
  readonly believed: () => string | undefined;
  readonly enter: (entry: Entry, refreshToken?: string) => Promise<void>;
  readonly enterAsTold: (entry: Entry) => void;
  readonly leave: (reason: string) => Promise<Leaving | undefined>;
  readonly leaveAsTold: (session: string) => void;
  /** `session`: what is known of it now, if that was asked for too; another session's is not taken. */
  readonly setUser: (user: User, session?: SessionInfo) => void;
}

export function createEngine(options: EngineOptions, ports: Ports): Engine {
  const { baseUrl, clientId, transport } = options;
  const http = createHttp(baseUrl, ports, transport === "body" ? "omit" : "include", options.locale);
  const keeping = createKeeping(baseUrl, clientId, ports, options.storage);
  const store = createStore();
  const [app = ""] = clientId.split(":");
  const server = new URL(http.url(""), ports.origin ?? NOWHERE).origin;
  const origins = options.origins?.map((origin) => new URL(origin, ports.origin ?? NOWHERE).origin) ?? [ports.origin];
  let token: AccessToken | undefined;
  let generation = 0;

  const believed = () => store.get().session?.id;

  const change = (next: AccessToken | undefined) => {
    generation += 1;
    token = next;
    csrf.forget();
  };

  const enterAsTold = (entry: Entry) => {
    const wasKnown = store.get().status !== "loading";
    change(entry.token);
    store.set({ status: "signed_in", user: entry.user, session: entry.session });
    if (wasKnown) store.emit({ type: "SIGNED_IN", state: store.get() });
  };

  const leaveLocally = (reason: string) => {
    const wasSignedIn = store.get().status === "signed_in";
    change(undefined);
    store.set(SIGNED_OUT);
    if (wasSignedIn) store.emit({ type: "SIGNED_OUT", reason });
  };

  const csrf = createCsrf(http, ports, options.csrf);
  const engine: Engine = {
    options,
    ports,
    http,
    csrf,
    keeping,
    store,
    tabs: createTabs(ports, `sekisho ${baseUrl} ${app}`, () => engine),
    app,
    isServer: (url) => url.origin === server,
    isOurs: (url) => url.origin === server || origins.includes(url.origin),
    token: () => token,
    setToken: (next) => {
      token = next;
    },
    generation: () => generation,
    believed,
    enterAsTold,
    enter: async (entry, refreshToken) => {
      enterAsTold(entry);
      const mine = generation;
      engine.tabs.post({ type: "signed_in", ...entry });
      if (refreshToken !== undefined) await keeping.keepRefreshToken(refreshToken, () => mine === generation);
    },
    leave: async (reason) => {
      const session = believed();
      leaveLocally(reason);
      const mine = generation;
      if (session !== undefined) engine.tabs.post({ type: "signed_out", session });
      if (transport !== "body") return session === undefined ? undefined : { session };
      const refreshToken = await keeping.refreshToken();
      await keeping.keepRefreshToken(null, () => mine === generation);
      return session !== undefined && refreshToken ? { session, refreshToken } : undefined;
    },
    leaveAsTold: (session) => {
      if (believed() === session) leaveLocally("signed_out");
    },
    setUser: (given, told) => {
      const state = store.get();
      if (state.status !== "signed_in") return;
      const session = told?.id === state.session.id ? told : state.session;
      // The profile shows all roles; those of a session that has yet to show a second factor are the server's to say.
      const user = session === state.session && session.acr_required ? { ...given, roles: state.user.roles } : given;
      const isOther = !isSame(state.user, user);
      if (isOther || !isSame(state.session, session)) store.set({ ...state, user, session });
      if (isOther) store.emit({ type: "USER_UPDATED", user });
    },
  };
  return engine;
}

const isSame = (one: object, other: object) => JSON.stringify(one) === JSON.stringify(other);
