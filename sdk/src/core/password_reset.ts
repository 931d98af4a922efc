/** Password reset: a mailed code is traded for a reset token, and that for a new password. Nobody is signed in by it. */

import type { Engine } from "./engine.js";
import { bodyOf } from "./http.js";
import type { MailedCode, ResetToken } from "./wire.js";

export interface PasswordReset {
  readonly passwordReset: {
    /** Have a code mailed. The answer is the same whether the address has an account or not. */
    readonly sendCode: (who: { email: string }) => Promise<MailedCode>;
    /** Trade the code. Rejects with `invalid_code`. Keep the token in memory only. */
    readonly verifyCode: (given: { email: string; code: string }) => Promise<ResetToken>;
    /** Set the new password; every session of the account ends. Rejects with `reset_token_invalid`. */
    readonly complete: (given: { reset_token: string; password: string }) => Promise<void>;
  };
}

export function createPasswordReset({ http }: Engine): PasswordReset {
  const post = async <T>(step: string, body: Record<string, string>): Promise<T> =>
    bodyOf<T>(await http.send("POST", `/auth/password-reset/${step}`, body));
  return {
    passwordReset: {
      sendCode: ({ email }) => post("send-code", { email }),
      verifyCode: ({ email, code }) => post("verify-code", { email, code }),
      complete: async ({ reset_token, password }) => {
        await post("complete", { reset_token, password });
      },
    },
  };
}
