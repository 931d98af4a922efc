/** Labels: each component finds those that it says among its own. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Label, sayIn } from "../../src/ui/labels.js";
import { profileLabels } from "../../src/ui/profile/labels.js";

const UI = new URL("../../src/ui/", import.meta.url);
const SAID = /\b(?:say\(|label: |\[)"([a-z_]+)"/g;

const saidIn = (folder: URL): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".ts") && name !== "labels.ts" && name !== "profile.ts")
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(SAID)].map(([, label = ""]) => label));

describe.each(["en", "ja"] as const)("in %s", (locale) => {
  test("what is said outside of the account page needs none of its labels", () => {
    const own = Object.keys(profileLabels[locale]);
    const said = saidIn(UI);

    expect(said.length).toBeGreaterThan(20);
    expect(said.filter((label) => own.includes(label))).toEqual([]);
  });

  test("the account page has a sentence for all that it says", () => {
    const say = sayIn(locale, profileLabels);
    const labels = [...Object.keys(profileLabels.en), "confirm", "code"] as Label[];

    expect(labels.filter((label) => say(label) === label || say(label) === "")).toEqual([]);
  });
});
