/** Changing the password: the current one, the next, and whether the other devices stay signed in. */

import type { User } from "../../core/wire.js";
import { type FormState, STILL, toField, toPlace, type Values } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { field, form, reveal, said, whose } from "../parts.js";
import { type Desk, formOf } from "./desk.js";
import { opener } from "./opener.js";

export interface PasswordState {
  readonly isOpen: boolean;
  readonly form: FormState;
}

export interface PasswordModel extends ModelStore<PasswordState> {
  readonly open: () => void;
  readonly cancel: () => void;
  readonly replace: (values: Values) => Promise<void>;
}

const FORM = "password";
const FIELDS = ["current_password", "password"];

export function createPassword({ auth, proven, changed }: Desk): PasswordModel {
  const store = createModelStore<PasswordState>({ isOpen: false, form: STILL });
  return {
    ...store,
    open: () => store.change({ isOpen: true, form: { ...STILL, focus: toField("current_password", FORM) } }),
    cancel: () => store.change({ isOpen: false, form: { ...STILL, focus: toPlace(FORM) } }),
    replace: (values) =>
      proven({
        form: FORM,
        fields: FIELDS,
        values,
        after: toPlace(FORM),
        ...formOf(store),
        send: async () => {
          const { current_password = "", password = "" } = values;
          const keep_other_sessions = values["keep_other_sessions"] !== undefined;
          const count = await auth.password.change({ current_password, password, keep_other_sessions });
          store.change({ isOpen: false });
          changed();
          return keep_other_sessions
            ? { label: "password_changed" }
            : { label: "password_changed_ended", values: { count } };
        },
      }),
  };
}

export function passwordItem<N>(page: Drawing<N>, state: PasswordState, user: User, model: PasswordModel): N {
  const drawing: Drawing<N> = { ...page, id: `${page.id}-password` };
  const { h, id, say } = drawing;
  return h(
    "li",
    { class: "sekisho-item", key: FORM },
    h("div", { class: "sekisho-item-text" }, h("strong", {}, say("password"))),
    opener(drawing, { name: FORM, label: say("change"), about: say("change_password"), isOpen: state.isOpen, model }),
    state.isOpen
      ? form(
          drawing,
          {
            key: FORM,
            state: state.form,
            fields: FIELDS,
            button: say("change_password"),
            onsubmit: model.replace,
          },
          [
            whose(drawing, user.email),
            field(drawing, state.form, {
              name: "current_password",
              label: say("current_password"),
              attributes: { type: "password", autocomplete: "current-password", required: true },
            }),
            field(drawing, state.form, {
              name: "password",
              label: say("next_password"),
              attributes: { type: "password", autocomplete: "new-password", required: true },
            }),
            reveal(drawing, FIELDS),
            h(
              "label",
              { class: "sekisho-check", for: `${id}-keep`, key: "keep" },
              h("input", { id: `${id}-keep`, type: "checkbox", name: "keep_other_sessions", value: "yes" }),
              say("keep_others"),
            ),
          ],
        )
      : said(drawing, state.form),
  );
}
