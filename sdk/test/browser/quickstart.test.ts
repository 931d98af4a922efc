/** The quick starts of the README, copied into an empty Vite app, built, and used by a person in Chromium. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { AuthClient } from "../../src/core/index.js";
import { codeFor, newEmail } from "../support/people.js";
import { HAS_CHROMIUM, type Site, serveFolder, startChromium } from "./chromium.js";
import { type EmptyApp, emptyApp, filesIn } from "./empty_app.js";

declare global {
  /** The page's own client, for what has no button. */
  var client: AuthClient;
}

const SERVER = inject("server");
const PASSWORD = "seven white cranes";
const README = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
const LONG = 120_000;

/** The blocks as they stand, but for the server's port, and with the client in reach of the test. */
const filesFor = (heading: string) =>
  Object.fromEntries(
    Object.entries(filesIn(README, heading)).map(([file, text]) => [
      file,
      text
        .replace("http://localhost:8080", SERVER)
        .replace(/^(const client = .*)$/m, "$1\n(globalThis as { client?: unknown }).client = client;"),
    ]),
  );

const TEMPLATES = [
  {
    name: "React",
    template: "react-ts",
    files: ["src/App.tsx"],
    packages: ["vite", "@vitejs/plugin-react", "react", "react-dom", "@types/react", "@types/react-dom"],
    checks: [["typescript/bin/tsc", "-p", "tsconfig.app.json"]],
  },
  {
    name: "Vue",
    template: "vue-ts",
    files: ["src/main.ts", "src/App.vue"],
    packages: ["vite", "@vitejs/plugin-vue", "@vue/tsconfig", "vue"],
    checks: [],
  },
] as const;

let browser: Browser;

beforeAll(async () => {
  if (HAS_CHROMIUM) browser = await startChromium();
}, LONG);

afterAll(async () => {
  await browser?.close();
});

async function signUp(page: Page, email: string): Promise<void> {
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Email address", { exact: true }).fill(email);
  await page.getByLabel("Choose a password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Code from the mail").waitFor();
  await page.keyboard.type(await codeFor(SERVER, email));
  await page.keyboard.press("Enter");
  await page.getByText("This device").waitFor();
}

