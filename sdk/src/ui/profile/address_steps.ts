/** An address that is taken in two steps: the password and the address, then the code that was mailed there. */

import type { MailedCode, User } from "../../core/wire.js";
import { type FormState, toField, type Values } from "../form.js";
import type { Label } from "../labels.js";
import type { Drawing } from "../model.js";
import { field, form } from "../parts.js";

export interface AddressSteps {
  readonly name: string;
  readonly state: { readonly form: FormState; readonly sent: MailedCode | null };
  readonly user: User;
  readonly label: Label;
  readonly hint: Label;
  readonly model: {
    readonly send: (values: Values) => Promise<void>;
    readonly confirm: (values: Values) => Promise<void>;
    readonly again: () => void;
  };
}

export const ASKED = ["email", "password"];

/** The name of the second form. */
export const codeOf = (name: string): string => `${name}-code`;

/** Where the cursor begins. */
export const firstOf = (name: string) => toField("email", name);

export function addressSteps<N>(drawing: Drawing<N>, steps: AddressSteps): N {
  const { sent } = steps.state;
  return sent ? codeStep(drawing, steps, sent) : askStep(drawing, steps);
}

function askStep<N>(drawing: Drawing<N>, { name, state, user, label, hint, model }: AddressSteps): N {
  const { h, say } = drawing;
  return h(
    "div",
    { class: "sekisho-opened", key: "ask" },
    h("p", { class: "sekisho-hint" }, say(hint)),
    form(drawing, { key: name, state: state.form, fields: ASKED, button: say("send_code"), onsubmit: model.send }, [
      field(drawing, state.form, {
        name: "email",
        label: say(label),
        attributes: {
          type: "email",
          autocomplete: "email",
          inputmode: "email",
          autocapitalize: "none",
          spellcheck: "false",
          required: true,
        },
      }),
      // Without a name, for the form has a field of that name: it only tells a password manager whose password it is.
      h("input", {
        type: "text",
        autocomplete: "username",
        initial: user.email,
        readonly: true,
        hidden: true,
        key: "whose",
      }),
      field(drawing, state.form, {
        name: "password",
        label: say("current_password"),
        attributes: { type: "password", autocomplete: "current-password", required: true },
      }),
    ]),
  );
}

function codeStep<N>(drawing: Drawing<N>, { name, state, model }: AddressSteps, sent: MailedCode): N {
  const { h, say } = drawing;
  const minutes = Math.round(sent.expires_in / 60);
  return h(
    "div",
    { class: "sekisho-opened", key: "code" },
    h("p", { class: "sekisho-hint" }, say("code_hint", { email: sent.email, minutes })),
    form(
      drawing,
      { key: codeOf(name), state: state.form, fields: ["code"], button: say("confirm"), onsubmit: model.confirm },
      [
        field(drawing, state.form, {
          name: "code",
          label: say("code"),
          attributes: {
            type: "text",
            autocomplete: "one-time-code",
            inputmode: "numeric",
            required: true,
            class: "sekisho-input sekisho-code",
          },
        }),
      ],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      h("button", { type: "button", class: "sekisho-link", onclick: model.again }, say("address_again")),
    ),
  );
}
