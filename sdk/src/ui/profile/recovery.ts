/** The recovery address: set like a new address, shown whole, and removed with a fresh proof. */

import type { MailedCode, RecoveryEmail, User } from "../../core/wire.js";
import { type FormState, STILL, toField, toPlace, type Values } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, quiet, said } from "../parts.js";
import { ASKED, addressSteps, codeOf, firstOf } from "./address_steps.js";
import { type Desk, formOf, loadInto } from "./desk.js";
import { opener } from "./opener.js";

export interface RecoveryState {
  readonly current: RecoveryEmail | null;
  readonly isOpen: boolean;
  /** The code that is on its way to the recovery address. */
  readonly sent: MailedCode | null;
  readonly form: FormState;
}

export interface RecoveryModel extends ModelStore<RecoveryState> {
  readonly load: () => Promise<void>;
  readonly open: () => void;
  readonly cancel: () => void;
  readonly send: (values: Values) => Promise<void>;
  readonly confirm: (values: Values) => Promise<void>;
  /** Back to the first step: another address, or another code. */
  readonly again: () => void;
  readonly remove: () => Promise<void>;
}

const FORM = "recovery";
const CODE = codeOf(FORM);

export function createRecovery({ auth, proven, changed }: Desk): RecoveryModel {
  const store = createModelStore<RecoveryState>({ current: null, isOpen: false, sent: null, form: STILL });
  const first = (): FormState => ({ ...STILL, focus: firstOf(FORM) });
  const take = (current: RecoveryEmail | null) => store.change({ current, isOpen: false, sent: null });
  return {
    ...store,
    load: () =>
      loadInto(store, async () => {
        store.change({ current: await auth.recoveryEmail.get() });
        return null;
      }),
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
          store.change({ sent: await auth.recoveryEmail.sendCode({ email, password }) });
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
          const code = (values["code"] ?? "").replace(/\D/g, "");
          take(await auth.recoveryEmail.verifyCode({ email: sent.email, code }));
          changed();
          return { label: "recovery_set" };
        },
      }),
    remove: () =>
      proven({
        fields: [],
        values: {},
        after: toPlace(FORM),
        ...formOf(store),
        send: async () => {
          await auth.recoveryEmail.remove();
          take(null);
          changed();
          return { label: "recovery_removed" };
        },
      }),
  };
}

export function recoveryItem<N>(page: Drawing<N>, state: RecoveryState, user: User, model: RecoveryModel): N {
  const drawing: Drawing<N> = { ...page, id: `${page.id}-recovery` };
  const { h, say } = drawing;
  const { current, isOpen } = state;
  return h(
    "li",
    { class: "sekisho-item", key: FORM },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, say("recovery_address")),
      h("span", { class: "sekisho-hint" }, current ? current.email : say("recovery_none")),
    ),
    h(
      "div",
      { class: "sekisho-item-actions", key: "actions" },
      opener(drawing, { name: FORM, label: say("change"), about: say("change_recovery"), isOpen, model }),
      current && !isOpen
        ? quiet(drawing, say("recovery_remove"), model.remove, "remove", { "aria-label": say("recovery_remove_of") })
        : null,
    ),
    isOpen ? null : complaint(drawing, state.form),
    isOpen
      ? addressSteps(drawing, {
          name: FORM,
          state,
          user,
          label: "recovery_address",
          hint: "recovery_address_hint",
          model,
        })
      : said(drawing, state.form),
  );
}