describe.each(TEMPLATES)("the quick start for $name", ({ name, template, files, packages, checks }) => {
  let app: EmptyApp;
  let site: Site;

  beforeAll(async () => {
    app = emptyApp(template, filesFor(name), packages);
    for (const [tool, ...words] of checks) app.run(tool, ...words);
    app.run("vite/bin/vite.js", "build");
    site = await serveFolder(join(app.folder, "dist"));
  }, LONG);

  afterAll(async () => {
    await site?.close();
    app?.remove();
  });

  test("puts a block into each file that it names, and builds", () => {
    expect(Object.keys(filesFor(name))).toEqual(files);
    expect(existsSync(join(app.folder, "dist/index.html"))).toBe(true);
  });

  describe.skipIf(!HAS_CHROMIUM)("in Chromium", () => {
    let context: BrowserContext;
    let page: Page;

    beforeEach(async () => {
      context = await browser.newContext({ locale: "en-US" });
      page = await context.newPage();
      await page.goto(site.url);
      await page.getByLabel("Email address", { exact: true }).waitFor();
    });

    afterEach(() => context.close());

    test("a person signs up with the mailed code, reloads, and is still signed in", { timeout: LONG }, async () => {
      const email = newEmail();
      await signUp(page, email);

      await page.reload();

      await page.getByText("This device").waitFor();
      expect(await page.locator("section").getByText(email).isVisible()).toBe(true);
      expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toMatch(/skr_|eyJ/);
    });

    test("the colours come through the build, follow the scheme, and can be changed", { timeout: LONG }, async () => {
      const colour = () =>
        page
          .locator(".sekisho-button")
          .first()
          .evaluate((button) => getComputedStyle(button).backgroundColor);
      const style = (content: string) => page.addStyleTag({ content });

      expect(await colour()).toBe("rgb(31, 95, 174)");
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await colour()).toBe("rgb(122, 179, 245)");
      await style(":root { --sekisho-accent: rgb(1, 2, 3); }");
      expect(await colour()).toBe("rgb(1, 2, 3)");
    });

    if (name !== "React") return;

    const status = (tab: Page) => tab.evaluate(() => client.getSnapshot().status);

    const anotherTab = async () => {
      const tab = await context.newPage();
      await tab.goto(site.url);
      await tab.getByText("This device").waitFor();
      return tab;
    };

    test("two tabs come through fifty rounds of refresh each, without a sign-out", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      const tabs = [page, await anotherTab()];

      const rounds = () =>
        Promise.all(
          tabs.map((tab) =>
            tab.evaluate(async () => {
              for (let round = 0; round < 50; round += 1) await client.refresh();
            }),
          ),
        );

      await rounds();
      expect(await Promise.all(tabs.map(status))).toEqual(["signed_in", "signed_in"]);
      await page.reload();
      await page.getByText("This device").waitFor();
    });

    test("a tab that is closed in the middle of a refresh costs nobody the session", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      const answered = new Promise<void>((resolve) => {
        void page.route("**/auth/refresh", async (route) => {
          // The server has rotated; its answer never reaches the tab.
          await route.fetch();
          resolve();
        });
      });
      const refreshing = page.evaluate(() => client.refresh()).catch((cause: unknown) => cause);
      await answered;
      await page.close();
      await refreshing;

      const tab = await anotherTab();

      expect(await status(tab)).toBe("signed_in");
    });

    test("offline keeps the session, and back online it goes on", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      await context.setOffline(true);
      const code = await page.evaluate(() => client.refresh().catch((cause: { code: string }) => cause.code));
      expect([code, await status(page)]).toEqual(["network_error", "signed_in"]);
      // The sections below may have been on their way, and say the same.
      const profile = page.getByRole("region", { name: "Profile" });
      await profile.getByRole("button", { name: "Save" }).click();
      await profile.getByText("The server cannot be reached.").waitFor();

      await context.setOffline(false);
      await profile.getByRole("button", { name: "Try again" }).click();

      await profile.getByText("Saved.").waitFor();
    });

    test("a sign-out in one tab reaches the other", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      const tab = await anotherTab();
      await page.getByRole("button", { name: /^Account menu/ }).click();
      await page.getByRole("button", { name: "Sign out", exact: true }).first().click();

      await tab.getByLabel("Email address", { exact: true }).waitFor();
      await tab.reload();
      await tab.getByLabel("Email address", { exact: true }).waitFor();
    });

    test("a session that was ended on another device is noticed at the next click", { timeout: LONG }, async () => {
      const email = newEmail();
      await signUp(page, email);
      const elsewhere = await browser.newContext({ locale: "en-US" });
      const phone = await elsewhere.newPage();
      await phone.goto(site.url);
      await phone.getByLabel("Email address", { exact: true }).fill(email);
      await phone.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await phone.getByRole("button", { name: "Sign in" }).click();
      await phone.getByRole("button", { name: "Sign out all other devices" }).click();
      await phone.getByText("Signed out on other devices: 1").waitFor();
      await elsewhere.close();

      await page.getByRole("button", { name: "Save" }).click();

      await page.getByLabel("Email address", { exact: true }).waitFor();
      expect(await status(page)).toBe("signed_out");
    });

    test("a CSRF value that is gone repairs itself", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      await context.clearCookies({ name: "csrftoken" });

      await page.evaluate(() => client.refresh());

      expect(await status(page)).toBe("signed_in");
    });
  });
});

describe("the project's own READMEs", () => {
  test.each(["README.md", "README.ja.md"])("%s shows the same start", (name) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), "utf8");
    const blocks = [...Object.values(filesIn(README, "React")), ...Object.values(filesIn(README, "Vue"))];

    expect(blocks).toHaveLength(3);
    expect(blocks.filter((block) => !text.includes(block))).toEqual([]);
  });
});
