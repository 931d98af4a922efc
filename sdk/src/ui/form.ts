/** A form's own state: sent once at a time, slow when it is slow, and what was refused beside its field. */

import { AuthError } from "../core/error.js";
import { errorText, fieldTexts, type Locale } from "../texts/index.js";
import type { Label, Say } from "./labels.js";

const SLOW_AFTER_MS = 1_000;

export interface FormState {
  readonly pace: "still" | "busy" | "slow";
  readonly error: AuthError | null;
  /** Fields that were left empty. */
  readonly missing: readonly string[];
  /** What was done, to be said aloud. */
  readonly done: { readonly label: Label; readonly values?: Readonly<Record<string, string | number>> } | null;
  /** Where the cursor belongs now; a new object each time. */
  readonly focus: Focus | null;
}

/** A place inside of the component. */
export interface Focus {
  readonly selector: string;
}

/** Return the place of a field; `form` is needed where several forms have a field of that name. */
export const toField = (field: string, form?: string): Focus => ({
  selector: `${form === undefined ? "" : `[data-form="${form}"] `}[name="${field}"]`,
});

/** Return the place of what is drawn with the attribute `data-place`. */
export const toPlace = (name: string): Focus => ({ selector: `[data-place="${name}"]` });

export type Done = FormState["done"];

export const STILL: FormState = Object.freeze({ pace: "still", error: null, missing: [], done: null, focus: null });

/** The field that a refusal is about, where the server names none. */
const FIELD_OF: Readonly<Record<string, string>> = {
  invalid_credentials: "password",
  invalid_code: "code",
  session_not_found: "code",
  email_already_exists: "email",
};

export type Values = Readonly<Record<string, string>>;

/** Return a code as it counts: it may be typed or pasted with spaces and hyphens. */
export const digits = (code = ""): string => code.replace(/\D/g, "");

export interface Submission {
  readonly fields: readonly string[];
  readonly optional?: readonly string[];
  readonly values: Values;
  /** The name of the form, where the component has several. */
  readonly form?: string;
  /** Empty the fields: called once it is done. */
  readonly clear?: () => void;
  /** Where the cursor goes once it is done. */
  readonly after?: Focus;
  readonly get: () => FormState;
  readonly set: (state: FormState) => void;
  /** Do it, and return what to say of it; null where it is not done yet, or says so by itself. */
  readonly send: () => Promise<Done>;
}

/** Send a form once: a second click while it is under way does nothing. Refusals end in its state, mistakes reject. */
export async function submit(asked: Submission): Promise<void> {
  const { fields, optional = [], values, form, get, set, send } = asked;
  if (get().pace !== "still") return;
  const missing = fields.filter((field) => !optional.includes(field) && !values[field]);
  const [first] = missing;
  if (first !== undefined) {
    set({ ...STILL, missing, focus: toField(first, form) });
    return;
  }
  set({ ...STILL, pace: "busy" });
  const slow = setTimeout(() => set({ ...get(), pace: "slow" }), SLOW_AFTER_MS);
  try {
    const done = await send();
    clearTimeout(slow);
    if (done) asked.clear?.();
    set({ ...STILL, done, focus: done ? (asked.after ?? null) : null });
  } catch (cause) {
    clearTimeout(slow);
    if (!(cause instanceof AuthError)) {
      set(STILL);
      throw cause;
    }
    const field = fields.find((name) => isAbout(cause, name));
    set({ ...STILL, error: cause, focus: field === undefined ? null : toField(field, form) });
  }
}

const isAbout = (error: AuthError, field: string): boolean =>
  FIELD_OF[error.code] === field || (error.code === "validation_error" && field in error.details);

/** Return what to say beside a field, or null. */
export function textBeside(state: FormState, field: string, locale: Locale): string | null {
  if (state.missing.includes(field)) return fieldTexts(REQUIRED(field), locale)[field] ?? null;
  if (!state.error || !isAbout(state.error, field)) return null;
  return fieldTexts(state.error, locale)[field] ?? errorText(state.error, locale);
}

const REQUIRED = (field: string): AuthError =>
  new AuthError({ code: "validation_error", status: 400, details: { [field]: "required" } });

/** Return what to say about the form as a whole, or null: what stands beside no field. */
export function textAbove(state: FormState, fields: readonly string[], locale: Locale, say: Say): string | null {
  const { error } = state;
  if (!error || fields.some((field) => isAbout(error, field))) return null;
  return textOf(error, locale, say);
}

/** Return the sentence about an error, and when to try again. */
export function textOf(error: AuthError, locale: Locale, say: Say): string {
  const text = errorText(error, locale);
  const { retryAfter } = error;
  if (retryAfter === undefined) return text;
  const when =
    retryAfter >= 90
      ? say("wait_minutes", { minutes: Math.ceil(retryAfter / 60) })
      : say("wait_seconds", { seconds: retryAfter });
  return locale === "ja" ? `${text}${when}` : `${text} ${when}`;
}
