/** "That was not me": the address and the code of a letter end every session and take the password away. */

import type { Engine } from "./engine.js";
import { bodyOf } from "./http.js";

export interface NotMe {
  /** A new password is set by a password reset afterwards. Rejects with `invalid_code`. */
  readonly notMe: (given: { email: string; code: string }) => Promise<void>;
}

export function createNotMe({ http }: Engine): NotMe {
  return {
    notMe: async ({ email, code }) => {
      await bodyOf(await http.send("POST", "/auth/not-me", { email, code }));
    },
  };
}
