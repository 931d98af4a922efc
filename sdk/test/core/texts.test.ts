/** Texts: the server's own, whole and unchanged. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
// @ts-expect-error: a script without types
import { catalogueModule, historyModule, serverTexts } from "../../scripts/texts.js";
import { AuthError } from "../../src/core/index.js";
import { en, ja } from "../../src/texts/catalogue.js";
import { chooseLocale, errorText, fieldTexts } from "../../src/texts/index.js";

const made = { en, ja } as const;

describe.each(["en", "ja"] as const)("in %s", (locale) => {
  test("the texts are those of the server's catalogue", () => {
    expect(made[locale]).toEqual(serverTexts(locale));
    expect(Object.keys(made[locale]).length).toBeGreaterThan(40);
  });

  test.each(["network_error", "unexpected_answer"])("our own code %s has a text", (code) => {
    expect(errorText(new AuthError({ code, status: 0 }), locale)).not.toBe(code);
  });

  test("a text with a value says it", () => {
    const details = { incident: "abc123" };
    expect(errorText(new AuthError({ code: "internal_server_error", status: 500, details }), locale)).toContain(
      "abc123",
    );
  });
});

test.each([
  ["catalogue", catalogueModule],
  ["history", historyModule],
])("the module %s is what the script writes", (name, module: () => string) => {
  const written = readFileSync(new URL(`../../src/texts/${name}.ts`, import.meta.url), "utf8");
  expect(written).toBe(module());
});

test("a code that is not known says what the server said", () => {
  expect(errorText(new AuthError({ code: "brand_new", status: 400, message: "New." }), "en")).toBe("New.");
});

test.each([
  [["ja-JP", "en"], "ja"],
  [["fr", "en-GB"], "en"],
  [["fr"], "en"],
  [[], "en"],
])("of %j the language is %s", (languages, locale) => {
  expect(chooseLocale(languages)).toBe(locale);
});

test("the reasons of several fields are told apart", () => {
  const general = en["error.validation_error"];
  const message = `${general} email: Bad. Really bad. password: Use at least 8 characters.`;
  const details = { email: "invalid_email", password: "too_short" };
  const error = new AuthError({ code: "validation_error", status: 400, message, details });

  expect(fieldTexts(error, "en")).toEqual({ email: "Bad. Really bad.", password: "Use at least 8 characters." });
  expect(fieldTexts(error, "ja")).toEqual({ email: ja["reason.invalid_email"], password: ja["reason.too_short"] });
  expect(fieldTexts(new AuthError({ code: "invalid_code", status: 400 }), "en")).toEqual({});
});

test("what would be a better password follows the reason, in the language of the page", () => {
  const details = { password: "too_guessable", password_hints: ["date", "add_words", "brand_new"], name: "too_long" };
  const message = `${en["error.validation_error"]} password: Weak. Add a word. name: Too long.`;
  const error = new AuthError({ code: "validation_error", status: 400, message, details });

  expect(fieldTexts(error, "en")).toEqual({ password: "Weak. Add a word.", name: "Too long." });
  expect(fieldTexts(error, "ja")).toEqual({
    password: ja["reason.too_guessable"] + ja["hint.date"] + ja["hint.add_words"],
    name: ja["reason.too_long"],
  });
});
