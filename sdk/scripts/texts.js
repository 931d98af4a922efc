/** Write `src/texts/catalogue.ts` from the server's own catalogue, so that both say the same. `npm run texts` */

import { readFileSync, writeFileSync } from "node:fs";

export const LOCALES = ["en", "ja"];
const KINDS = ["error.", "reason.", "hint.", "field."];
const PLACE = new URL("../src/texts/catalogue.ts", import.meta.url);

/** Return the texts of the server that a client may have to say. */
export function serverTexts(locale) {
  const all = JSON.parse(readFileSync(new URL(`../../src/sekisho/catalogue/${locale}.json`, import.meta.url), "utf8"));
  return Object.fromEntries(Object.entries(all).filter(([key]) => KINDS.some((kind) => key.startsWith(kind))));
}

export function catalogueModule() {
  const parts = LOCALES.map(
    (locale) => `export const ${locale} = ${JSON.stringify(serverTexts(locale), null, 2)} as const;\n`,
  );
  return `/** Made by scripts/texts.js from the server's catalogue. Change that, then run \`npm run texts\`. */\n\n${parts.join("\n")}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(PLACE, catalogueModule());
