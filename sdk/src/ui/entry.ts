/** Signing in and signing up: two forms that lead to each other, the code in between, and the way back after a forgotten password. */

import type { AuthClient } from "../core/client.js";
import { AuthError, hasCode } from "../core/error.js";
import type { SignedIn } from "../core/sign_in.js";
import type { PendingSignUp, SecondFactorRequired, User } from "../core/wire.js";
import { type Done, digits, type FormState, STILL, submit, toField, toPlace, type Values } from "./form.js";
import { codeField, methodText } from "./methods.js";
import { type Component, createModelStore, type Drawing, type Model } from "./model.js";
import { field, form, mailedCode, reveal } from "./parts.js";
import { keepPending, keptPending } from "./pending.js";
import {
  addressField,
  BEGUN,
  mailed,
  RESET_FIELDS,
  type ResetState,
  type ResetStep,
  resetStep,
  sendReset,
} from "./reset.js";

export interface EntryProps {
  /** Called once somebody is signed in. */
  readonly onDone?: ((user: User) => void) | undefined;
  /** Called if the account asks for a second factor, instead of asking for its code here. */
  readonly onSecondFactor?: ((asked: SecondFactorRequired) => void) | undefined;
  /** Where the other form is, if it has a page of its own; else it appears in place. */
  readonly signUpUrl?: string | undefined;
  readonly signInUrl?: string | undefined;
  /** Where a forgotten password is reset, if that has a page of its own; else it is done in place. */
  readonly resetUrl?: string | undefined;
  /** Where the account page is: the way to a second factor for somebody who needs one. Without it there is no link. */
  readonly accountUrl?: string | undefined;
}

/** `wanting`: signed in, and a second factor is required that was not shown. */
type Step = "sign_in" | "sign_up" | "code" | "second" | "wanting" | ResetStep;
type Entrance = "sign_in" | "sign_up" | "reset";

export interface EntryState {
  readonly step: Step;
  readonly pending: PendingSignUp | null;
  /** The sign-in that waits for its second factor, and the method that is shown for it. */
  readonly asked: SecondFactorRequired | null;
  readonly method: string;
  readonly reset: ResetState | null;
  readonly form: FormState;
}

export interface EntryModel extends Model<EntryState> {
  readonly show: (step: Entrance, email?: string) => void;
  readonly submit: (values: Values) => Promise<void>;
  readonly resend: () => Promise<void>;
  readonly use: (method: string) => void;
  readonly sendCode: () => Promise<void>;
}

const FIELDS: Record<Step, readonly string[]> = {
  sign_in: ["email", "password"],
  sign_up: ["email", "password"],
  code: ["code"],
  second: ["code"],
  wanting: [],
  ...RESET_FIELDS,
};

/** Where the cursor goes when a step is reached. */
const FIRST: Record<Exclude<Step, "wanting">, string> = {
  sign_in: "password",
  sign_up: "email",
  code: "code",
  second: "code",
  reset: "email",
  reset_code: "code",
  reset_new: "password",
};

/** The methods whose code the server sends. */
const SENT = ["email", "sms"];

/** Refusals after which no code finishes this sign-up any more. */
const OVER = ["session_not_found", "email_already_exists"];

