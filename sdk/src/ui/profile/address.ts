/** Changing the address: the password and the new address, then the code that was mailed there. */

import type { User } from "../../core/wire.js";
import { STILL } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { said } from "../parts.js";
import { addressSteps, createTaking, type Taking, type TakingState } from "./address_steps.js";
import type { Desk } from "./desk.js";
import { opener } from "./opener.js";

export type AddressState = TakingState;
export interface AddressModel extends ModelStore<AddressState>, Taking {}

const FORM = "address";

export function createAddress(desk: Desk): AddressModel {
  const store = createModelStore<AddressState>({ isOpen: false, sent: null, form: STILL });
  return {
    ...store,
    ...createTaking(FORM, desk, store, {
      send: desk.auth.email.sendCode,
      confirm: async (shown) => {
        await desk.auth.email.verifyCode(shown);
        store.change({ isOpen: false, sent: null });
        desk.changed();
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
