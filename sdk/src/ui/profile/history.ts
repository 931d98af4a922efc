/** What happened to the account: sign-ins, refused ones, changes; the newest first, ten at a time. */

import type { HistoryEvent } from "../../core/wire.js";
import { history as words } from "../../texts/history.js";
import type { Locale } from "../../texts/index.js";
import { type FormState, STILL, toPlace } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, quiet, said } from "../parts.js";
import { type Desk, formOf, loadInto } from "./desk.js";

export interface HistoryState {
  readonly events: readonly HistoryEvent[];
  /** Where the server goes on; null at the end. */
  readonly next: string | null;
  /** How many are shown. */
  readonly shown: number;
  readonly form: FormState;
}

export interface HistoryModel extends ModelStore<HistoryState> {
  readonly load: () => Promise<void>;
  readonly more: () => Promise<void>;
}

const STEP = 10;
const PLACE = "history";

export function createHistory({ auth, proven }: Desk): HistoryModel {
  const store = createModelStore<HistoryState>({ events: [], next: null, shown: STEP, form: STILL });
  return {
    ...store,
    load: () =>
      loadInto(store, async () => {
        store.change({ ...(await auth.history()), shown: STEP });
        return null;
      }),
    more: () => {
      const { shown } = store.getSnapshot();
      return proven({
        fields: [],
        values: {},
        // The first of those that came: the button may be gone.
        after: toPlace(`${PLACE}-${shown}`),
        ...formOf(store),
        send: async () => {
          const { events, next } = store.getSnapshot();
          if (next !== null && events.length < shown + STEP) {
            const page = await auth.history(next);
            store.change({ events: [...events, ...page.events], next: page.next });
          }
          store.change({ shown: shown + STEP });
          return {
            label: "history_shown",
            values: { count: Math.min(shown + STEP, store.getSnapshot().events.length) },
          };
        },
      });
    },
  };
}

export function historySection<N>(drawing: Drawing<N>, state: HistoryState, model: HistoryModel): N {
  const { h, id, say } = drawing;
  const { events, next, shown } = state;
  const isFailed = state.form.error !== null && events.length === 0;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-history`, key: PLACE },
    h("h2", { id: `${id}-history`, class: "sekisho-title" }, say("history")),
    h("p", { class: "sekisho-hint" }, say("history_hint")),
    complaint(drawing, state.form),
    events.length > 0
      ? h(
          "ol",
          { class: "sekisho-list", key: "list" },
          ...events.slice(0, shown).map((event, at) => eventItem(drawing, event, at)),
        )
      : null,
    said(drawing, state.form),
    isFailed ? quiet(drawing, say("history_load"), model.load, "load") : null,
    next !== null || events.length > shown ? quiet(drawing, say("history_more"), model.more, "more") : null,
  );
}

function eventItem<N>({ h, say, locale }: Drawing<N>, event: HistoryEvent, at: number): N {
  const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(event.at));
  const where = [event.device, event.place || event.ip].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "sekisho-item", key: String(at), tabindex: "-1", "data-place": `${PLACE}-${at}` },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, eventText(event, locale)),
      event.outcome === "failure" ? h("span", { class: "sekisho-badge sekisho-failed" }, say("history_failed")) : null,
      h("span", { class: "sekisho-hint" }, h("time", { datetime: event.at }, when), where ? ` · ${where}` : ""),
    ),
  );
}

/** Events that this version has no words for are named as the server names them. */
function eventText({ event, outcome }: HistoryEvent, locale: Locale): string {
  const known: Readonly<Record<string, string>> = words[locale];
  return known[`${event}.${outcome}`] ?? event.replaceAll("_", " ");
}
