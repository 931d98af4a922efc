/**
 * The one dialog that asks for a fresher proof, for everything on the account page.
 *
 *     send -> step_up_required -> ask in a dialog -> proven -> send the same once more
 */

import type { AuthClient } from "../../core/client.js";
import { AuthError, hasCode } from "../../core/error.js";
import type { FactorList } from "../../core/wire.js";
import { type Done, type FormState, STILL, type Submission, submit, toField, type Values } from "../form.js";
import { codeField, methodText } from "../methods.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { field, form, quiet, whose } from "../parts.js";

/** What waits for the proof, and how that may be given. `method` is undefined for the password. */
interface Waiting {
  readonly methods: readonly string[];
  readonly method: string | undefined;
  readonly again: () => Promise<void>;
}

export interface StepUpState {
  readonly waiting: Waiting | null;
  readonly form: FormState;
}

export interface StepUpModel extends ModelStore<StepUpState> {
  /** Submit; where the server wants a fresher proof, ask for that and then submit the same once more. */
  readonly proven: (asked: Submission) => Promise<void>;
  /** Ask for a second factor because one is wanting, with nothing to be sent after it. */
  readonly raise: () => Promise<void>;
  readonly prove: (values: Values) => Promise<void>;
  readonly use: (method: string) => void;
  readonly sendCode: () => Promise<void>;
  readonly cancel: () => void;
}

const FORM = "step-up";

/** The methods whose code the server sends. */
const SENT = ["email", "sms"];

/** Return the kinds of factors that raise the level of a session, each once. */
export const strongKinds = ({ factors }: FactorList): readonly string[] =>
  [...new Set(factors.map((factor) => factor.kind))].filter((kind) => kind !== "email");

const fieldFor = (method: string | undefined): string => (method === undefined ? "password" : "code");

export function createStepUp(auth: AuthClient): StepUpModel {
  const store = createModelStore<StepUpState>({ waiting: null, form: STILL });
  const get = () => store.getSnapshot().form;
  const set = (state: FormState) => store.change({ form: state });

  /** Say how it may be proven. A password is enough where nothing stronger is enrolled. */
  const methodsFor = async ({ details }: AuthError): Promise<readonly string[]> => {
    const { methods, acr } = details;
    if (Array.isArray(methods)) return methods.filter((method) => typeof method === "string");
    return acr === "aal2" ? strongMethods() : [];
  };
  const strongMethods = async (): Promise<readonly string[]> => {
    const list = await auth.factors.list();
    const kinds = strongKinds(list);
    return list.recovery_codes > 0 ? [...kinds, "recovery_code"] : kinds;
  };
  const ask = (methods: readonly string[], again: () => Promise<void>) => {
    const [method] = methods;
    const focus = toField(fieldFor(method), FORM);
    store.change({ waiting: { methods, method, again }, form: { ...STILL, focus } });
  };

  const proven = (asked: Submission) =>
    submit({
      ...asked,
      send: async () => {
        try {
          return await asked.send();
        } catch (cause) {
          if (!(cause instanceof AuthError) || !hasCode(cause, "step_up_required")) throw cause;
          ask(await methodsFor(cause), () => submit(asked));
          return null;
        }
      },
    });

  const show = async (waiting: Waiting, shown: string): Promise<Done> => {
    const { method, again } = waiting;
    try {
      await auth.stepUp(method === undefined ? { password: shown } : { method, code: shown });
    } catch (cause) {
      // A stronger factor was enrolled elsewhere meanwhile.
      if (!(cause instanceof AuthError) || !hasCode(cause, "step_up_required")) throw cause;
      ask(await methodsFor(cause), again);
      return null;
    }
    store.change({ waiting: null });
    await again();
    return null;
  };

  return {
    ...store,
    proven,
    raise: () =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        send: async () => {
          ask(await strongMethods(), async () => {});
          return null;
        },
      }),
    prove: async (values) => {
      const { waiting } = store.getSnapshot();
      if (!waiting) return;
      const name = fieldFor(waiting.method);
      await submit({ form: FORM, fields: [name], values, get, set, send: () => show(waiting, values[name] ?? "") });
      const { waiting: next, form: after } = store.getSnapshot();
      if (next && next !== waiting) set({ ...after, focus: toField(fieldFor(next.method), FORM) });
    },
    use: (method) => {
      const { waiting } = store.getSnapshot();
      if (waiting) store.change({ waiting: { ...waiting, method }, form: { ...STILL, focus: toField("code", FORM) } });
    },
    sendCode: () =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        after: toField("code", FORM),
        send: async () => {
          await auth.sendStepUpCode(store.getSnapshot().waiting?.method ?? "");
          return { label: "factor_code_sent" };
        },
      }),
    cancel: () => store.change({ waiting: null, form: STILL }),
  };
}

/** Draw the dialog while something waits, else nothing. */
export function stepUpDialog<N>(drawing: Drawing<N>, state: StepUpState, email: string, model: StepUpModel): N | null {
  const { h, id, say } = drawing;
  if (!state.waiting) return null;
  const { method, methods } = state.waiting;
  const cancel = (event: Event) => {
    // The dialog goes with the next drawing, not by itself.
    event.preventDefault();
    model.cancel();
  };
  const own: Drawing<N> = { ...drawing, id: `${id}-step-up` };
  return h(
    "dialog",
    {
      key: "step-up",
      class: "sekisho-card sekisho-dialog",
      "aria-labelledby": `${own.id}-title`,
      "aria-describedby": `${own.id}-text`,
      oncancel: cancel,
      onclose: cancel,
    },
    h("h2", { id: `${own.id}-title`, class: "sekisho-title" }, say("step_up_title")),
    h(
      "p",
      { id: `${own.id}-text`, class: "sekisho-hint" },
      method === undefined ? say("step_up_password") : methodText(say, "second", method),
    ),
    method !== undefined && SENT.includes(method) ? quiet(own, say("send_code"), model.sendCode, "send") : null,
    form(
      own,
      {
        key: FORM,
        state: state.form,
        fields: [fieldFor(method)],
        button: say("confirm"),
        onsubmit: model.prove,
      },
      [
        method === undefined ? whose(own, email) : null,
        method === undefined
          ? field(own, state.form, {
              name: "password",
              label: say("password"),
              attributes: { type: "password", autocomplete: "current-password", required: true },
            })
          : codeField(own, state.form, method),
      ],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      ...methods
        .filter((other) => other !== method)
        .map((other) =>
          h(
            "button",
            { type: "button", class: "sekisho-link", onclick: () => model.use(other), key: other },
            methodText(say, "use", other),
          ),
        ),
      h("button", { type: "button", class: "sekisho-link", onclick: model.cancel, key: "cancel" }, say("cancel")),
    ),
  );
}
