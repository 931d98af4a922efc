/** The client in a Vue app, and what components read of it. */

import {
  type App,
  type ComputedRef,
  computed,
  type InjectionKey,
  inject,
  type ShallowRef,
  shallowReadonly,
  shallowRef,
} from "vue";
import type { AuthClient } from "../core/client.js";
import type { AuthState, SessionInfo } from "../core/state.js";
import type { User } from "../core/wire.js";
import { chooseLocale, type Locale } from "../texts/index.js";

export interface Given {
  readonly client: AuthClient;
  readonly state: Readonly<ShallowRef<AuthState>>;
  readonly locale: Readonly<ShallowRef<Locale>>;
}

const KEY: InjectionKey<Given> = Symbol("sekisho");

export interface AuthPluginOptions {
  readonly client: AuthClient;
  /** The language of the components. Left out: what the browser prefers. */
  readonly locale?: Locale;
}

/** `app.use(authPlugin, { client })` gives the client to everything in the app. */
export const authPlugin = {
  install(app: App, { client, locale: given }: AuthPluginOptions): void {
    const state = shallowRef(client.getServerSnapshot());
    const locale = shallowRef<Locale>(given ?? "en");
    app.provide(KEY, { client, state: shallowReadonly(state), locale: shallowReadonly(locale) });

    // Only from mounting on: a page that was rendered on a server is taken over as it was rendered.
    const mount = app.mount;
    app.mount = (...place) => {
      const mounted = mount(...place);
      locale.value = given ?? chooseLocale(navigator.languages);
      const follow = () => {
        state.value = client.getSnapshot();
      };
      app.onUnmount(client.subscribe(follow));
      follow();
      return mounted;
    };
  },
};

export function useGiven(): Given {
  const given = inject(KEY, null);
  if (!given) throw new Error("the app has no client: app.use(authPlugin, { client })");
  return given;
}

export type UseAuth = AuthClient & {
  readonly state: Readonly<ShallowRef<AuthState>>;
  readonly status: ComputedRef<AuthState["status"]>;
  readonly user: ComputedRef<User | null>;
  readonly session: ComputedRef<SessionInfo | null>;
};

/** Return the client's functions together with what is known now: `const { status, user, signOut } = useAuth()`. */
export function useAuth(): UseAuth {
  const { client, state } = useGiven();
  return {
    ...client,
    state,
    status: computed(() => state.value.status),
    user: computed(() => state.value.user),
    session: computed(() => state.value.session),
  };
}

/** Return who is signed in, or null. */
export function useUser(): ComputedRef<User | null> {
  return useAuth().user;
}

/** Return the session of this browser, or null. */
export function useSession(): ComputedRef<SessionInfo | null> {
  return useAuth().session;
}
