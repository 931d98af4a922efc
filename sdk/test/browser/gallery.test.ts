/** Every component, in React and in Vue, against the real server: seen by axe, used by keyboard, in trouble. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeFor, newEmail } from "../support/people.js";
import { totp } from "../support/totp.js";
import { findings } from "./axe.js";
import { HAS_CHROMIUM, type Site, startChromium } from "./chromium.js";
import { FRAMEWORKS, startGallery } from "./gallery/site.js";

const SERVER = inject("server");
const PASSWORD = "seven white cranes";
const LONG = 120_000;

let browser: Browser;
let site: Site;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  site = await startGallery();
  browser = await startChromium();
}, LONG);

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

describe.skipIf(!HAS_CHROMIUM).each(FRAMEWORKS)("in %s", (framework) => {
  beforeEach(async () => {
    context = await browser.newContext({ locale: "en-US" });
    page = await context.newPage();
  });

  afterEach(() => context.close());

  const show = (component: string, locale = "en", app = "web") =>
    page.goto(`${site.url}/${framework}.html?${new URLSearchParams({ show: component, locale, server: SERVER, app })}`);

  /** Sign up without a component, as somebody who did so long ago. */
  const haveAccount = async (app = "web") => {
    const email = newEmail();
    await show("SignIn", "en", app);
    const pending = await page.evaluate((who) => client.signUp(who), { email, password: PASSWORD });
    const code = await codeFor(SERVER, email);
    await page.evaluate(({ pending, code }) => client.confirmSignUp({ ...pending, code }), { pending, code });
    return email;
  };

  const signOut = () => page.evaluate(() => client.signOut());

  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement as HTMLInputElement | null;
      if (!at || at === document.body) return "nothing";
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return `${at.name || at.textContent?.trim() || at.type}${isSeen ? "" : " (focus not visible)"}`;
    });

  const tabThrough = async (count: number) => {
    const seen = [];
    for (let at = 0; at < count; at += 1) {
      await page.keyboard.press("Tab");
      seen.push(await focused());
    }
    return seen;
  };

  test.each(["en", "ja"])(
    "axe finds nothing serious in any component, in %s and both colour schemes",
    async (locale) => {
      const found: string[] = [];
      const look = async (where: string) => found.push(...(await findings(page, where)));
      const submit = page.locator("button[type=submit]").first();

      await show("SignIn", locale);
      await submit.waitFor();
      await look("SignIn");
      await submit.click();
      await page.locator("[aria-invalid]").first().waitFor();
      await look("SignIn refused");

      await show("SignUp", locale);
      await page.fill("[name=email]", newEmail());
      await page.fill("[name=password]", PASSWORD);
      await submit.click();
      await page.locator("[name=code]").waitFor();
      await look("SignUp, the code");
      await page.locator(".sekisho-link").last().click();
      await page.locator("[name=password]").waitFor();
      await look("SignUp");

      await context.route("**/auth/**", (route) => route.abort());
      await show("ProtectedRoute", locale);
      await page.getByRole("alert").waitFor();
      await look("ProtectedRoute, the server away");
      await context.unroute("**/auth/**");

      await haveAccount();
      await show("UserProfile", locale);
      await page.locator("summary").click();
      await look("UserProfile");
      await page.locator("button.sekisho-danger").click();
      await page.locator("[aria-invalid]").first().waitFor();
      await look("UserProfile refused");

      await show("UserButton", locale);
      await page.locator("button.sekisho-avatar").click();
      await look("UserButton, open");

      expect(found).toEqual([]);
    },
  );

  test.each([
    ["en", "A second factor is needed", "Set one up"],
    ["ja", "第二要素が必要です", "第二要素を設定する"],
  ])(
    "an app that requires a second factor says so on the account page, and leads to it, in %s",
    async (locale, title, way) => {
      await haveAccount("console");
      await show("UserProfile", locale, "console");
      const notice = page.getByRole("region", { name: title });
      await notice.waitFor();
      expect(await findings(page, "UserProfile, a factor wanting")).toEqual([]);
      await notice.getByRole("button", { name: way }).click();
      const key = await page.locator(".sekisho-factors code").first().textContent();
      expect(await focused()).toBe("code");
      await page.keyboard.type(totp(key ?? ""));
      await page.keyboard.press("Enter");
      await page.locator(".sekisho-codes").waitFor();
      await notice.waitFor({ state: "detached" });
    },
  );

  test("a person signs up by keyboard, reloads before the code, and goes on with it", async () => {
    const email = newEmail();
    await show("SignUp");
    await page.locator("[name=email]").waitFor();
    expect(await tabThrough(1)).toEqual(["email"]);
    await page.keyboard.press("Enter");
    await page.locator("[name=email][aria-invalid]").waitFor();
    expect(await focused()).toBe("email");
    await page.keyboard.type(email);
    expect(await tabThrough(3)).toEqual(["password", "checkbox", "Create account"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type("short");
    await page.keyboard.press("Enter");
    await page.locator("[name=password][aria-invalid]").waitFor();
    expect(await focused()).toBe("password");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.locator("[name=code]").waitFor();

    await page.reload();

    await page.locator("[name=code]").waitFor();
    expect(await focused()).toBe("code");
    expect(await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).not.toContain(
      PASSWORD,
    );
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.locator("[name=code][aria-invalid]").waitFor();
    expect(await focused()).toBe("code");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(await codeFor(SERVER, email));
    await page.keyboard.press("Enter");

    await page.waitForFunction(() => client.getSnapshot().status === "signed_in");
  });

  test("a person signs in by keyboard, comes past everything of the profile, and uses the menu", async () => {
    const email = await haveAccount();
    await signOut();
    await show("SignIn");
    await page.locator("[name=email]").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong and wrong");
    await page.keyboard.press("Enter");
    await page.locator("[name=password][aria-invalid]").waitFor();
    expect(await focused()).toBe("password");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => client.getSnapshot().status === "signed_in");

    await show("UserProfile");
    await page.locator(".sekisho-profile").waitFor();
    const way = await tabThrough(12);
    expect(way.slice(0, 3)).toEqual(["name", "locale", "Save"]);
    expect(way.filter((place) => place.includes("not visible"))).toEqual([]);
    expect(way.indexOf("Close the account")).toBeGreaterThan(way.indexOf("Sign out"));
    await page.locator("summary", { hasText: "Close the account" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("details[open]").waitFor();
    expect(await tabThrough(2)).toEqual(["password", "Close the account for good"]);

    await show("UserButton");
    await page.locator("button.sekisho-avatar").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await tabThrough(2)).toEqual(["Account", "Sign out"]);
    await page.keyboard.press("Escape");
    expect(await page.locator(".sekisho-menu").isVisible()).toBe(false);
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("sekisho-avatar");
  });

  test("an expired CSRF value, a server that is away, a double click: none of them costs what was typed", async () => {
    const email = await haveAccount();
    await signOut();
    await show("SignIn");
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", PASSWORD);
    await context.clearCookies();
    await context.route("**/auth/**", (route) => route.abort("connectionrefused"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The server cannot be reached").waitFor();
    expect([await page.inputValue("[name=email]"), await page.inputValue("[name=password]")]).toEqual([
      email,
      PASSWORD,
    ]);
    await context.unroute("**/auth/**");
    let times = 0;
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/auth/login")) times += 1;
    });

    await page.getByRole("button", { name: "Try again" }).dblclick();
    await page.waitForFunction(() => client.getSnapshot().status === "signed_in");
    expect(times).toBe(1);

    await show("UserProfile");
    await page.fill("[name=name]", "Hanako");
    await context.clearCookies({ name: "csrftoken" });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
  });
});
