/** The CSRF value of the cookie transports: read where the page may, fetched before the first write, repaired once. */

import { errorOf, hasCode } from "./error.js";
import { bodyOf, type Http } from "./http.js";
import type { Ports } from "./ports.js";

export interface CsrfNames {
  readonly cookieName: string;
  readonly headerName: string;
}

export interface Csrf {
  /** Return the header for a write; asks the server where no value is known yet. */
  readonly header: () => Promise<Record<string, string>>;
  /** Send with the value that is known, and once more if that was missing or stale. */
  readonly guarded: (send: (headers: Record<string, string>) => Promise<Response>) => Promise<Response>;
  /** Take the fresh value that the details of `csrf_failed` bring. Resolves to whether there is one. */
  readonly take: (details: unknown) => Promise<boolean>;
  /** A sign-in or sign-out binds a new value. */
  readonly forget: () => void;
}

export function createCsrf(http: Http, ports: Ports, names: CsrfNames): Csrf {
  let known: string | undefined;
  // A cookie of that name on another host is somebody else's.
  const isReadable =
    ports.origin !== undefined && new URL(ports.origin).hostname === new URL(http.url(""), ports.origin).hostname;
  const current = () => (isReadable ? ports.readCookie(names.cookieName) : undefined) ?? known;
  const asHeader = (value: string | undefined): Record<string, string> => (value ? { [names.headerName]: value } : {});
  const fetched = async () => {
    const { csrf_token } = await bodyOf<{ csrf_token: string }>(await http.send("GET", "/auth/csrf"));
    known = csrf_token;
    return csrf_token;
  };
  const taken = async (details: unknown): Promise<string> => {
    const brought = (details as { csrf_token?: unknown } | undefined)?.csrf_token;
    if (typeof brought !== "string") return fetched();
    known = brought;
    return brought;
  };
  return {
    header: async () => asHeader(current() ?? (await fetched())),
    take: async (details) => (await taken(details)) !== "",
    forget: () => {
      known = undefined;
    },
    guarded: async (send) => {
      const response = await send(asHeader(current()));
      if (response.status !== 403) return response;
      const error = await errorOf(response.clone());
      return hasCode(error, "csrf_failed") ? send(asHeader(await taken(error.details))) : response;
    },
  };
}
