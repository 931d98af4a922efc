/**
 * A person enrols an authenticator app, loses it, comes back with a recovery code, resets the password and sees all of
 * it in the login history; an operator proves that the history is whole. In Chromium, against the real server and the
 * real commands: on the pages without scripts, and on the account page of the SDK.
 */

import { rmSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { audit, changedCopy, sealed, sekisho } from "../support/operator.js";
import { codeFor, newEmail } from "../support/people.js";
import { totp } from "../support/totp.js";
import { HAS_BUNDLE } from "./bundle.js";
import { HAS_CHROMIUM, startChromium } from "./chromium.js";

const SERVER = inject("server");
const FOLDER = inject("folder");
const PASSWORD = "seven white cranes";
const NEW_PASSWORD = "eight black storks";

let browser: Browser;

beforeAll(async () => {
  if (HAS_CHROMIUM) browser = await startChromium();
});

afterAll(() => browser?.close());

/** How a person does with one kind of page what the pages of both kinds can do. */
interface Way {
  readonly scripts: boolean;
  /** On the account page: enrol an app. Return its key, and the recovery codes as they are shown. */
  readonly enrol: (page: Page) => Promise<{ key: string; codes: string[] }>;
  /** On the account page: remove the only app. */
  readonly remove: (page: Page) => Promise<void>;
}

const texts = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allTextContents();

/** What the account page of the SDK says of each event, to the oldest. */
async function historyOf(page: Page): Promise<string[]> {
  const section = page.getByRole("region", { name: "Sign-in history" });
  const more = section.getByRole("button", { name: "Show earlier entries" });
  await section.locator("li").first().waitFor();
  while (await more.isVisible()) {
    const before = await section.locator("li").count();
    await more.click();
    await expect.poll(() => section.locator("li").count()).toBeGreaterThan(before);
  }
  return section.locator("li strong").allTextContents();
}

const WITHOUT_SCRIPTS: Way = {
  scripts: false,
  enrol: async (page) => {
    await page.click("#to-factors");
    await page.click("#add-totp");
    await page.fill("#name", "My phone");
    await page.click("#factor-add-submit");
    const box = await page.locator("#qr svg").boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThan(150);
    const key = (await page.textContent("#key")) ?? "";
    expect(page.url()).not.toContain(key.replace(/\s/g, ""));
    await page.fill("#code", totp(key) === "000000" ? "000001" : "000000");
    await page.click("#factor-confirm-submit");
    expect(await page.textContent("#code-error")).toContain("This code is not right");
    expect(await page.textContent("#key")).toBe(key);
    await page.fill("#code", totp(key));
    await page.click("#factor-confirm-submit");
    const codes = await texts(page, "#codes code");
    await page.click("#kept");
    expect(await page.textContent("#unused-codes")).toContain("10");
    return { key, codes };
  },
  remove: async (page) => {
    await page.click("#to-factors");
    await page.click("[id^=remove-]");
    expect(await page.textContent("#what-then")).toContain("only your password is asked for");
    await page.click("#factor-remove-submit");
    await page.waitForSelector("#no-factors");
  },
};

const WITH_SCRIPTS: Way = {
  scripts: true,
  enrol: async (page) => {
    await page.getByRole("button", { name: "Add an authenticator app" }).click();
    const drawn = page.getByRole("img", { name: "QR code for the authenticator app" });
    await drawn.waitFor();
    // A picture that the content policy of the page would keep out has no size of its own.
    await expect
      .poll(() => drawn.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth))
      .toBeTruthy();
    const key = (await page.textContent(".sekisho-key code")) ?? "";
    const section = page.locator("section", { has: page.locator(".sekisho-key") });
    await section.getByLabel("Code").fill(totp(key));
    await section.getByRole("button", { name: "Confirm" }).click();
    await page.waitForSelector(".sekisho-codes");
    const codes = await texts(page, ".sekisho-codes code");
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("Unused recovery codes: 10").waitFor();
    return { key, codes };
  },
  remove: async (page) => {
    await page.getByRole("button", { name: "Remove Authenticator app" }).click();
    await page.getByText("Only your password is asked for when you sign in.").waitFor();
  },
};

