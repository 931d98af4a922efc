/** The quick starts of the READMEs: copied into an empty Vite app, they build. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { type EmptyApp, emptyApp, filesIn } from "./empty_app.js";

const README = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
const IN_REACT = ["vite", "@vitejs/plugin-react", "react", "react-dom", "@types/react", "@types/react-dom"];
const IN_VUE = ["vite", "@vitejs/plugin-vue", "@vue/tsconfig", "vue"];

let app: EmptyApp | undefined;

afterEach(() => app?.remove());

const built = (folder: string) => {
  const assets = join(folder, "dist/assets");
  return readdirSync(assets).map((file) => readFileSync(join(assets, file), "utf8"));
};

describe("the quick start of the README", () => {
  test("for React is type-checked and built", { timeout: 120_000 }, () => {
    const files = filesIn(README, "React");
    expect(Object.keys(files)).toEqual(["src/App.tsx"]);
    app = emptyApp("react-ts", files, IN_REACT);
    app.run("typescript/bin/tsc", "-p", "tsconfig.app.json");
    app.run("vite/bin/vite.js", "build");

    expect(built(app.folder).some((text) => text.includes("--sekisho-accent"))).toBe(true);
    expect(built(app.folder).some((text) => text.includes("/auth/refresh"))).toBe(true);
  });

  test("for Vue is built", { timeout: 120_000 }, () => {
    const files = filesIn(README, "Vue");
    expect(Object.keys(files)).toEqual(["src/main.ts", "src/App.vue"]);
    app = emptyApp("vue-ts", files, IN_VUE);
    app.run("vite/bin/vite.js", "build");

    expect(existsSync(join(app.folder, "dist/index.html"))).toBe(true);
    expect(built(app.folder).some((text) => text.includes("/auth/refresh"))).toBe(true);
  });
});

describe("the project's own READMEs", () => {
  test.each(["README.md", "README.ja.md"])("%s shows the same start", (name) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), "utf8");
    const [react] = Object.values(filesIn(README, "React"));
    const [main, vue] = Object.values(filesIn(README, "Vue"));

    expect([react, main, vue].map((block) => block !== undefined && text.includes(block))).toEqual([true, true, true]);
  });
});
