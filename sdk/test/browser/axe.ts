/** axe-core in a page, and a narrow look at it: what of it somebody could not use. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What each colour scheme is asked for: in the second one only what colours decide. */
const LOOKS = [
  ["light", { type: "tag", values: EVERYTHING }],
  ["dark", { type: "rule", values: ["color-contrast"] }],
] as const;

/** WCAG 2.2, 1.4.10: nothing has to be scrolled sideways at this width. */
const NARROW = { width: 320, height: 640 };

/** Return the serious and critical findings in both colour schemes, each with where it was found. */
export async function findings(page: Page, where: string): Promise<string[]> {
  // Evaluated by the browser itself, so that the page's content policy has no say in it.
  await page.evaluate(SOURCE);
  const found: string[] = [];
  for (const [colorScheme, runOnly] of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations, passes } = await page.evaluate(
      (options): Promise<AxeResults> =>
        (globalThis as unknown as { axe: { run: (options: unknown) => Promise<AxeResults> } }).axe.run(options),
      { runOnly, resultTypes: ["violations"] },
    );
    if (passes.length === 0) throw new Error(`axe looked at nothing of ${where}`);
    for (const { id, impact, nodes } of violations)
      if (impact === "serious" || impact === "critical")
        found.push(`${where}, ${colorScheme}: ${id} at ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }
  const size = page.viewportSize();
  await page.setViewportSize(NARROW);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (tooWide > 0) found.push(`${where}: ${tooWide} px too wide for ${NARROW.width} px`);
  if (size) await page.setViewportSize(size);
  return found;
}
