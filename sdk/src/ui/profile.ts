/** The account page: profile, devices, and leaving for good. */

import type { AuthClient } from "../core/client.js";
import { AuthError } from "../core/error.js";
import type { Session, User } from "../core/wire.js";
import { type FormState, STILL, submit, textOf, type Values } from "./form.js";
import { type Component, createModelStore, type Drawing, type Model } from "./model.js";
import { field, form, said } from "./parts.js";
import { createFactorModel, type FactorModel, type FactorState, factorSection } from "./profile/factors.js";
import { profileLabels } from "./profile/labels.js";

export interface UserProfileProps {
  /** Called once the account is closed. */
  readonly onWithdrawn?: (() => void) | undefined;
}

export interface UserProfileState {
  readonly user: User | null;
  readonly sessions: readonly Session[] | null;
  readonly problem: AuthError | null;
  readonly profile: FormState;
  readonly devices: FormState;
  readonly withdrawal: FormState;
  readonly factors: FactorState;
}

type Part = "profile" | "devices" | "withdrawal";

export interface UserProfileModel extends Model<UserProfileState> {
  readonly factors: FactorModel;
  readonly load: () => Promise<void>;
  readonly save: (values: Values) => Promise<void>;
  readonly end: (id: string) => Promise<void>;
  readonly endOthers: () => Promise<void>;
  readonly withdraw: (values: Values) => Promise<void>;
}

function create(auth: AuthClient, props: () => UserProfileProps): UserProfileModel {
  const factors = createFactorModel(auth);
  const store = createModelStore<UserProfileState>({
    user: null,
    sessions: null,
    problem: null,
    profile: STILL,
    devices: STILL,
    withdrawal: STILL,
    factors: factors.getSnapshot(),
  });
  factors.subscribe(() => store.change({ factors: factors.getSnapshot() }));
  const formOf = (part: Part) => ({
    get: () => store.getSnapshot()[part],
    set: (state: FormState) => store.change({ [part]: state }),
  });

  const load = async () => {
    store.change({ problem: null });
    try {
      const [user, sessions] = await Promise.all([auth.profile.get(), auth.sessions.list(), factors.load()]);
      store.change({ user, sessions });
    } catch (cause) {
      if (!(cause instanceof AuthError)) throw cause;
      store.change({ problem: cause });
    }
  };

  const onDevices = (send: () => Promise<FormState["done"]>) =>
    submit({
      fields: [],
      values: {},
      ...formOf("devices"),
      send: async () => {
        const done = await send();
        if (auth.getSnapshot().status === "signed_in") store.change({ sessions: await auth.sessions.list() });
        return done;
      },
    });

  return {
    ...store,
    factors,
    start: () => void load(),
    load,
    save: (values) =>
      submit({
        fields: ["name", "locale"],
        optional: ["name"],
        values,
        ...formOf("profile"),
        send: async () => {
          const { name = "", locale = "" } = values;
          store.change({ user: await auth.profile.update({ name, locale }) });
          return { label: "saved" };
        },
      }),
    end: (id) =>
      onDevices(async () => {
        await auth.sessions.end(id);
        return { label: "ended" };
      }),
    endOthers: () =>
      onDevices(async () => ({ label: "ended_others", values: { count: await auth.sessions.endOthers() } })),
    withdraw: (values) =>
      submit({
        fields: ["password"],
        values,
        ...formOf("withdrawal"),
        send: async () => {
          await auth.withdraw({ password: values["password"] ?? "" });
          props().onWithdrawn?.();
          return null;
        },
      }),
  };
}

function view<N>(drawing: Drawing<N>, state: UserProfileState, model: UserProfileModel): N {
  const { h, say, locale } = drawing;
  if (state.problem) {
    return h(
      "div",
      { class: "sekisho-card" },
      h("p", { class: "sekisho-problem", role: "alert" }, textOf(state.problem, locale, say)),
      h("button", { type: "button", class: "sekisho-button", onclick: model.load }, say("try_again")),
    );
  }
  if (!state.user || !state.sessions) return h("p", { class: "sekisho-said", role: "status" }, say("loading"));
  return h(
    "div",
    { class: "sekisho-profile" },
    profileSection(drawing, state, state.user, model),
    factorSection(drawing, state.factors, model.factors),
    sessionSection(drawing, state, state.sessions, model),
    withdrawalSection(drawing, state, state.user, model),
  );
}

