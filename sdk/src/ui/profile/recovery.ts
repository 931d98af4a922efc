/** The recovery address: set like a new address, shown whole, and removed with a fresh proof. */

import type { RecoveryEmail, User } from "../../core/wire.js";
import { STILL, toPlace } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, quiet, said } from "../parts.js";
import { addressSteps, createTaking, type Taking, type TakingState } from "./address_steps.js";
import { type Desk, formOf, loadInto } from "./desk.js";
import { opener } from "./opener.js";

export interface RecoveryState extends TakingState {
  readonly current: RecoveryEmail | null;
}

export interface RecoveryModel extends ModelStore<RecoveryState>, Taking {
  readonly load: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

const FORM = "recovery";

export function createRecovery(desk: Desk): RecoveryModel {
  const { auth, proven, changed } = desk;
  const store = createModelStore<RecoveryState>({ current: null, isOpen: false, sent: null, form: STILL });
  const take = (current: RecoveryEmail | null) => store.change({ current, isOpen: false, sent: null });
  return {
    ...store,
    ...createTaking(FORM, desk, store, {
      send: auth.recoveryEmail.sendCode,
      confirm: async (shown) => {
        take(await auth.recoveryEmail.verifyCode(shown));
        changed();
        return { label: "recovery_set" };
      },
    }),
    load: () =>
      loadInto(store, async () => {
        store.change({ current: await auth.recoveryEmail.get() });
        return null;
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
