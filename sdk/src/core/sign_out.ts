/** Sign-out: here at once, whatever the network does; the server is told now, or as soon as it can be reached. */

import type { Calls } from "./calls.js";
import type { Engine } from "./engine.js";
import { AuthError, hasCode } from "./error.js";
import { bodyOf } from "./http.js";
import type { Leaving } from "./keeping.js";

export interface SignOuts {
  /**
   * Sign out `this` browser or device (what is left out means), the `others`, or `all`. `this` never fails for the
   * network: the server is told later. `others` and `all` reject if the server did not do it.
   */
  readonly signOut: (options?: { scope?: "this" | "others" | "all" }) => Promise<void>;
}

/** Tell the server of a sign-out that it has not heard of, if there is one. Resolves to why it still has not. */
export type TellLeft = () => Promise<AuthError | undefined>;

export function createTellLeft(engine: Engine): TellLeft {
  const { http, csrf, keeping } = engine;

  const logout = async ({ session, refreshToken }: Leaving): Promise<Response> => {
    const client_id = await keeping.clientId();
    if (refreshToken !== undefined)
      return http.send("POST", "/auth/logout", { refresh_token: refreshToken, client_id });
    return csrf.guarded((headers) =>
      http.send("POST", "/auth/logout", { client_id }, { ...headers, "X-Sekisho-Session": session }),
    );
  };

  return async () => {
    const leaving = await keeping.leaving();
    if (!leaving) return undefined;
    try {
      await bodyOf(await logout(leaving));
    } catch (cause) {
      if (!(cause instanceof AuthError)) throw cause;
      // Another session is in this browser now, so the older one is out of reach and nothing is left to end.
      if (!hasCode(cause, "session_changed")) return cause;
    }
    csrf.forget();
    await keeping.keepLeaving(null);
    return undefined;
  };
}

export function createSignOuts(engine: Engine, calls: Calls, tellLeft: TellLeft): SignOuts {
  return {
    signOut: async ({ scope = "this" } = {}) => {
      if (scope !== "this") {
        await calls.call("POST", "/auth/sessions/logout-all", { except_current: scope === "others" });
        if (scope === "all") await engine.leave("signed_out");
        return;
      }
      const leaving = await engine.leave("signed_out");
      if (!leaving) return;
      await engine.keeping.keepLeaving(leaving);
      const failed = await tellLeft();
      if (failed && !failed.retryable) throw failed;
    },
  };
}
