/** Closing the account for good. */

import type { User } from "../../core/wire.js";
import { type FormState, STILL, type Values } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { field, form, whose } from "../parts.js";
import { type Desk, formOf } from "./desk.js";

export interface WithdrawalState {
  readonly form: FormState;
}

export interface WithdrawalModel extends ModelStore<WithdrawalState> {
  readonly withdraw: (values: Values) => Promise<void>;
}

const FORM = "withdrawal";

export function createWithdrawal({ auth, proven }: Desk, onWithdrawn: () => void): WithdrawalModel {
  const store = createModelStore<WithdrawalState>({ form: STILL });
  return {
    ...store,
    withdraw: (values) =>
      proven({
        form: FORM,
        fields: ["password"],
        values,
        ...formOf(store),
        send: async () => {
          await auth.withdraw({ password: values["password"] ?? "" });
          onWithdrawn();
          return null;
        },
      }),
  };
}

export function withdrawalSection<N>(page: Drawing<N>, state: WithdrawalState, user: User, model: WithdrawalModel): N {
  const drawing: Drawing<N> = { ...page, id: `${page.id}-withdrawal` };
  const { h, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", key: FORM },
    h(
      "details",
      { class: "sekisho-details" },
      h("summary", {}, say("withdrawal")),
      h("p", { class: "sekisho-hint" }, say("withdrawal_hint")),
      form(
        drawing,
        {
          key: FORM,
          state: state.form,
          fields: ["password"],
          button: say("withdraw"),
          isDangerous: true,
          onsubmit: model.withdraw,
        },
        [
          whose(drawing, user.email),
          field(drawing, state.form, {
            name: "password",
            label: say("password"),
            attributes: { type: "password", autocomplete: "current-password", required: true },
          }),
        ],
      ),
    ),
  );
}
