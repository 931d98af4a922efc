/** The second factors of the account page: the list, with a name for each, and the way to another one. */

import type { Enrolment, Factor, FactorList } from "../../core/wire.js";
import { type Done, digits, type FormState, STILL, type Submission, toField, toPlace, type Values } from "../form.js";
import type { Say } from "../labels.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { complaint, field, form, quiet, said } from "../parts.js";
import { type Desk, formOf } from "./desk.js";
import { codesStep, enrolmentStep, phoneStep } from "./factor_steps.js";

export interface FactorState {
  readonly list: FactorList | null;
  readonly enrolment: Enrolment | null;
  /** Whether the number of a phone is asked for, which is enrolled then. */
  readonly isAskingPhone: boolean;
  /** Shown once, until the person says that they are kept. */
  readonly codes: readonly string[] | null;
  /** The id of the factor that is given another name. */
  readonly renaming: string | null;
  readonly form: FormState;
}

export interface FactorModel extends ModelStore<FactorState> {
  readonly load: () => Promise<void>;
  readonly enrol: (kind: string) => Promise<void>;
  readonly beginPhone: () => void;
  readonly enrolPhone: (values: Values) => Promise<void>;
  readonly confirm: (values: Values) => Promise<void>;
  readonly beginRename: (id: string) => void;
  readonly rename: (values: Values) => Promise<void>;
  readonly remove: (factor: Factor) => Promise<void>;
  readonly renew: () => Promise<void>;
  readonly cancel: () => void;
  readonly copy: (text: string) => Promise<void>;
}

const PLACE = "factors";
const RENAME = "rename";
const PHONE = "phone";
const QUIET: Omit<FactorState, "list"> = {
  enrolment: null,
  isAskingPhone: false,
  codes: null,
  renaming: null,
  form: STILL,
};

export function createFactorModel({ auth, proven, changed }: Desk): FactorModel {
  const store = createModelStore<FactorState>({ list: null, ...QUIET });
  const load = async () => store.change({ list: await auth.factors.list() });

  /** Codes that are shown once wait for no further answer: what is known of the list goes with them. */
  const showCodes = (codes: readonly string[], added: readonly Factor[] = []) => {
    const { list } = store.getSnapshot();
    const factors = [...(list?.factors ?? []), ...added];
    store.change({ codes, list: list && { ...list, factors, recovery_codes: codes.length } });
  };

  const run = (send: () => Promise<Done>, more: Partial<Submission> = {}) =>
    proven({ fields: [], values: {}, after: toPlace(PLACE), ...more, ...formOf(store), send });

  return {
    ...store,
    load,
    enrol: async (kind) => {
      await run(
        async () => {
          store.change({ enrolment: await auth.factors.enrol({ kind }) });
          return { label: "enrolment_begun" };
        },
        { after: toField("code", "confirm") },
      );
    },
    beginPhone: () => store.change({ isAskingPhone: true, form: { ...STILL, focus: toField(PHONE, PHONE) } }),
    enrolPhone: (values) =>
      run(
        async () => {
          const enrolment = await auth.factors.enrol({ kind: "sms", phone: values[PHONE] ?? "" });
          store.change({ enrolment, isAskingPhone: false });
          return { label: "enrolment_begun" };
        },
        { form: PHONE, fields: [PHONE], values, after: toField("code", "confirm") },
      ),
    confirm: (values) =>
      run(
        async () => {
          const { enrolment } = store.getSnapshot();
          if (!enrolment) return null;
          const code = digits(values["code"]);
          const { factor, recovery_codes } = await auth.factors.confirm(enrolment.id, code);
          if (recovery_codes) showCodes(recovery_codes, [factor]);
          else await load();
          store.change({ enrolment: null });
          changed();
          return { label: "factor_added" };
        },
        { form: "confirm", fields: ["code"], values },
      ),
    beginRename: (id) => store.change({ renaming: id, form: { ...STILL, focus: toField("name", RENAME) } }),
    rename: (values) => {
      const id = store.getSnapshot().renaming ?? "";
      return run(
        async () => {
          await auth.factors.rename(id, values["name"] ?? "");
          store.change({ renaming: null });
          await load();
          return { label: "factor_renamed" };
        },
        { form: RENAME, fields: ["name"], values, after: toPlace(`${RENAME}-${id}`) },
      );
    },
    remove: ({ id }) =>
      run(async () => {
        await auth.factors.remove(id);
        await load();
        changed();
        return { label: "factor_removed" };
      }),
    renew: () =>
      run(async () => {
        showCodes(await auth.factors.newRecoveryCodes());
        return { label: "recovery_made" };
      }),
    cancel: () => store.change({ ...QUIET, form: { ...STILL, focus: toPlace(PLACE) } }),
    copy: (text) =>
      run(
        async () => {
          try {
            await navigator.clipboard.writeText(text);
            return { label: "copied" };
          } catch {
            // No clipboard outside of https, or the person forbids it: it can still be selected.
            return { label: "copy_failed" };
          }
        },
        { after: toPlace("copy") },
      ),
  };
}

