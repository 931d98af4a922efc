/** The signed-in devices. */

import type { Session } from "../../core/wire.js";
import { type Done, type FormState, STILL, toPlace } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, quiet, said } from "../parts.js";
import { type Desk, formOf, loadInto } from "./desk.js";

export interface SessionsState {
  readonly list: readonly Session[] | null;
  readonly form: FormState;
}

export interface SessionsModel extends ModelStore<SessionsState> {
  /** Rejects with what it is refused for. */
  readonly load: () => Promise<void>;
  /** The same, with the refusal in the section. */
  readonly reload: () => Promise<void>;
  readonly end: (id: string) => Promise<void>;
  readonly endOthers: () => Promise<void>;
}

const PLACE = "sessions";

export function createSessions({ auth, proven }: Desk): SessionsModel {
  const store = createModelStore<SessionsState>({ list: null, form: STILL });
  const load = async () => store.change({ list: await auth.sessions.list() });
  const act = (send: () => Promise<Done>) =>
    proven({
      fields: [],
      values: {},
      after: toPlace(PLACE),
      ...formOf(store),
      send: async () => {
        const done = await send();
        if (auth.getSnapshot().status === "signed_in") await load();
        return done;
      },
    });
  return {
    ...store,
    load,
    reload: () =>
      loadInto(store, async () => {
        await load();
        return null;
      }),
    end: (id) =>
      act(async () => {
        await auth.sessions.end(id);
        return { label: "ended" };
      }),
    endOthers: () => act(async () => ({ label: "ended_others", values: { count: await auth.sessions.endOthers() } })),
  };
}

export function sessionSection<N>(drawing: Drawing<N>, state: SessionsState, model: SessionsModel): N {
  const { h, id, say } = drawing;
  const sessions = state.list ?? [];
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-sessions`, key: PLACE },
    h("h2", { id: `${id}-sessions`, class: "sekisho-title", tabindex: "-1", "data-place": PLACE }, say("sessions")),
    complaint(drawing, state.form),
    h("ul", { class: "sekisho-list" }, ...sessions.map((session) => sessionItem(drawing, session, model))),
    said(drawing, state.form),
    sessions.length > 1 ? quiet(drawing, say("end_others"), model.endOthers, "others") : null,
  );
}

function sessionItem<N>(drawing: Drawing<N>, session: Session, model: SessionsModel): N {
  const { h, say, locale } = drawing;
  const device = session.device.name || say("unknown_device");
  const at = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(session.last_seen_at),
  );
  const where = [session.place || session.ip, say("last_seen", { at })].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "sekisho-item", key: session.id },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, device),
      session.current ? h("span", { class: "sekisho-badge" }, say("this_device")) : null,
      h("span", { class: "sekisho-hint" }, where),
    ),
    quiet(drawing, say("end"), () => model.end(session.id), "end", { "aria-label": say("end_of", { device }) }),
  );
}