describe.skipIf(!HAS_CHROMIUM).each([
  ["without scripts", WITHOUT_SCRIPTS],
  ["on the account page of the SDK", WITH_SCRIPTS],
] as const)("who loses the phone, %s,", (_, way) => {
  const isLeftOut = way.scripts && !HAS_BUNDLE;
  const email = newEmail();
  let codes: string[] = [];
  let context: BrowserContext;

  afterEach(() => context?.close());

  async function open(): Promise<Page> {
    context = await browser.newContext({ locale: "en-US", javaScriptEnabled: way.scripts });
    return context.newPage();
  }

  async function account(page: Page): Promise<void> {
    await page.waitForURL(/\/account(\?|$)/);
    if (way.scripts) await page.waitForSelector(".sekisho-profile");
  }

  async function signIn(page: Page, password: string): Promise<void> {
    await page.goto(`${SERVER}/sign-in`);
    await page.fill("#email", email);
    await page.fill("#password", password);
    await page.click("#sign-in-submit");
  }

  async function enterRecoveryCode(page: Page, code: string): Promise<void> {
    await page.waitForURL(/\/sign-in\/code/);
    await page.click("#use-recovery_code");
    await page.fill("#code", code);
    await page.click("#second-factor-submit");
  }

  test.skipIf(isLeftOut)("has enrolled an authenticator app in the page, and kept ten recovery codes", async () => {
    const page = await open();
    await page.goto(`${SERVER}/sign-up`);
    await page.fill("#email", email);
    await page.fill("#password", PASSWORD);
    await page.click("#sign-up-submit");
    await page.waitForSelector("#code");
    await page.fill("#code", await codeFor(SERVER, email));
    await page.click("#sign-up-code-submit");
    await account(page);

    const enrolled = await way.enrol(page);

    expect(new Set(enrolled.codes).size).toBe(10);
    codes = enrolled.codes;
  });

  test.skipIf(isLeftOut)("comes back with the password and a recovery code, once", async () => {
    const page = await open();
    await signIn(page, PASSWORD);
    await page.waitForSelector("#second-factor");
    await page.goto(`${SERVER}/account`);
    expect(new URL(page.url()).pathname).toBe("/sign-in");

    await page.goto(`${SERVER}/sign-in/code`);
    await enterRecoveryCode(page, codes[0]?.toLowerCase().replaceAll("-", " ") ?? "");
    await account(page);
    await context.close();

    const again = await open();
    await signIn(again, PASSWORD);
    await enterRecoveryCode(again, codes[0] ?? "");
    expect(await again.textContent("#code-error")).toContain("This code is not right");
  });

  test.skipIf(isLeftOut)("resets the password by mail, and is asked for the second step all the same", async () => {
    const page = await open();
    await page.goto(`${SERVER}/sign-in`);
    await page.click("#to-password-reset");
    await page.fill("#email", email);
    await page.click("#password-reset-submit");
    await page.waitForSelector("#code");
    await page.fill("#code", await codeFor(SERVER, email));
    await page.click("#password-reset-code-submit");
    await page.waitForSelector("#password-reset-new");
    await page.fill("#password", NEW_PASSWORD);
    await page.click("#password-reset-new-submit");
    await page.waitForURL(/notice=reset/);

    await signIn(page, PASSWORD);
    await page.waitForSelector("#password-error");
    await signIn(page, NEW_PASSWORD);
    await enterRecoveryCode(page, codes[1] ?? "");
    await account(page);
    await way.remove(page);
    await context.close();

    const next = await open();
    await signIn(next, NEW_PASSWORD);
    await account(next);
  });

  test.skipIf(isLeftOut)("sees all of it in the login history", async () => {
    const page = await open();
    await signIn(page, NEW_PASSWORD);
    await account(page);
    const onAccount = way.scripts ? await historyOf(page) : [];
    await page.goto(`${SERVER}/account/history`);

    const seen = await page
      .locator("[data-event]")
      .evaluateAll((lines) =>
        lines.map((line) => `${(line as HTMLElement).dataset["event"]} ${(line as HTMLElement).dataset["outcome"]}`),
      );

    expect(
      seen.reverse().filter((line) => !line.startsWith("session_ended") && !line.startsWith("sign_in_unusual")),
    ).toEqual([
      "sign_up success",
      ...(way.scripts ? [] : ["factor_added failure"]),
      "recovery_codes_made success",
      "factor_added success",
      // The phone is lost.
      "second_factor_asked success",
      "recovery_code_used success",
      "login success",
      "second_factor_asked success",
      "second_factor failure",
      // The password is forgotten.
      "password_reset success",
      "login failure",
      "second_factor_asked success",
      "recovery_code_used success",
      "login success",
      "factor_removed success",
      "login success",
      "login success",
    ]);
    expect(await page.textContent("#events")).toContain("A recovery code was used");
    expect(await page.textContent("#events")).toContain("Chrom");
    if (way.scripts) expect(onAccount).toEqual(await texts(page, "#events .event"));
  });

  test.skipIf(isLeftOut)(
    "has a history that an operator proves to be whole, and that nobody changes unseen (V16.4.2)",
    async () => {
      const { text: listed } = await sekisho(FOLDER, "audit", "list", "--user", email, "--json");
      const records = (JSON.parse(listed) as { records: { seq: number; event: string; outcome: string }[] }).records;
      const ofReset = records.find(({ event }) => event === "password_reset")?.seq ?? 0;
      const refused =
        records.find(({ event, outcome }) => event === "second_factor" && outcome === "failure")?.seq ?? 0;
      expect(Math.min(ofReset, refused)).toBeGreaterThan(0);

      expect(await sealed(FOLDER)).toMatchObject({ whole: true, head_checked: true, found: [] });
      const lies: [string, object][] = [
        [`UPDATE audit SET outcome = 'success' WHERE seq = ${refused}`, { kind: "record_changed", number: refused }],
        [`DELETE FROM audit WHERE seq = ${ofReset}`, { kind: "record_missing", number: ofReset }],
        [
          `DELETE FROM audit WHERE seq >= ${ofReset}; DELETE FROM audit_seals WHERE last_seq >= ${ofReset}`,
          { kind: "head_unknown" },
        ],
      ];
      for (const [sql, found] of lies) {
        const copy = await changedCopy(FOLDER, sql);
        const told = await audit(copy);
        rmSync(copy, { recursive: true });
        expect([told.code, told.proof.whole], `${sql}: ${JSON.stringify(told.proof)}`).toEqual([1, false]);
        expect(told.proof.found, sql).toContainEqual(expect.objectContaining(found));
      }
      const untouched = await changedCopy(FOLDER, "SELECT 1");
      expect((await audit(untouched)).code).toBe(0);
      rmSync(untouched, { recursive: true });
    },
    120_000,
  );
});
