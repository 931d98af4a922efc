/** The devices on which the second step is not asked for. Drawn only where there are any. */

import type { TrustedDevice } from "../../core/wire.js";
import { type FormState, STILL, toPlace } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, quiet, said } from "../parts.js";
import { type Desk, formOf, loadInto } from "./desk.js";

export interface TrustedState {
  readonly list: readonly TrustedDevice[];
  /** Whether there was one since the page was opened: the last one's end is still told. */
  readonly isShown: boolean;
  readonly form: FormState;
}

export interface TrustedModel extends ModelStore<TrustedState> {
  readonly load: () => Promise<void>;
  readonly forget: (id: string) => Promise<void>;
}

const PLACE = "trusted";

export function createTrusted({ auth, proven }: Desk): TrustedModel {
  const store = createModelStore<TrustedState>({ list: [], isShown: false, form: STILL });
  const take = async () => {
    const list = await auth.trustedDevices.list();
    store.change({ list, isShown: store.getSnapshot().isShown || list.length > 0 });
  };
  return {
    ...store,
    load: () =>
      loadInto(store, async () => {
        await take();
        return null;
      }),
    forget: (id) =>
      proven({
        fields: [],
        values: {},
        after: toPlace(PLACE),
        ...formOf(store),
        send: async () => {
          await auth.trustedDevices.forget(id);
          await take();
          return { label: "trusted_forgotten" };
        },
      }),
  };
}

export function trustedSection<N>(drawing: Drawing<N>, state: TrustedState, model: TrustedModel): N | null {
  const { h, id, say } = drawing;
  if (!state.isShown && !state.form.error) return null;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-trusted`, key: PLACE },
    h("h2", { id: `${id}-trusted`, class: "sekisho-title", tabindex: "-1", "data-place": PLACE }, say("trusted")),
    h("p", { class: "sekisho-hint" }, say("trusted_hint")),
    complaint(drawing, state.form),
    state.list.length > 0
      ? h("ul", { class: "sekisho-list", key: "list" }, ...state.list.map((one) => deviceItem(drawing, one, model)))
      : null,
    said(drawing, state.form),
  );
}

function deviceItem<N>(drawing: Drawing<N>, one: TrustedDevice, model: TrustedModel): N {
  const { h, say, locale } = drawing;
  const device = one.device || say("unknown_device");
  const day = (at: string) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(at));
  const about = [say("last_seen", { at: day(one.last_used_at) }), say("trusted_until", { at: day(one.expires_at) })];
  return h(
    "li",
    { class: "sekisho-item", key: one.id },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, device),
      one.current ? h("span", { class: "sekisho-badge" }, say("this_device")) : null,
      h("span", { class: "sekisho-hint" }, about.join(" · ")),
    ),
    quiet(drawing, say("trusted_forget"), () => model.forget(one.id), "forget", {
      "aria-label": say("trusted_forget_of", { device }),
    }),
  );
}
