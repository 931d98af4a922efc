/** Changing the address: the password and the new address, then the code that was mailed there. */

import type { MailedCode, User } from "../../core/wire.js";
import { type FormState, STILL, toField, toPlace, type Values } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { said } from "../parts.js";
import { ASKED, addressSteps, codeOf, firstOf } from "./address_steps.js";
import { type Desk, formOf } from "./desk.js";
import { opener } from "./opener.js";

export interface AddressState {
  readonly isOpen: boolean;
  /** The code that is on its way to the new address. */
  readonly sent: MailedCode | null;
  readonly form: FormState;
}

export interface AddressModel extends ModelStore<AddressState> {
  readonly open: () => void;
  readonly cancel: () => void;
  readonly send: (values: Values) => Promise<void>;
  readonly confirm: (values: Values) => Promise<void>;
  /** Back to the first step: another address, or another code. */
  readonly again: () => void;
}

const FORM = "address";
const CODE = codeOf(FORM);

export function createAddress({ auth, proven, changed }: Desk): AddressModel {
  const store = createModelStore<AddressState>({ isOpen: false, sent: null, form: STILL });
  const first = (): FormState => ({ ...STILL, focus: firstOf(FORM) });
  return {
    ...store,
    open: () => store.change({ isOpen: true, sent: null, form: first() }),
    cancel: () => store.change({ isOpen: false, sent: null, form: { ...STILL, focus: toPlace(FORM) } }),
    again: () => store.change({ form: first(), sent: null }),
    send: (values) =>
      proven({
        form: FORM,
        fields: ASKED,
        values,
        after: toField("code", CODE),
        ...formOf(store),
        send: async () => {
          const { email = "", password = "" } = values;
          store.change({ sent: await auth.email.sendCode({ email, password }) });
          return { label: "code_on_its_way" };
        },
      }),
    confirm: (values) =>
      proven({
        form: CODE,
        fields: ["code"],
        values,
        after: toPlace(FORM),
        ...formOf(store),
        send: async () => {
          const { sent } = store.getSnapshot();
          if (!sent) return null;
          await auth.email.verifyCode({ email: sent.email, code: (values["code"] ?? "").replace(/\D/g, "") });
          store.change({ isOpen: false, sent: null });
          changed();
          return { label: "address_changed" };
        },
      }),
  };
}

export function addressItem<N>(page: Drawing<N>, state: AddressState, user: User, model: AddressModel): N {
  const drawing: Drawing<N> = { ...page, id: `${page.id}-address` };
  const { h, say } = drawing;
  return h(
    "li",
    { class: "sekisho-item", key: FORM },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, say("email")),
      h("span", { class: "sekisho-hint" }, user.email),
    ),
    opener(drawing, { name: FORM, label: say("change"), about: say("change_address"), isOpen: state.isOpen, model }),
    state.isOpen
      ? addressSteps(drawing, { name: FORM, state, user, label: "new_address", hint: "address_hint", model })
      : said(drawing, state.form),
  );
}
