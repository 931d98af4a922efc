/** The account page: profile, password and addresses, second factors, devices, history, and leaving for good. */

import type { AuthClient } from "../core/client.js";
import { AuthError } from "../core/error.js";
import type { User } from "../core/wire.js";
import { type Focus, textOf } from "./form.js";
import { type Component, createModelStore, type Drawing, type Model } from "./model.js";
import { addressItem, createAddress } from "./profile/address.js";
import type { Desk } from "./profile/desk.js";
import { createDetails, detailsSection } from "./profile/details.js";
import { createFactorModel, factorSection } from "./profile/factors.js";
import { createHistory, historySection } from "./profile/history.js";
import { profileLabels } from "./profile/labels.js";
import { createPassword, passwordItem } from "./profile/password.js";
import { createRecovery, recoveryItem } from "./profile/recovery.js";
import { createSessions, sessionSection } from "./profile/sessions.js";
import { createStepUp, stepUpDialog } from "./profile/step_up.js";
import { createTrusted, trustedSection } from "./profile/trusted.js";
import { wantingNotice } from "./profile/wanting.js";
import { createWithdrawal, withdrawalSection } from "./profile/withdrawal.js";

export interface UserProfileProps {
  /** Called once the account is closed. */
  readonly onWithdrawn?: (() => void) | undefined;
}

type Parts = ReturnType<typeof createParts>;
type Part = keyof Parts;

export type UserProfileState = { readonly [K in Part]: ReturnType<Parts[K]["getSnapshot"]> } & {
  readonly user: User | null;
  readonly problem: AuthError | null;
  /** Whether a second factor is required that this session has not shown. */
  readonly isWanting: boolean;
  /** Where the cursor belongs by the section that said so last. */
  readonly focus: Focus | null;
};

export interface UserProfileModel extends Model<UserProfileState> {
  readonly parts: Parts;
  readonly load: () => Promise<void>;
}

function createParts(auth: AuthClient, props: () => UserProfileProps) {
  const stepUp = createStepUp(auth);
  const changed = () => {
    void history.load();
    void trusted.load();
    void sessions.reload();
  };
  const desk: Desk = { auth, proven: stepUp.proven, changed };
  const sessions = createSessions(desk);
  const history = createHistory(desk);
  const trusted = createTrusted(desk);
  const recovery = createRecovery(desk);
  // A recovery address that becomes the account's own is none any more.
  const moved = () => {
    changed();
    void recovery.load();
  };
  return {
    details: createDetails(desk),
    password: createPassword(desk),
    address: createAddress({ ...desk, changed: moved }),
    recovery,
    factors: createFactorModel(desk),
    trusted,
    sessions,
    history,
    withdrawal: createWithdrawal(desk, () => props().onWithdrawn?.()),
    stepUp,
  };
}

function create(auth: AuthClient, props: () => UserProfileProps): UserProfileModel {
  const parts = createParts(auth, props);
  const names = Object.keys(parts) as Part[];
  const snapshots = Object.fromEntries(names.map((name) => [name, parts[name].getSnapshot()]));
  const store = createModelStore({
    ...snapshots,
    user: null,
    problem: null,
    isWanting: false,
    focus: null,
  } as unknown as UserProfileState);
  for (const name of names) {
    parts[name].subscribe(() => {
      const before = store.getSnapshot();
      const now = parts[name].getSnapshot();
      const isMoved = now.form.focus !== null && now.form.focus !== before[name].form.focus;
      // What was saved is known to the client by now.
      const user = before.user && (auth.getSnapshot().user ?? before.user);
      store.change({ [name]: now, user, focus: isMoved ? now.form.focus : before.focus });
    });
  }

  const load = async () => {
    store.change({ problem: null });
    try {
      const [user] = await Promise.all([auth.profile.get(), parts.sessions.load(), parts.factors.load()]);
      store.change({ user });
      await Promise.all([parts.history.load(), parts.trusted.load(), parts.recovery.load()]);
    } catch (cause) {
      if (!(cause instanceof AuthError)) throw cause;
      store.change({ problem: cause });
    }
  };

  // One object for one state of both, as whoever subscribes expects.
  let last = store.getSnapshot();
  let own = last;
  const getSnapshot = () => {
    const now = store.getSnapshot();
    const isWanting = auth.getSnapshot().session?.acr_required !== undefined;
    if (own !== now || last.isWanting !== isWanting) last = { ...now, isWanting };
    own = now;
    return last;
  };
  return {
    getSnapshot,
    subscribe: (listener) => {
      const undo = [store.subscribe(listener), auth.subscribe(listener)];
      return () => {
        for (const one of undo) one();
      };
    },
    parts,
    start: () => void load(),
    load,
  };
}

function view<N>(drawing: Drawing<N>, state: UserProfileState, model: UserProfileModel): N {
  const { h, say, locale } = drawing;
  const { user } = state;
  const { parts } = model;
  if (state.problem) {
    return h(
      "div",
      { class: "sekisho-card" },
      h("p", { class: "sekisho-problem", role: "alert" }, textOf(state.problem, locale, say)),
      h("button", { type: "button", class: "sekisho-button", onclick: model.load }, say("try_again")),
    );
  }
  if (!user) return h("p", { class: "sekisho-said", role: "status" }, say("loading"));
  return h(
    "div",
    { class: "sekisho-profile" },
    state.isWanting ? wantingNotice(drawing, state.factors.list, state.stepUp, parts) : null,
    detailsSection(drawing, state.details, user, parts.details),
    credentialsSection(drawing, state, user, parts),
    factorSection(drawing, state.factors, user.email, parts.factors),
    trustedSection(drawing, state.trusted, parts.trusted),
    sessionSection(drawing, state.sessions, parts.sessions),
    historySection(drawing, state.history, parts.history),
    withdrawalSection(drawing, state.withdrawal, user, parts.withdrawal),
    stepUpDialog(drawing, state.stepUp, user.email, parts.stepUp),
  );
}

function credentialsSection<N>(drawing: Drawing<N>, state: UserProfileState, user: User, parts: Parts): N {
  const { h, id, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-credentials`, key: "credentials" },
    h("h2", { id: `${id}-credentials`, class: "sekisho-title" }, say("credentials")),
    h(
      "ul",
      { class: "sekisho-list" },
      addressItem(drawing, state.address, user, parts.address),
      passwordItem(drawing, state.password, user, parts.password),
      recoveryItem(drawing, state.recovery, user, parts.recovery),
    ),
  );
}

export const userProfile: Component<UserProfileProps, UserProfileState, UserProfileModel> = {
  name: "UserProfile",
  labels: profileLabels,
  create,
  view,
  focusOf: (state) => state.focus,
};
