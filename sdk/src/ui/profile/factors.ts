/**
 * The second factors of the account page: the list, enrolling with a QR code, recovery codes, and the step-up in between.
 *
 * Whatever the server wants a fresher proof for is done again by itself once the proof is given.
 */

import type { AuthClient } from "../../core/client.js";
import { AuthError, hasCode } from "../../core/error.js";
import type { Enrolment, Factor, FactorList } from "../../core/wire.js";
import { type FormState, STILL, submit, textOf, type Values } from "../form.js";
import type { Say } from "../labels.js";
import { codeField, methodText } from "../methods.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { field, form, said } from "../parts.js";

type Done = FormState["done"];

/** What waits for a fresher proof, and how it may be given. `method` is undefined for the password. */
interface Waiting {
  readonly methods: readonly string[];
  readonly method: string | undefined;
  readonly next: () => Promise<Done>;
}

export interface FactorState {
  readonly list: FactorList | null;
  readonly enrolment: Enrolment | null;
  /** Shown once, until the person says that they are kept. */
  readonly codes: readonly string[] | null;
  readonly waiting: Waiting | null;
  readonly form: FormState;
}

export interface FactorModel extends ModelStore<FactorState> {
  readonly load: () => Promise<void>;
  readonly enrol: (kind: string) => Promise<void>;
  readonly confirm: (values: Values) => Promise<void>;
  readonly remove: (factor: Factor) => Promise<void>;
  readonly renew: () => Promise<void>;
  readonly prove: (values: Values) => Promise<void>;
  readonly use: (method: string) => void;
  readonly sendCode: () => Promise<void>;
  readonly cancel: () => void;
  readonly copy: (text: string) => Promise<void>;
}

const QUIET: Omit<FactorState, "list"> = { enrolment: null, codes: null, waiting: null, form: STILL };

export function createFactorModel(auth: AuthClient): FactorModel {
  const store = createModelStore<FactorState>({ list: null, ...QUIET });
  const get = () => store.getSnapshot().form;
  const set = (form: FormState) => store.change({ form });
  const load = async () => store.change({ list: await auth.factors.list() });

  /** Do it; where a fresher proof is wanted, ask for that first. */
  const proven = async (work: () => Promise<Done>): Promise<Done> => {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof AuthError) || !hasCode(cause, "step_up_required")) throw cause;
      const methods = await methodsFor(cause);
      store.change({ waiting: { methods, method: methods[0], next: work } });
      return null;
    }
  };
  /** A password is enough where nothing stronger is enrolled. */
  const methodsFor = async (error: AuthError): Promise<readonly string[]> => {
    if (error.details["acr"] !== "aal2") return [];
    const { factors, recovery_codes } = await auth.factors.list();
    const kinds = [...new Set(factors.map((factor) => factor.kind))].filter((kind) => kind !== "email");
    return recovery_codes > 0 ? [...kinds, "recovery_code"] : kinds;
  };

  const run = (work: () => Promise<Done>, fields: readonly string[] = [], values: Values = {}) =>
    submit({ fields, values, get, set, send: () => proven(work) });

  return {
    ...store,
    load,
    enrol: (kind) =>
      run(async () => {
        store.change({ enrolment: await auth.factors.enrol({ kind }) });
        return null;
      }),
    confirm: (values) =>
      run(
        async () => {
          const { enrolment } = store.getSnapshot();
          if (!enrolment) return null;
          const code = (values["code"] ?? "").replace(/\D/g, "");
          const { recovery_codes = null } = await auth.factors.confirm(enrolment.id, code);
          store.change({ enrolment: null, codes: recovery_codes });
          await load();
          return { label: "factor_added" };
        },
        ["code"],
        values,
      ),
    remove: ({ id }) =>
      run(async () => {
        await auth.factors.remove(id);
        await load();
        return { label: "factor_removed" };
      }),
    renew: () =>
      run(async () => {
        store.change({ codes: await auth.factors.newRecoveryCodes() });
        await load();
        return null;
      }),
    prove: (values) => {
      const { waiting } = store.getSnapshot();
      const { method, next } = waiting ?? { method: undefined, next: async () => null };
      const name = method === undefined ? "password" : "code";
      return submit({
        fields: [name],
        values,
        get,
        set,
        send: async () => {
          const shown = values[name] ?? "";
          await auth.stepUp(method === undefined ? { password: shown } : { method, code: shown });
          store.change({ waiting: null });
          return next();
        },
      });
    },
    use: (method) => {
      const { waiting } = store.getSnapshot();
      if (waiting) store.change({ waiting: { ...waiting, method }, form: { ...STILL, focus: { field: "code" } } });
    },
    sendCode: () =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        send: async () => {
          await auth.sendStepUpCode(store.getSnapshot().waiting?.method ?? "");
          return { label: "factor_code_sent" };
        },
      }),
    cancel: () => store.change(QUIET),
    copy: (text) =>
      submit({
        fields: [],
        values: {},
        get,
        set,
        send: async () => {
          await navigator.clipboard.writeText(text);
          return { label: "copied" };
        },
      }),
  };
}

