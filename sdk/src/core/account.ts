/** What a signed-in person sees and changes of the account: sessions, profile, recovery address, withdrawal. */

import type { Calls } from "./calls.js";
import type { Engine } from "./engine.js";
import { AuthError } from "./error.js";
import type { History, MailedCode, RecoveryEmail, Session, User } from "./wire.js";

const RECOVERY = "/user/recovery-email";
const ID = /^[A-Za-z0-9_-]{1,128}$/;

export interface Account {
  readonly sessions: {
    /** Return the account's live sessions, last used first. */
    readonly list: () => Promise<readonly Session[]>;
    /** End one. Rejects with `not_found` for what is unknown or another account's. */
    readonly end: (id: string) => Promise<void>;
    /** End every session but this one; resolves to how many there were. */
    readonly endOthers: () => Promise<number>;
  };
  /** What happened to the account, newest first, 50 events a page. `after` is the `next` of the page before. */
  readonly history: (after?: string) => Promise<History>;
  readonly profile: {
    readonly get: () => Promise<User>;
    /** Change what is named, leave the rest. */
    readonly update: (change: { name?: string; locale?: string }) => Promise<User>;
  };
  readonly password: {
    /**
     * Change it; the other sessions end unless they are to be kept. Resolves to how many ended. Rejects with
     * `invalid_credentials` for a wrong current password.
     */
    readonly change: (given: {
      current_password: string;
      password: string;
      keep_other_sessions?: boolean;
    }) => Promise<number>;
  };
  readonly email: {
    /** Have a code mailed to a new address. */
    readonly sendCode: (given: { email: string; password: string }) => Promise<MailedCode>;
    /** Take the new address; the other sessions end. Rejects with `invalid_code`. */
    readonly verifyCode: (given: { email: string; code: string }) => Promise<User>;
  };
  readonly recoveryEmail: {
    /** Return where the code of a password reset goes too; null if nowhere. */
    readonly get: () => Promise<RecoveryEmail | null>;
    /** Have a code mailed to that address. */
    readonly sendCode: (given: { email: string; password: string }) => Promise<MailedCode>;
    /** Take it, in the place of an older one. Rejects with `invalid_code`. */
    readonly verifyCode: (given: { email: string; code: string }) => Promise<RecoveryEmail>;
    /** Rejects with `step_up_required` where the proof is too old, and with `not_found` where there is none. */
    readonly remove: () => Promise<void>;
  };
  /** Erase the account. There is no way back. Rejects with `invalid_credentials` for a wrong password. */
  readonly withdraw: (proof: { password: string }) => Promise<void>;
}

export function createAccount(engine: Engine, { call }: Calls): Account {
  const learnt = (user: User): User => {
    engine.setUser(user);
    engine.tabs.post({ type: "user", user });
    return user;
  };
  return {
    sessions: {
      list: async () => (await call<{ sessions: Session[] }>("GET", "/auth/sessions")).sessions,
      end: async (id) => {
        // Spliced into a path: "../user/account" must not become another call.
        if (!ID.test(id)) throw new AuthError({ code: "not_found", status: 404 });
        await call("DELETE", `/auth/sessions/${id}`);
        if (id === engine.believed()) await engine.leave("signed_out");
      },
      endOthers: async () =>
        (await call<{ ended: number }>("POST", "/auth/sessions/logout-all", { except_current: true })).ended,
    },
    history: (after) =>
      call<History>("GET", after === undefined ? "/auth/history" : `/auth/history?after=${encodeURIComponent(after)}`),
    profile: {
      get: async () => learnt(await call<User>("GET", "/user/profile")),
      update: async (change) => learnt(await call<User>("PUT", "/user/profile", change)),
    },
    password: {
      change: async ({ current_password, password, keep_other_sessions = false }) => {
        const body = { current_password, password, keep_other_sessions };
        return (await call<{ ended: number }>("PUT", "/user/password", body)).ended;
      },
    },
    email: {
      sendCode: ({ email, password }) => call<MailedCode>("POST", "/user/email/send-code", { email, password }),
      verifyCode: async ({ email, code }) =>
        learnt(await call<User>("POST", "/user/email/verify-code", { email, code })),
    },
    recoveryEmail: {
      get: async () => {
        const found = await call<RecoveryEmail | { email: null }>("GET", RECOVERY);
        return found.email === null ? null : found;
      },
      sendCode: ({ email, password }) => call<MailedCode>("POST", `${RECOVERY}/send-code`, { email, password }),
      verifyCode: ({ email, code }) => call<RecoveryEmail>("POST", `${RECOVERY}/verify-code`, { email, code }),
      remove: async () => void (await call("DELETE", RECOVERY)),
    },
    withdraw: async ({ password }) => {
      await call("DELETE", "/user/account", { password });
      await engine.leave("signed_out");
    },
  };
}