function createEntry(auth: AuthClient, props: () => EntryProps, first: "sign_in" | "sign_up"): EntryModel {
  const store = createModelStore<EntryState>({
    step: first,
    pending: null,
    asked: null,
    method: "",
    reset: null,
    form: STILL,
  });
  const get = () => store.getSnapshot().form;
  const set = (next: FormState) => store.change({ form: next });
  const wait = (pending: PendingSignUp) => {
    keepPending(first, pending);
    store.change({ pending, step: "code" });
  };
  const confirm = async (pending: PendingSignUp, code: string) => {
    try {
      const answer = await auth.confirmSignUp({ ...pending, code: digits(code) });
      keepPending(first, null);
      return answer;
    } catch (cause) {
      if (cause instanceof AuthError && OVER.includes(cause.code)) keepPending(first, null);
      throw cause;
    }
  };

  const entered = ({ user, session }: SignedIn): Done => {
    props().onDone?.(user);
    // Most apps have gone on by now. Who is still here reads what to do.
    if (session.acr_required) store.change({ step: "wanting", asked: null });
    return null;
  };

  const send = async (values: Values): Promise<Done> => {
    const { email = "", password = "", code = "" } = values;
    const { step, pending, asked, method, reset } = store.getSnapshot();
    if (isOfReset(step)) {
      const { done, ...went } = await sendReset(auth, step, reset, values);
      store.change(went);
      return done;
    }
    if (step === "second" && asked) {
      const trustDevice = "trust_device" in values;
      return entered(await auth.secondFactor({ challenge: asked.challenge, method, code, trustDevice }));
    }
    if (step === "sign_up") {
      wait(await auth.signUp({ email, password }));
      return null;
    }
    const answer = step === "code" && pending ? await confirm(pending, code) : await auth.signIn({ email, password });
    if (answer.status === "signed_in") return entered(answer);
    if (props().onSecondFactor) props().onSecondFactor?.(answer);
    else store.change({ step: "second", asked: answer, method: answer.methods[0] ?? "" });
    return null;
  };

  return {
    ...store,
    start: () => {
      const pending = keptPending(first);
      if (pending) store.change({ pending, step: "code", form: { ...STILL, focus: toField("code") } });
    },
    show: (step, email) => {
      keepPending(first, null);
      const { step: before, reset } = store.getSnapshot();
      // Whoever mistyped the address, or goes back, finds it there; the token has served its time.
      const kept = email === undefined ? reset && { ...reset, token: "" } : { ...BEGUN, email };
      const form = step === "reset" || isOfReset(before) ? { ...STILL, focus: toField("email") } : STILL;
      store.change({ step, form, asked: null, reset: kept });
    },
    submit: async (values) => {
      const before = store.getSnapshot().step;
      await submit({ fields: FIELDS[before], values, get, set, send: () => send(values) });
      const { step } = store.getSnapshot();
      if (step !== before) set({ ...get(), focus: step === "wanting" ? toPlace(step) : toField(FIRST[step]) });
    },
    resend: () =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        send: async () => {
          const { step, pending, reset } = store.getSnapshot();
          if (step === "reset_code" && reset) store.change({ reset: await mailed(auth, reset.email) });
          else if (pending) wait(await auth.resendCode(pending));
          return { label: "resent" };
        },
      }),
    use: (method) => store.change({ method, form: { ...STILL, focus: toField("code") } }),
    sendCode: () =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        send: async () => {
          const { asked, method } = store.getSnapshot();
          if (asked) await auth.sendFactorCode({ challenge: asked.challenge, method });
          return { label: "factor_code_sent" };
        },
      }),
  };
}

const isOfReset = (step: Step): step is ResetStep => step in RESET_FIELDS;