export function factorSection<N>(drawing: Drawing<N>, state: FactorState, model: FactorModel): N {
  const { h, id, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-factors`, key: "factors" },
    h("h2", { id: `${id}-factors`, class: "sekisho-title" }, say("factors")),
    // Another form of the page may have fields of the same names.
    inside({ ...drawing, id: `${id}-factors` }, state, model),
  );
}

/** One thing at a time: the proof that is waited for, the codes to keep, the enrolment, else the list. */
function inside<N>(drawing: Drawing<N>, state: FactorState, model: FactorModel): N {
  if (state.waiting) return proofStep(drawing, state, state.waiting, model);
  if (state.codes) return codesStep(drawing, state, state.codes, model);
  if (state.enrolment) return enrolmentStep(drawing, state, state.enrolment, model);
  return listStep(drawing, state, model);
}

function listStep<N>(drawing: Drawing<N>, state: FactorState, model: FactorModel): N {
  const { h, say, locale } = drawing;
  const { factors = [], recovery_codes = 0, available = [] } = state.list ?? {};
  const { error } = state.form;
  const hasMail = factors.some((factor) => factor.kind === "email");
  return h(
    "div",
    { key: "list" },
    h("p", { class: "sekisho-hint" }, say(factors.length > 0 ? "factors_hint" : "no_factors")),
    error ? h("p", { class: "sekisho-problem", role: "alert" }, textOf(error, locale, say)) : null,
    factors.length > 0
      ? h("ul", { class: "sekisho-list" }, ...factors.map((factor) => factorItem(drawing, factor, model)))
      : null,
    factors.length > 0 ? h("p", { class: "sekisho-hint" }, say("recovery_left", { count: recovery_codes })) : null,
    said(drawing, state.form),
    h(
      "div",
      { class: "sekisho-choices" },
      available.includes("totp") ? quiet(drawing, say("add_totp"), () => model.enrol("totp"), "totp") : null,
      available.includes("email") && !hasMail
        ? quiet(drawing, say("add_email"), () => model.enrol("email"), "email")
        : null,
      factors.length > 0 ? quiet(drawing, say("recovery_new"), model.renew, "renew") : null,
    ),
  );
}

function factorItem<N>(drawing: Drawing<N>, factor: Factor, model: FactorModel): N {
  const { h, say, locale } = drawing;
  const kind = kindOf(say, factor.kind);
  const added = new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(factor.created_at));
  return h(
    "li",
    { class: "sekisho-item", key: factor.id },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, factor.name || kind),
      h("span", { class: "sekisho-hint" }, [factor.name ? kind : "", added].filter(Boolean).join(" · ")),
    ),
    h(
      "button",
      {
        type: "button",
        class: "sekisho-button sekisho-quiet",
        "aria-label": say("factor_remove_of", { factor: factor.name || kind }),
        onclick: () => model.remove(factor),
      },
      say("factor_remove"),
    ),
  );
}

function enrolmentStep<N>(drawing: Drawing<N>, state: FactorState, enrolment: Enrolment, model: FactorModel): N {
  const { h, say } = drawing;
  const { secret, uri, qr } = enrolment;
  const src = qr === undefined ? "" : `data:image/svg+xml;utf8,${encodeURIComponent(qr)}`;
  return h(
    "div",
    { key: "enrolment" },
    h("p", { class: "sekisho-hint" }, say(secret === undefined ? "mail_sent" : "scan")),
    src ? h("img", { class: "sekisho-qr", src, alt: say("qr"), width: "220", height: "220" }) : null,
    secret === undefined
      ? null
      : h(
          "p",
          { class: "sekisho-key" },
          h("span", {}, say("key")),
          h("code", {}, secret),
          quiet(drawing, say("copy"), () => model.copy(secret), "copy"),
        ),
    uri === undefined ? null : h("p", {}, h("a", { class: "sekisho-link", href: uri }, say("open_app"))),
    form(
      drawing,
      { key: "confirm", state: state.form, fields: ["code"], button: say("confirm"), onsubmit: model.confirm },
      [codeField(drawing, state.form, enrolment.kind)],
    ),
    h("p", { class: "sekisho-other" }, quiet(drawing, say("cancel"), model.cancel, "cancel")),
  );
}

function codesStep<N>(drawing: Drawing<N>, state: FactorState, codes: readonly string[], model: FactorModel): N {
  const { h, id, say } = drawing;
  const text = codes.join("\n");
  return h(
    "div",
    { key: "codes", role: "group", "aria-labelledby": `${id}-recovery` },
    h("h3", { id: `${id}-recovery`, class: "sekisho-subtitle" }, say("recovery_title")),
    h("p", { class: "sekisho-hint" }, say("recovery_hint")),
    h("ol", { class: "sekisho-codes" }, ...codes.map((code) => h("li", { key: code }, h("code", {}, code)))),
    h(
      "p",
      { class: "sekisho-other" },
      quiet(drawing, say("copy"), () => model.copy(text), "copy"),
      h(
        "a",
        {
          class: "sekisho-button sekisho-quiet",
          href: `data:text/plain;charset=utf-8,${encodeURIComponent(`${text}\n`)}`,
          download: "recovery-codes.txt",
          key: "download",
        },
        say("download"),
      ),
      quiet(drawing, say("print"), () => window.print(), "print"),
    ),
    said(drawing, state.form),
    h("button", { type: "button", class: "sekisho-button", onclick: model.cancel }, say("recovery_done")),
  );
}

function proofStep<N>(drawing: Drawing<N>, state: FactorState, waiting: Waiting, model: FactorModel): N {
  const { h, id, say } = drawing;
  const { method, methods } = waiting;
  const others = methods.filter((other) => other !== method);
  return h(
    "div",
    { key: "proof", role: "group", "aria-labelledby": `${id}-proof` },
    h("h3", { id: `${id}-proof`, class: "sekisho-subtitle" }, say("step_up_title")),
    h(
      "p",
      { class: "sekisho-hint" },
      method === undefined ? say("step_up_password") : methodText(say, "second", method),
    ),
    method === "sms" ? quiet(drawing, say("send_code"), model.sendCode, "send") : null,
    form(
      drawing,
      {
        key: `proof-${method ?? "password"}`,
        state: state.form,
        fields: [method === undefined ? "password" : "code"],
        button: say("confirm"),
        onsubmit: model.prove,
      },
      [
        method === undefined
          ? field(drawing, state.form, {
              name: "password",
              label: say("password"),
              attributes: { type: "password", autocomplete: "current-password", required: true },
            })
          : codeField(drawing, state.form, method),
      ],
    ),
    h(
      "p",
      { class: "sekisho-other" },
      ...others.map((other) => quiet(drawing, methodText(say, "use", other), () => model.use(other), other)),
      quiet(drawing, say("cancel"), model.cancel, "cancel"),
    ),
  );
}

function quiet<N>({ h }: Drawing<N>, label: string, onclick: () => unknown, key: string): N {
  return h("button", { type: "button", class: "sekisho-button sekisho-quiet", onclick, key }, label);
}

function kindOf(say: Say, kind: string): string {
  const known = (["totp", "email", "sms"] as const).find((one) => one === kind);
  return known ? say(`factor_${known}`) : kind;
}
