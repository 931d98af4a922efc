/** The ways to show a second factor, in words, and the field for its code. */

import type { FormState } from "./form.js";
import type { Say } from "./labels.js";
import type { Drawing } from "./model.js";
import { field } from "./parts.js";

const METHODS = ["totp", "recovery_code", "email", "sms"] as const;

/** Methods that this version has no words for are named as the server names them. */
export function methodText(say: Say, about: "second" | "use", method: string): string {
  const known = METHODS.find((one) => one === method);
  return known ? say(`${about}_${known}`) : method;
}

/** Draw the field for a code: digits from an app, a mail or a text message, or one of the recovery codes. */
export function codeField<N>(drawing: Drawing<N>, state: FormState, method: string): N {
  const isRecovery = method === "recovery_code";
  return field(drawing, state, {
    name: "code",
    label: drawing.say(isRecovery ? "recovery_code" : "factor_code"),
    attributes: {
      type: "text",
      autocomplete: isRecovery ? "off" : "one-time-code",
      inputmode: isRecovery ? "text" : "numeric",
      autocapitalize: "none",
      spellcheck: "false",
      required: true,
      class: "sekisho-input sekisho-code",
    },
  });
}