function view<N>(drawing: Drawing<N>, state: EntryState, model: EntryModel, props: EntryProps): N {
  const { h, id, say } = drawing;
  const title = {
    sign_in: "sign_in_title",
    sign_up: "sign_up_title",
    code: "code_title",
    second: "second_title",
    wanting: "wanting_title",
    reset: "reset_title",
    reset_code: "code_title",
    reset_new: "reset_new_title",
  } as const;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-title` },
    h("h1", { id: `${id}-title`, class: "sekisho-title" }, say(title[state.step])),
    step(drawing, state, model, props),
  );
}

function step<N>(drawing: Drawing<N>, state: EntryState, model: EntryModel, props: EntryProps): N {
  const { step: at } = state;
  if (isOfReset(at)) return resetStep(drawing, { ...state, step: at }, model);
  if (at === "code") return codeStep(drawing, state, model);
  if (at === "second") return secondStep(drawing, state, model);
  if (at === "wanting") return wantingStep(drawing, props);
  return drawing.h(
    "div",
    { key: "password" },
    passwordStep(drawing, state, model),
    at === "sign_in" ? forgot(drawing, state, model, props) : null,
    otherWay(drawing, state, model, props),
  );
}

function passwordStep<N>(drawing: Drawing<N>, state: EntryState, model: EntryModel): N {
  const { say } = drawing;
  const isNew = state.step === "sign_up";
  return form(
    drawing,
    {
      // One key for both: what was typed stays when the person goes from one to the other.
      key: "password",
      state: state.form,
      fields: FIELDS[state.step],
      button: say(isNew ? "sign_up" : "sign_in"),
      onsubmit: model.submit,
    },
    [
      addressField(drawing, state.form, state.reset?.email ?? state.pending?.email),
      field(drawing, state.form, {
        name: "password",
        label: say(isNew ? "new_password" : "password"),
        attributes: { type: "password", autocomplete: isNew ? "new-password" : "current-password", required: true },
      }),
      reveal(drawing, ["password"]),
    ],
  );
}

/** The way to a new password; more words where the one that was typed is wrong. */
function forgot<N>({ h, say }: Drawing<N>, state: EntryState, model: EntryModel, props: EntryProps): N {
  const label = say("forgot");
  // What was typed so far need not be typed again.
  const onclick = (event: Event) => {
    const card = (event.currentTarget as HTMLElement).closest("section");
    model.show("reset", card?.querySelector<HTMLInputElement>('[name="email"]')?.value);
  };
  return h(
    "p",
    { class: "sekisho-other", key: "forgot" },
    hasCode(state.form.error, "invalid_credentials") ? h("span", {}, say("forgot_refused")) : null,
    props.resetUrl === undefined
      ? h("button", { type: "button", class: "sekisho-link", onclick }, label)
      : h("a", { href: props.resetUrl, class: "sekisho-link" }, label),
  );
}

function codeStep<N>(drawing: Drawing<N>, state: EntryState, model: EntryModel): N {
  const { h, say } = drawing;
  const minutes = Math.round((state.pending?.expires_in ?? 0) / 60);
  return h(
    "div",
    { key: "code" },
    h("p", { class: "sekisho-hint" }, say("code_hint", { email: state.pending?.email ?? "", minutes })),
    form(
      drawing,
      { key: "code", state: state.form, fields: FIELDS.code, button: say("confirm"), onsubmit: model.submit },
      [mailedCode(drawing, state.form)],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      h("button", { type: "button", class: "sekisho-link", onclick: model.resend }, say("resend")),
      h("button", { type: "button", class: "sekisho-link", onclick: () => model.show("sign_up") }, say("change_email")),
    ),
  );
}

function secondStep<N>(drawing: Drawing<N>, state: EntryState, model: EntryModel): N {
  const { h, say } = drawing;
  const { method } = state;
  const link = (label: string, onclick: () => unknown, key: string) =>
    h("button", { type: "button", class: "sekisho-link", onclick, key }, label);
  const others = (state.asked?.methods ?? []).filter((other) => other !== method);
  return h(
    "div",
    { key: "second" },
    h("p", { class: "sekisho-hint" }, methodText(say, "second", method)),
    state.asked?.suspended ? h("p", { class: "sekisho-hint", key: "suspended" }, say("second_suspended")) : null,
    SENT.includes(method)
      ? h(
          "button",
          { type: "button", class: "sekisho-button sekisho-quiet", onclick: model.sendCode },
          say("send_code"),
        )
      : null,
    form(
      drawing,
      {
        key: `second-${method}`,
        state: state.form,
        fields: FIELDS.second,
        button: say("sign_in"),
        onsubmit: model.submit,
      },
      [codeField(drawing, state.form, method), trustField(drawing, state.asked?.trust_days)],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      ...others.map((other) => link(methodText(say, "use", other), () => model.use(other), other)),
      link(say("start_again"), () => model.show("sign_in"), "again"),
    ),
  );
}

/** Signed in, but what is wanting has to be said where somebody reads it. */
function wantingStep<N>({ h, say }: Drawing<N>, { accountUrl }: EntryProps): N {
  return h(
    "div",
    { key: "wanting" },
    h("p", { tabindex: "-1", "data-place": "wanting" }, say("wanting")),
    accountUrl === undefined
      ? null
      : h("p", { class: "sekisho-other" }, h("a", { href: accountUrl, class: "sekisho-link" }, say("wanting_set_up"))),
  );
}

function trustField<N>({ h, id, say }: Drawing<N>, days: number | undefined): N | null {
  if (!days) return null;
  return h(
    "label",
    { class: "sekisho-check", for: `${id}-trust`, key: "trust" },
    h("input", { id: `${id}-trust`, type: "checkbox", name: "trust_device", value: "yes" }),
    say("trust_device", { days }),
  );
}

function otherWay<N>({ h, say }: Drawing<N>, state: EntryState, model: EntryModel, props: EntryProps): N {
  const [question, answer, step, url] =
    state.step === "sign_in"
      ? (["no_account", "sign_up", "sign_up", props.signUpUrl] as const)
      : (["has_account", "sign_in", "sign_in", props.signInUrl] as const);
  const onclick = () => model.show(step);
  return h(
    "p",
    { class: "sekisho-other" },
    h("span", {}, say(question)),
    url === undefined
      ? h("button", { type: "button", class: "sekisho-link", onclick }, say(answer))
      : h("a", { href: url, class: "sekisho-link" }, say(answer)),
  );
}

const entry = (name: string, step: "sign_in" | "sign_up"): Component<EntryProps, EntryState, EntryModel> => ({
  name,
  create: (auth, props) => createEntry(auth, props, step),
  view,
  focusOf: (state) => state.form.focus,
});

export const signIn = /* @__PURE__ */ entry("SignIn", "sign_in");
export const signUp = /* @__PURE__ */ entry("SignUp", "sign_up");
