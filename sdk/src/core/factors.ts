/** Authenticators beside the password, and proving anew in a live session that it is you. */

import type { Calls } from "./calls.js";
import type { Engine } from "./engine.js";
import { AuthError } from "./error.js";
import { inBackground, type Renewal } from "./renewal.js";
import { tokenOf } from "./token.js";
import type { ConfirmedFactor, Enrolment, Factor, FactorList, Pair, TrustedDevice } from "./wire.js";

const ID = /^[A-Za-z0-9_-]{1,128}$/;

/** The password, or a method of `methods` with its code. */
export type Proof = { readonly password: string } | { readonly method: string; readonly code: string };

export interface Factors {
  /** Give this session a fresh or stronger proof, as calls that answer `step_up_required` demand. */
  readonly stepUp: (proof: Proof) => Promise<void>;
  /** Have a code for `stepUp` sent. */
  readonly sendStepUpCode: (method: string) => Promise<void>;
  readonly trustedDevices: {
    readonly list: () => Promise<readonly TrustedDevice[]>;
    /** Ask for the second step there again, from the next sign-in on. */
    readonly forget: (id: string) => Promise<void>;
  };
  readonly factors: {
    readonly list: () => Promise<FactorList>;
    /**
     * Begin to enrol: `totp` answers with the key and its QR code, this once; `email` has a code sent, and so has `sms`,
     * to the `phone` that it needs.
     */
    readonly enrol: (wanted: { kind: string; name?: string; phone?: string }) => Promise<Enrolment>;
    /** Finish with the first code. The first factor brings recovery codes, shown this once. */
    readonly confirm: (id: string, code: string) => Promise<ConfirmedFactor>;
    readonly rename: (id: string, name: string) => Promise<Factor>;
    readonly remove: (id: string) => Promise<void>;
    /** Make ten new recovery codes; the older ones die. */
    readonly newRecoveryCodes: () => Promise<readonly string[]>;
  };
}

export function createFactors(engine: Engine, { call }: Calls, renewal: Renewal): Factors {
  /** What was wanting has been shown: the roles come with a new token. If that cannot be had now, with the next one. */
  const catchUp = async () => {
    if (!engine.store.get().session?.acr_required) return;
    inBackground(renewal.renew());
    await renewal.quiet();
  };
  const at = (id: string, end = "", list = "factors"): string => {
    if (!ID.test(id)) throw new AuthError({ code: "not_found", status: 404 });
    return `/auth/${list}/${id}${end}`;
  };
  return {
    stepUp: async (proof) => {
      const generation = engine.generation();
      const pair = await call<Pair>("POST", "/auth/step-up", proof);
      const token = tokenOf(pair, engine.http.serverNow(), engine.ports.random());
      if (engine.generation() !== generation) return;
      if (token) {
        engine.setToken(token);
        engine.tabs.post({ type: "token", token });
      }
      await catchUp();
    },
    sendStepUpCode: async (method) => {
      await call("POST", "/auth/step-up/send-code", { method });
    },
    trustedDevices: {
      list: async () => (await call<{ devices: TrustedDevice[] }>("GET", "/auth/trusted-devices")).devices,
      forget: async (id) => {
        await call("DELETE", at(id, "", "trusted-devices"));
      },
    },
    factors: {
      list: () => call("GET", "/auth/factors"),
      enrol: (wanted) => call("POST", "/auth/factors", wanted),
      confirm: async (id, code) => {
        const confirmed = await call<ConfirmedFactor>("POST", at(id, "/confirm"), { code });
        await catchUp();
        return confirmed;
      },
      rename: async (id, name) => call("PUT", at(id), { name }),
      remove: async (id) => {
        await call("DELETE", at(id));
      },
      newRecoveryCodes: async () =>
        (await call<{ recovery_codes: string[] }>("POST", "/auth/factors/recovery-codes")).recovery_codes,
    },
  };
}
