/** Write `src/texts/catalogue.ts` from the server's own catalogue, so that both say the same. `npm run texts` */

import { readFileSync, writeFileSync } from "node:fs";

export const LOCALES = ["en", "ja"];
const KINDS = ["error.", "reason.", "hint.", "field.", "page.factors.wanting", "page.second_factor.suspended"];
/** The words of the login history: in a module of their own, for only the account page says them. */
const HISTORY = "history.";
const PLACE = new URL("../src/texts/catalogue.ts", import.meta.url);
const HISTORY_PLACE = new URL("../src/texts/history.ts", import.meta.url);
const MADE = "/** Made by scripts/texts.js from the server's catalogue. Change that, then run `npm run texts`. */";

function textsOf(locale, kinds) {
  const all = JSON.parse(readFileSync(new URL(`../../src/sekisho/catalogue/${locale}.json`, import.meta.url), "utf8"));
  return Object.fromEntries(Object.entries(all).filter(([key]) => kinds.some((kind) => key.startsWith(kind))));
}

/** Return the texts of the server that a client may have to say. */
export const serverTexts = (locale) => textsOf(locale, KINDS);

export function catalogueModule() {
  const parts = LOCALES.map(
    (locale) => `export const ${locale} = ${JSON.stringify(serverTexts(locale), null, 2)} as const;\n`,
  );
  return `${MADE}\n\n${parts.join("\n")}`;
}

/** Return the words of the history, keyed by event and outcome. */
export const historyTexts = (locale) =>
  Object.fromEntries(
    Object.entries(textsOf(locale, [HISTORY])).map(([key, text]) => [key.slice(HISTORY.length), text]),
  );

export function historyModule() {
  const texts = Object.fromEntries(LOCALES.map((locale) => [locale, historyTexts(locale)]));
  return `${MADE}\n\nexport const history = ${JSON.stringify(texts, null, 2)} as const;\n`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(PLACE, catalogueModule());
  writeFileSync(HISTORY_PLACE, historyModule());
}
