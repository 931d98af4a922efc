/** The client in React's tree, and what components read of it. */

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { AuthClient } from "../core/client.js";
import type { AuthState, SessionInfo } from "../core/state.js";
import type { User } from "../core/wire.js";
import { chooseLocale, type Locale } from "../texts/index.js";

interface Given {
  readonly client: AuthClient;
  readonly locale: Locale | undefined;
}

const Context = createContext<Given | null>(null);

export interface AuthProviderProps {
  readonly client: AuthClient;
  /** The language of the components. Left out: what the browser prefers. */
  readonly locale?: Locale | undefined;
  readonly children?: ReactNode;
}

/** Give `client` to everything inside. Make the client once, outside of components. */
export function AuthProvider({ client, locale, children }: AuthProviderProps): ReactElement {
  const given = useMemo(() => ({ client, locale }), [client, locale]);
  return createElement(Context.Provider, { value: given }, children);
}

function useGiven(): Given {
  const given = useContext(Context);
  if (!given) throw new Error("no <AuthProvider client={…}> around this component");
  return given;
}

export const useClient = (): AuthClient => useGiven().client;

/** Return what is known now; the component is drawn again when that changes. */
export function useAuthState(): AuthState {
  const client = useClient();
  return useSyncExternalStore(client.subscribe, client.getSnapshot, client.getServerSnapshot);
}

/** Return the client's functions together with what is known now: `const { status, user, signOut } = useAuth()`. */
export function useAuth(): AuthClient & AuthState {
  const client = useClient();
  const state = useAuthState();
  return useMemo(() => ({ ...client, ...state }), [client, state]);
}

/** Return who is signed in, or null. */
export const useUser = (): User | null => useAuthState().user;

/** Return the session of this browser, or null. */
export const useSession = (): SessionInfo | null => useAuthState().session;

const never = () => () => {};
const preferred = (): Locale => chooseLocale(navigator.languages);
const onServer = (): Locale => "en";

/** Return the language of the components: English while a page from a server is taken over, then the browser's. */
export function useLocale(): Locale {
  const browser = useSyncExternalStore(never, preferred, onServer);
  return useGiven().locale ?? browser;
}
