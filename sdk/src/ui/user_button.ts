/** A round button that says who is signed in and opens a small menu. */

import type { AuthClient } from "../core/client.js";
import type { User } from "../core/wire.js";
import { type Component, createModelStore, type Drawing, type Model } from "./model.js";

export interface UserButtonProps {
  /** Where the account page is; without it the menu has no such line. */
  readonly accountUrl?: string | undefined;
  readonly onSignedOut?: (() => void) | undefined;
}

export interface UserButtonState {
  readonly user: User | null;
  readonly isOpen: boolean;
}

export interface UserButtonModel extends Model<UserButtonState> {
  readonly toggle: () => void;
  readonly close: () => void;
  readonly signOut: () => Promise<void>;
}

const NOBODY: UserButtonState = { user: null, isOpen: false };

function create(auth: AuthClient, props: () => UserButtonProps): UserButtonModel {
  const store = createModelStore(NOBODY);
  // One object for one state of both, as whoever subscribes expects.
  let last: UserButtonState = store.getSnapshot();
  const getSnapshot = () => {
    const { isOpen } = store.getSnapshot();
    const { user } = auth.getSnapshot();
    if (last.user !== user || last.isOpen !== isOpen) last = { user, isOpen };
    return last;
  };
  return {
    getSnapshot,
    getServerSnapshot: () => NOBODY,
    subscribe: (listener) => {
      const undo = [store.subscribe(listener), auth.subscribe(listener)];
      return () => {
        for (const one of undo) one();
      };
    },
    toggle: () => store.change({ isOpen: !store.getSnapshot().isOpen }),
    close: () => store.change({ isOpen: false }),
    signOut: async () => {
      store.change({ isOpen: false });
      await auth.signOut();
      props().onSignedOut?.();
    },
  };
}

function view<N>(
  drawing: Drawing<N>,
  { user, isOpen }: UserButtonState,
  model: UserButtonModel,
  props: UserButtonProps,
): N {
  const { h, id, say } = drawing;
  if (!user) return h("span", { hidden: true });
  const name = user.name || user.email;
  const onkeydown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    model.close();
    // What had the focus is hidden now.
    (event.currentTarget as HTMLElement).querySelector("button")?.focus();
  };
  return h(
    "div",
    { class: "sekisho-user", onkeydown },
    h(
      "button",
      {
        type: "button",
        class: "sekisho-avatar",
        "aria-expanded": isOpen ? "true" : "false",
        "aria-controls": `${id}-menu`,
        "aria-label": say("menu", { email: user.email }),
        onclick: model.toggle,
      },
      [...name][0]?.toUpperCase() ?? "",
    ),
    h(
      "div",
      { id: `${id}-menu`, class: "sekisho-menu", hidden: !isOpen },
      h("p", { class: "sekisho-hint" }, user.email),
      props.accountUrl === undefined
        ? null
        : // The place may be in this very page.
          h("a", { href: props.accountUrl, class: "sekisho-menu-item", onclick: model.close }, say("account")),
      h("button", { type: "button", class: "sekisho-menu-item", onclick: model.signOut }, say("sign_out")),
    ),
  );
}

export const userButton: Component<UserButtonProps, UserButtonState, UserButtonModel> = {
  name: "UserButton",
  create,
  view,
  focusOf: () => null,
};