export function factorSection<N>(page: Drawing<N>, state: FactorState, email: string, model: FactorModel): N {
  const drawing: Drawing<N> = { ...page, id: `${page.id}-factors` };
  const { h, id, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card sekisho-factors", "aria-labelledby": id, key: PLACE },
    h("h2", { id, class: "sekisho-title", tabindex: "-1", "data-place": PLACE }, say("factors")),
    inside(drawing, state, email, model),
  );
}

/** One thing at a time: the codes to keep, the enrolment, else the list. */
function inside<N>(drawing: Drawing<N>, state: FactorState, email: string, model: FactorModel): N {
  if (state.codes) return codesStep(drawing, state, { codes: state.codes, email }, model);
  if (state.enrolment) return enrolmentStep(drawing, state, state.enrolment, model);
  if (state.isAskingPhone) return phoneStep(drawing, state, model);
  return listStep(drawing, state, model);
}

function listStep<N>(drawing: Drawing<N>, state: FactorState, model: FactorModel): N {
  const { h, say } = drawing;
  const { factors = [], recovery_codes = 0, available = [] } = state.list ?? {};
  const isFree = (kind: string) => available.includes(kind) && !factors.some((factor) => factor.kind === kind);
  return h(
    "div",
    { key: "list" },
    h("p", { class: "sekisho-hint" }, say(factors.length > 0 ? "factors_hint" : "no_factors")),
    state.renaming === null ? complaint(drawing, state.form) : null,
    factors.length > 0
      ? h("ul", { class: "sekisho-list" }, ...factors.map((factor) => factorItem(drawing, state, factor, model)))
      : null,
    factors.length > 0 ? h("p", { class: "sekisho-hint" }, say("recovery_left", { count: recovery_codes })) : null,
    state.renaming === null ? said(drawing, state.form) : null,
    h(
      "div",
      { class: "sekisho-choices" },
      available.includes("totp") ? quiet(drawing, say("add_totp"), () => model.enrol("totp"), "totp") : null,
      isFree("email") ? quiet(drawing, say("add_email"), () => model.enrol("email"), "email") : null,
      isFree("sms") ? quiet(drawing, say("add_sms"), model.beginPhone, "sms") : null,
      factors.length > 0 ? quiet(drawing, say("recovery_new"), model.renew, "renew") : null,
    ),
  );
}

function factorItem<N>(drawing: Drawing<N>, state: FactorState, factor: Factor, model: FactorModel): N {
  const { h, say } = drawing;
  const kind = kindOf(say, factor.kind);
  const name = factor.name || kind;
  const isRenaming = state.renaming === factor.id;
  return h(
    "li",
    { class: "sekisho-item", key: factor.id },
    h(
      "div",
      { class: "sekisho-item-text" },
      h("strong", {}, name),
      h("span", { class: "sekisho-hint" }, aboutOf(drawing, factor, kind)),
    ),
    h(
      "div",
      { class: "sekisho-item-actions" },
      quiet(
        drawing,
        say(isRenaming ? "cancel" : "factor_rename"),
        isRenaming ? model.cancel : () => model.beginRename(factor.id),
        "rename",
        {
          "data-place": `${RENAME}-${factor.id}`,
          "aria-label": isRenaming ? undefined : say("factor_rename_of", { factor: name }),
          "aria-expanded": isRenaming ? "true" : "false",
        },
      ),
      quiet(drawing, say("factor_remove"), () => model.remove(factor), "remove", {
        "aria-label": say("factor_remove_of", { factor: name }),
      }),
    ),
    isRenaming
      ? form(
          drawing,
          { key: RENAME, state: state.form, fields: ["name"], button: say("save"), onsubmit: model.rename },
          [
            field(drawing, state.form, {
              name: "name",
              label: say("factor_name"),
              attributes: { type: "text", autocomplete: "off", required: true, initial: factor.name },
            }),
          ],
        )
      : null,
  );
}

/** What it is, since when, and when it was last shown. */
function aboutOf<N>({ say, locale }: Drawing<N>, factor: Factor, kind: string): string {
  const day = (at: string) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(at));
  const added = say("factor_since", { at: day(factor.created_at) });
  const used = factor.last_used_at === null ? "" : say("last_seen", { at: day(factor.last_used_at) });
  return [factor.name ? kind : "", factor.number, added, used].filter(Boolean).join(" · ");
}

function kindOf(say: Say, kind: string): string {
  const known = (["totp", "email", "sms"] as const).find((one) => one === kind);
  return known ? say(`factor_${known}`) : kind;
}
