/**
 * A forgotten password, inside of the form to sign in.
 *
 *     address -> mailed code -> new password -> back to the sign-in, with the address filled in
 *
 * Also the way on for somebody whose password an operator took away: the server says no more to them than to anybody
 * who mistyped, and a mail of its own has told them why.
 */

import type { AuthClient } from "../core/client.js";
import { hasCode } from "../core/error.js";
import { type Done, digits, type FormState, type Values } from "./form.js";
import type { Child, Drawing } from "./model.js";
import { field, form, mailedCode, reveal, whose } from "./parts.js";

export type ResetStep = "reset" | "reset_code" | "reset_new";

export interface ResetState {
  readonly email: string;
  /** Seconds that the mailed code lives. */
  readonly expires_in: number;
  /** What the code was traded for; in memory only. */
  readonly token: string;
}

export const RESET_FIELDS: Readonly<Record<ResetStep, readonly string[]>> = {
  reset: ["email"],
  reset_code: ["code"],
  reset_new: ["password"],
};

export interface Went {
  readonly step: ResetStep | "sign_in";
  readonly reset: ResetState;
  readonly done: Done;
}

/** Nothing is asked for yet. */
export const BEGUN: ResetState = { email: "", expires_in: 0, token: "" };

/** Send one step; return where the person is then. */
export async function sendReset(
  auth: AuthClient,
  step: ResetStep,
  reset: ResetState | null,
  { email = "", code = "", password = "" }: Values,
): Promise<Went> {
  const now = reset ?? BEGUN;
  if (step === "reset") return { step: "reset_code", reset: await mailed(auth, email), done: null };
  if (step === "reset_code") {
    const shown = { email: now.email, code: digits(code) };
    const { reset_token: token } = await auth.passwordReset.verifyCode(shown);
    return { step: "reset_new", reset: { ...now, token }, done: null };
  }
  await auth.passwordReset.complete({ reset_token: now.token, password });
  return { step: "sign_in", reset: { ...now, token: "" }, done: { label: "reset_done" } };
}

/** Have a code mailed; an older one dies. */
export async function mailed(auth: AuthClient, email: string): Promise<ResetState> {
  const { expires_in } = await auth.passwordReset.sendCode({ email });
  return { email, expires_in, token: "" };
}

export interface ResetActions {
  readonly show: (step: "sign_in" | "reset") => void;
  readonly submit: (values: Values) => Promise<void>;
  readonly resend: () => Promise<void>;
}

export interface ResetShown {
  readonly step: ResetStep;
  readonly reset: ResetState | null;
  readonly form: FormState;
}

export function resetStep<N>(drawing: Drawing<N>, state: ResetShown, actions: ResetActions): N {
  const { h, say } = drawing;
  const { step, reset } = state;
  const { email, expires_in } = reset ?? BEGUN;
  const hint = {
    reset: say("reset_hint"),
    reset_code: say("reset_code_hint", { email, minutes: Math.round(expires_in / 60) }),
    reset_new: say("reset_new_hint", { email }),
  };
  const button = { reset: "reset_send", reset_code: "confirm", reset_new: "reset_set" } as const;
  return h(
    "div",
    { key: step },
    h("p", { class: "sekisho-hint" }, hint[step]),
    form(
      drawing,
      {
        key: step,
        state: state.form,
        fields: RESET_FIELDS[step],
        button: say(button[step]),
        onsubmit: actions.submit,
      },
      fieldsOf(drawing, state, email),
    ),
    h("p", { class: "sekisho-other" }, ...waysFrom(drawing, state, actions)),
  );
}

function fieldsOf<N>(drawing: Drawing<N>, { step, form: state }: ResetShown, email: string): readonly Child<N>[] {
  const { say } = drawing;
  if (step === "reset") return [addressField(drawing, state, email)];
  if (step === "reset_code") {
    return [mailedCode(drawing, state)];
  }
  return [
    whose(drawing, email),
    field(drawing, state, {
      name: "password",
      label: say("new_password"),
      attributes: { type: "password", autocomplete: "new-password", required: true },
    }),
    reveal(drawing, ["password"]),
  ];
}

export function addressField<N>(drawing: Drawing<N>, state: FormState, initial: string | undefined): N {
  return field(drawing, state, {
    name: "email",
    label: drawing.say("email"),
    attributes: {
      type: "email",
      autocomplete: "username",
      inputmode: "email",
      autocapitalize: "none",
      spellcheck: "false",
      required: true,
      initial,
    },
  });
}

/** Where else a person may go from a step. */
function waysFrom<N>(
  { h, say }: Drawing<N>,
  { step, form: state }: ResetShown,
  actions: ResetActions,
): readonly Child<N>[] {
  const way = (label: string, onclick: () => unknown, key: string) =>
    h("button", { type: "button", class: "sekisho-link", onclick, key }, label);
  const isOver = hasCode(state.error, "reset_token_invalid");
  return [
    step === "reset_code" ? way(say("resend"), actions.resend, "resend") : null,
    step === "reset_code" ? way(say("change_email"), () => actions.show("reset"), "address") : null,
    isOver ? way(say("reset_again"), () => actions.show("reset"), "again") : null,
    way(say("back_to_sign_in"), () => actions.show("sign_in"), "back"),
  ];
}
