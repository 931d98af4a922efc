/** Sign-in, and the sign-up that ends in one: both answer with a pair, and a session starts here. */

import type { Engine } from "./engine.js";
import { AuthError } from "./error.js";
import { bodyOf } from "./http.js";
import type { Renewal } from "./renewal.js";
import { type AuthState, sessionInfo } from "./state.js";
import { tokenOf } from "./token.js";
import type { CurrentSession, Pair, PendingSignUp, SecondFactorRequired } from "./wire.js";

export type SignedIn = Extract<AuthState, { status: "signed_in" }>;

export interface SignIns {
  readonly signUp: (who: { email: string; password: string }) => Promise<PendingSignUp>;
  readonly resendCode: (sent: Pick<PendingSignUp, "email" | "pending">) => Promise<PendingSignUp>;
  readonly confirmSignUp: (sent: Pick<PendingSignUp, "email" | "pending"> & { code: string }) => Promise<SignedIn>;
  /** Finish a sign-in that answered `second_factor_required`. `trustDevice`: do not ask here again for `trust_days`. */
  readonly secondFactor: (shown: {
    challenge: string;
    method: string;
    code: string;
    trustDevice?: boolean;
  }) => Promise<SignedIn>;
  /** Have a code for `secondFactor` sent, for the methods `email` and `sms`. */
  readonly sendFactorCode: (asked: { challenge: string; method: string }) => Promise<void>;
  readonly signIn: (who: { email: string; password: string }) => Promise<SignedIn | SecondFactorRequired>;
}

export function createSignIns(engine: Engine, renewal: Renewal): SignIns {
  const { http, csrf, keeping, store } = engine;
  const { transport } = engine.options;

  const open = async <T>(path: string, fields: Record<string, string>): Promise<T> =>
    bodyOf<T>(await http.send("POST", path, { ...fields, client_id: await keeping.clientId() }));

  /** A renewal under way would set the cookie of the older session after ours: it goes first, in all tabs. */
  const enter = async <T extends Pair>(
    path: string,
    fields: Record<string, string | boolean>,
    chosen: { transport?: string } = { transport },
  ): Promise<T> => {
    engine.tabs.open();
    await renewal.quiet();
    return renewal.lock(async () => {
      const body = { ...fields, client_id: await keeping.clientId(), ...chosen };
      if (transport === "body") return bodyOf<T>(await http.send("POST", path, body));
      await csrf.header();
      return bodyOf<T>(await csrf.guarded((headers) => http.send("POST", path, body, headers)));
    });
  };

  const begin = async (pair: Pair): Promise<SignedIn> => {
    const token = tokenOf(pair, http.serverNow(), engine.ports.random());
    csrf.forget();
    if (token && pair.user) await engine.enter({ user: pair.user, session: token.session, token }, pair.refresh_token);
    else await beginByCookie();
    const state = store.get();
    if (state.status !== "signed_in") throw new AuthError({ code: "session_changed", status: 409 });
    // Whatever was still to be told of an older session of this browser: the server ended that one now.
    if (transport !== "body") await keeping.keepLeaving(null);
    return state;
  };

  const beginByCookie = async () => {
    const path = `/auth/session?client_id=${engine.app}`;
    const { user, session } = await bodyOf<CurrentSession>(await http.send("GET", path));
    await engine.enter({ user, session: sessionInfo(session) });
  };

  const trusted = async (): Promise<{ device_token?: string }> => {
    const kept = transport === "body" ? await keeping.deviceToken() : null;
    return kept ? { device_token: kept } : {};
  };

  return {
    signUp: ({ email, password }) => open("/auth/signup/send-code", { email, password }),
    resendCode: ({ email, pending }) => open("/auth/signup/resend-code", { email, pending }),
    confirmSignUp: async ({ email, pending, code }) =>
      begin(await enter("/auth/signup/verify-code", { email, pending, code })),
    secondFactor: async ({ challenge, method, code, trustDevice }) => {
      const fields = { challenge, method, code, ...(trustDevice ? { trust_device: true, ...(await trusted()) } : {}) };
      // The transport was chosen when the sign-in was begun.
      const pair = await enter<Pair>("/auth/second-factor", fields, {});
      if (pair.device_token) await keeping.keepDeviceToken(pair.device_token);
      return begin(pair);
    },
    sendFactorCode: async ({ challenge, method }) => {
      await bodyOf(await http.send("POST", "/auth/second-factor/send-code", { challenge, method }));
    },
    signIn: async ({ email, password }) => {
      const fields = { email, password, ...(await trusted()) };
      const answer = await enter<Pair | SecondFactorRequired>("/auth/login", fields);
      if (!("status" in answer)) return begin(answer);
      const { status, ...asked } = answer;
      store.emit({ type: "SECOND_FACTOR_REQUIRED", ...asked });
      return answer;
    },
  };
}