function profileSection<N>(drawing: Drawing<N>, state: UserProfileState, user: User, model: UserProfileModel): N {
  const { h, id, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-profile`, key: "profile" },
    h("h2", { id: `${id}-profile`, class: "sekisho-title" }, say("profile")),
    h("p", { class: "sekisho-hint" }, user.email),
    form(
      drawing,
      { key: "form", state: state.profile, fields: ["name", "locale"], button: say("save"), onsubmit: model.save },
      [
        field(drawing, state.profile, {
          name: "name",
          label: say("name"),
          attributes: { type: "text", autocomplete: "name", initial: user.name },
        }),
        h(
          "div",
          { class: "sekisho-field", key: "locale" },
          h("label", { for: `${id}-locale` }, say("locale")),
          h(
            "select",
            { id: `${id}-locale`, name: "locale", class: "sekisho-input", initial: user.locale },
            h("option", { value: "en", lang: "en", chosen: user.locale === "en" }, "English"),
            h("option", { value: "ja", lang: "ja", chosen: user.locale === "ja" }, "日本語"),
          ),
        ),
      ],
    ),
  );
}

function sessionSection<N>(
  drawing: Drawing<N>,
  state: UserProfileState,
  sessions: readonly Session[],
  model: UserProfileModel,
): N {
  const { h, id, say, locale } = drawing;
  const { error } = state.devices;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-sessions`, key: "sessions" },
    h("h2", { id: `${id}-sessions`, class: "sekisho-title" }, say("sessions")),
    error ? h("p", { class: "sekisho-problem", role: "alert" }, textOf(error, locale, say)) : null,
    h("ul", { class: "sekisho-list" }, ...sessions.map((session) => sessionItem(drawing, session, model))),
    said(drawing, state.devices),
    sessions.length > 1
      ? h(
          "button",
          { type: "button", class: "sekisho-button sekisho-quiet", onclick: model.endOthers },
          say("end_others"),
        )
      : null,
  );
}

function sessionItem<N>({ h, say, locale }: Drawing<N>, session: Session, model: UserProfileModel): N {
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
    h(
      "button",
      {
        type: "button",
        class: "sekisho-button sekisho-quiet",
        "aria-label": say("end_of", { device }),
        onclick: () => model.end(session.id),
      },
      say("end"),
    ),
  );
}

function withdrawalSection<N>(drawing: Drawing<N>, state: UserProfileState, user: User, model: UserProfileModel): N {
  const { h, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", key: "withdrawal" },
    h(
      "details",
      { class: "sekisho-details" },
      h("summary", {}, say("withdrawal")),
      h("p", { class: "sekisho-hint" }, say("withdrawal_hint")),
      form(
        drawing,
        {
          key: "form",
          state: state.withdrawal,
          fields: ["password"],
          button: say("withdraw"),
          isDangerous: true,
          onsubmit: model.withdraw,
        },
        [
          // Tells a password manager whose password is asked for.
          h("input", {
            type: "text",
            name: "email",
            autocomplete: "username",
            initial: user.email,
            readonly: true,
            hidden: true,
            key: "whose",
          }),
          field(drawing, state.withdrawal, {
            name: "password",
            label: say("password"),
            attributes: { type: "password", autocomplete: "current-password", required: true },
          }),
        ],
      ),
    ),
  );
}

export const userProfile: Component<UserProfileProps, UserProfileState, UserProfileModel> = {
  name: "UserProfile",
  labels: profileLabels,
  create,
  view,
  focusOf: (state) => state.profile.focus ?? state.factors.form.focus ?? state.withdrawal.focus,
};
