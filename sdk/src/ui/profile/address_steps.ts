/** An address that is taken in two steps: the password and the address, then the code that was mailed there. */

import type { MailedCode, User } from "../../core/wire.js";
import { type Done, digits, type FormState, STILL, toField, toPlace, type Values } from "../form.js";
import type { Label } from "../labels.js";
import type { Drawing, ModelStore } from "../model.js";
import { field, form, mailedCode } from "../parts.js";
import { type Desk, formOf } from "./desk.js";

export interface TakingState {
  readonly isOpen: boolean;
  /** The code that is on its way to the address. */
  readonly sent: MailedCode | null;
  readonly form: FormState;
}

export interface Taking {
  readonly open: () => void;
  readonly cancel: () => void;
  readonly send: (values: Values) => Promise<void>;
  readonly confirm: (values: Values) => Promise<void>;
  /** Back to the first step: another address, or another code. */
  readonly again: () => void;
}

/** The calls behind the two steps. */
export interface TakingCalls {
  readonly send: (asked: { email: string; password: string }) => Promise<MailedCode>;
  /** Done, it has closed the form. */
  readonly confirm: (shown: { email: string; code: string }) => Promise<Done>;
}

export interface AddressSteps {
  readonly name: string;
  readonly state: TakingState;
  readonly user: User;
  readonly label: Label;
  readonly hint: Label;
  readonly model: Taking;
}

const ASKED = ["email", "password"];

/** The name of the second form. */
const codeOf = (name: string): string => `${name}-code`;

/** The two steps of a section whose first form has this name. */
export function createTaking(
  name: string,
  { proven }: Desk,
  store: Pick<ModelStore<TakingState>, "getSnapshot" | "change">,
  calls: TakingCalls,
): Taking {
  const first = (): FormState => ({ ...STILL, focus: toField("email", name) });
  return {
    open: () => store.change({ isOpen: true, sent: null, form: first() }),
    cancel: () => store.change({ isOpen: false, sent: null, form: { ...STILL, focus: toPlace(name) } }),
    again: () => store.change({ form: first(), sent: null }),
    send: (values) =>
      proven({
        form: name,
        fields: ASKED,
        values,
        after: toField("code", codeOf(name)),
        ...formOf(store),
        send: async () => {
          const { email = "", password = "" } = values;
          store.change({ sent: await calls.send({ email, password }) });
          return { label: "code_on_its_way" };
        },
      }),
    confirm: (values) =>
      proven({
        form: codeOf(name),
        fields: ["code"],
        values,
        after: toPlace(name),
        ...formOf(store),
        send: async () => {
          const { sent } = store.getSnapshot();
          return sent && calls.confirm({ email: sent.email, code: digits(values["code"]) });
        },
      }),
  };
}

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
      [mailedCode(drawing, state.form)],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      h("button", { type: "button", class: "sekisho-link", onclick: model.again }, say("address_again")),
    ),
  );
}
