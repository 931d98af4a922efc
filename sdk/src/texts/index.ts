/** What to say to a person about an error, in Japanese and English: the server's own texts, and ours where no answer came. */

import type { AuthError } from "../core/error.js";
import { en, ja } from "./catalogue.js";

export type Locale = "en" | "ja";

const SERVER: Record<Locale, Readonly<Record<string, string>>> = { en, ja };

/** For the codes that only this library has. */
const OWN: Record<Locale, Readonly<Record<string, string>>> = {
  en: {
    network_error: "The server cannot be reached. Check the connection, then try again.",
    unexpected_answer: "The server did not answer as expected. Please try again in a moment.",
  },
  ja: {
    network_error: "サーバーに接続できません。ネットワーク接続を確認して、もう一度お試しください。",
    unexpected_answer: "サーバーから想定外の応答がありました。少し待ってから、もう一度お試しください。",
  },
};

/** Return the language that a list such as `navigator.languages` prefers; English if none fits. */
export function chooseLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    const [primary] = language.toLowerCase().split("-");
    if (primary === "en" || primary === "ja") return primary;
  }
  return "en";
}

/** Return the sentence about an error; for a code that is not known here, what the server said. */
export function errorText(error: AuthError, locale: Locale): string {
  const text = OWN[locale][error.code] ?? SERVER[locale][`error.${error.code}`];
  if (text === undefined) return error.message;
  return text.replace(/\{([a-z_]+)\}/g, (whole, name: string) => String(error.details[name] ?? whole));
}

/**
 * Return why each field was refused, field to sentence; empty for an error that is not about fields.
 *
 * The server's message says it with values, as the least length of a password; where the message is in another
 * language the general sentence stands in.
 */
export function fieldTexts(error: AuthError, locale: Locale): Readonly<Record<string, string>> {
  if (error.code !== "validation_error") return {};
  const said = spokenFor(error, locale);
  const texts = reasonsOf(error).map(([field, reason]) => {
    const own = SERVER[locale][`reason.${field}.${reason}`];
    const general = SERVER[locale][`reason.${reason}`] ?? SERVER[locale]["reason.invalid_format"] ?? "";
    const text = own && !own.includes("{") ? own : general;
    return [field, said[field] ?? [text, ...hintTexts(error, field, locale)].join(locale === "en" ? " " : "")] as const;
  });
  return Object.fromEntries(texts);
}

/** Return the reason of each field. What stands beside them, such as the hints, is a list. */
function reasonsOf(error: AuthError): [field: string, reason: string][] {
  return Object.entries(error.details).filter((entry): entry is [string, string] => typeof entry[1] === "string");
}

/** Return what would be better in this field, as the server says in `<field>_hints`; a hint that is not known here is left out. */
function hintTexts(error: AuthError, field: string, locale: Locale): string[] {
  const hints = error.details[`${field}_hints`];
  if (!Array.isArray(hints)) return [];
  return hints.map((hint) => SERVER[locale][`hint.${String(hint)}`] ?? "").filter((text) => text !== "");
}

/** Cut the server's message into its fields: the general sentence, then `field: reason` for each, in the order of `details`. */
function spokenFor(error: AuthError, locale: Locale): Record<string, string> {
  const general = SERVER[locale]["error.validation_error"] ?? "";
  if (!error.message.startsWith(general)) return {};
  const found: Record<string, string> = {};
  let rest = error.message.slice(general.length);
  for (const [field] of reasonsOf(error).reverse()) {
    const start = rest.lastIndexOf(` ${field}: `);
    if (start < 0) return {};
    found[field] = rest.slice(start + field.length + 3).trim();
    rest = rest.slice(0, start);
  }
  return found;
}
