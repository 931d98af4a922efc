/** Passwords, addresses and second factors in the components, against the real server: by keyboard, and seen by axe. */

import { execFileSync } from "node:child_process";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeFor, newEmail } from "../support/people.js";
import { PYTHON } from "../support/server.js";
import { totp } from "../support/totp.js";
import { findings } from "./axe.js";
import { HAS_CHROMIUM, type Site, startChromium } from "./chromium.js";
import { FRAMEWORKS, startGallery } from "./gallery/site.js";

const SERVER = inject("server");
const FOLDER = inject("folder");
const PASSWORD = "seven white cranes";
const NEXT = "eleven grey herons";
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

/** What an operator types, on the data of the server under test. */
const operator = (...words: string[]): string =>
  execFileSync(PYTHON, ["-m", "sekisho", ...words], {
    cwd: FOLDER,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PYTHONDONTWRITEBYTECODE: "1" },
    encoding: "utf8",
  });

const stepUpRequired = () => ({
  status: 401,
  headers: { "Access-Control-Allow-Origin": site.url, "Access-Control-Allow-Credentials": "true" },
  json: { error: "step_up_required", message: "", details: { max_age: 300, acr: "aal2" } },
});

describe.skipIf(!HAS_CHROMIUM).each(FRAMEWORKS)("in %s", (framework) => {
  beforeEach(async () => {
    context = await browser.newContext({ locale: "en-US", permissions: ["clipboard-read", "clipboard-write"] });
    page = await context.newPage();
  });

  afterEach(() => context.close());

  const show = (component: string, locale = "en") =>
    page.goto(`${site.url}/${framework}.html?${new URLSearchParams({ show: component, locale, server: SERVER })}`);

  /** Sign up without a component, as somebody who did so long ago. */
  const haveAccount = async () => {
    const email = newEmail();
    await show("SignIn");
    const pending = await page.evaluate((who) => client.signUp(who), { email, password: PASSWORD });
    const code = await codeFor(SERVER, email);
    await page.evaluate(({ pending, code }) => client.confirmSignUp({ ...pending, code }), { pending, code });
    return email;
  };

  const signOut = () => page.evaluate(() => client.signOut());

  /** Enrol an authenticator app without a component; return its key and the recovery codes. */
  const haveFactor = async () => {
    const { id, secret = "" } = await page.evaluate(() => client.factors.enrol({ kind: "totp" }));
    const given = await page.evaluate(({ id, code }) => client.factors.confirm(id, code), {
      id,
      code: totp(secret, -1),
    });
    return { secret, codes: given.recovery_codes ?? [] };
  };

  const isSignedIn = () => page.waitForFunction(() => client.getSnapshot().status === "signed_in");
  const region = (name: string): Locator => page.getByRole("region", { name });
  const focusIsOn = (selector: string) =>
    page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
  // biome-ignore lint/performance/useDomNodeTextContent: what is seen or printed, not what is hidden
  const wholeText = () => page.locator("main").innerText();

  test("a forgotten password is set anew by keyboard alone", { timeout: LONG }, async () => {
    const email = await haveAccount();
    await signOut();
    await show("SignIn");
    await page.getByLabel("Email address", { exact: true }).fill(email);
    await page.getByRole("button", { name: "Forgot your password?" }).focus();
    await page.keyboard.press("Enter");
    await focusIsOn("[name=email]");
    expect(await page.inputValue("[name=email]")).toBe(email);
    await page.keyboard.press("Enter");
    await focusIsOn("[name=code]");
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.locator("[name=code][aria-invalid]").waitFor();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(await codeFor(SERVER, email));
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    await focusIsOn("[name=password]");
    await page.keyboard.type("password");
    await page.keyboard.press("Enter");
    await page.getByText(/too easy to guess/).waitFor();
    await focusIsOn("[name=password]");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(NEXT);
    await page.keyboard.press("Enter");

    await page.getByText("The new password is set").waitFor();
    await focusIsOn("[name=password]");
    expect(await page.inputValue("[name=email]")).toBe(email);
    await page.keyboard.type(NEXT);
    await page.keyboard.press("Enter");
    await isSignedIn();
  });

  test("somebody whose password an operator took away is led to a new one", { timeout: LONG }, async () => {
    const email = await haveAccount();
    operator("user", "force-password-change", email);
    await show("UserProfile");
    await page.waitForFunction(() => client.getSnapshot().status !== "signed_in");

    await show("SignIn");
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("were you asked to set a new one?").waitFor();
    await page.getByRole("button", { name: "Forgot your password?" }).click();
    await page.getByRole("button", { name: "Send the code" }).click();
    await focusIsOn("[name=code]");
    await page.keyboard.type(await codeFor(SERVER, email));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    await page.fill("[name=password]", NEXT);
    await page.keyboard.press("Enter");
    await page.getByText("The new password is set").waitFor();
    await page.fill("[name=password]", NEXT);
    await page.keyboard.press("Enter");
    await isSignedIn();
  });

  test("an app is enrolled, lost, and a recovery code comes in; all of it is in the history", {
    timeout: LONG,
  }, async () => {
    const email = await haveAccount();
    await show("UserProfile");
    const factors = region("Two-step sign-in");
    await factors.getByRole("button", { name: "Add an authenticator app" }).click();
    await factors.getByRole("img", { name: "QR code for the authenticator app" }).waitFor();
    const secret = (await factors.locator("code").textContent()) ?? "";
    await factors.getByRole("button", { name: "Copy" }).click();
    await factors.getByText("Copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret.replaceAll(" ", ""));
    await page.fill("[data-form=confirm] [name=code]", totp(secret));
    await page.keyboard.press("Enter");
    await factors.getByText("Your recovery codes").waitFor();
    const codes = await factors.locator("li code").allTextContents();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      factors.getByRole("link", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("recovery-codes.txt");
    await page.emulateMedia({ media: "print" });
    const printed = await wholeText();
    expect([email, ...codes].filter((line) => !printed.includes(line))).toEqual([]);
    expect(printed).not.toContain("Signed-in devices");
    await page.emulateMedia({ media: "screen" });
    await factors.getByRole("button", { name: "I have kept them" }).click();
    await factors.getByText("Unused recovery codes: 10").waitFor();
    expect(await wholeText()).not.toContain(codes[0]);

    await signOut();
    await show("SignIn");
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await focusIsOn("[name=code]");
    await page.keyboard.type(codes[0] ?? "");
    await page.keyboard.press("Enter");
    await isSignedIn();

    await show("UserProfile");
    const history = region("Sign-in history");
    for (const line of ["Signed in", "A recovery code was used", "A second step was added"])
      await history.getByText(line, { exact: true }).first().waitFor();
    await factors.getByText("Unused recovery codes: 9").waitFor();
  });

  test("the dialog asks for a fresh proof, keeps the focus, and goes on with what was asked", {
    timeout: LONG,
  }, async () => {
    const email = await haveAccount();
    await signOut();
    await page.evaluate((who) => client.signIn(who), { email, password: PASSWORD });
    const { secret } = await haveFactor();
    await signOut();
    const challenge = await page.evaluate((who) => client.signIn(who), { email, password: PASSWORD });
    if (challenge.status !== "second_factor_required") throw new Error("no second factor was asked for");
    const elsewhere = { challenge: challenge.challenge, method: "totp", code: totp(secret, 0) };
    await page.evaluate((shown) => client.secondFactor(shown), elsewhere);
    // As if the proof were old: the server says so until it is renewed.
    let isStale = true;
    await context.route("**/user/password", (route) =>
      isStale && route.request().method() === "PUT" ? route.fulfill(stepUpRequired()) : route.continue(),
    );
    await context.route("**/auth/step-up", (route) => {
      isStale = false;
      return route.continue();
    });

    await show("UserProfile");
    const credentials = region("Address and password");
    await credentials.getByRole("button", { name: "Change the password" }).click();
    await focusIsOn("[name=current_password]");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Tab");
    await page.keyboard.type(NEXT);
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Please confirm that it is you" });
    await dialog.waitFor();
    await focusIsOn("dialog [name=code]");
    for (let turn = 0; turn < 8; turn += 1) {
      await page.keyboard.press("Tab");
      const isInside = await page.evaluate(
        () => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null,
      );
      expect(isInside).toBe(true);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await focusIsOn("[data-form=password] [name=password]");
    expect(await page.inputValue("[data-form=password] [name=password]")).toBe(NEXT);

    await page.keyboard.press("Enter");
    await focusIsOn("dialog [name=code]");
    await page.keyboard.type(totp(secret, 1));
    await page.keyboard.press("Enter");
    await credentials.getByText(/The password is changed/).waitFor();
  });

  test("the address changes once the code from the new one is entered", { timeout: LONG }, async () => {
    const email = await haveAccount();
    const next = newEmail();
    await show("UserProfile");
    const credentials = region("Address and password");
    await credentials.getByText(email).waitFor();
    await credentials.getByRole("button", { name: "Change the email address" }).click();
    await focusIsOn("[data-form=address] [name=email]");
    await page.keyboard.type(next);
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await focusIsOn("[data-form=address-code] [name=code]");
    await page.keyboard.type(await codeFor(SERVER, next));
    await page.keyboard.press("Enter");

    await credentials.getByText("The email address is changed").waitFor();
    await credentials.getByText(next).waitFor();
    await region("Sign-in history").getByText("Email address changed").waitFor();
  });
});

/** One language in each framework: the twins draw from the same views. */
describe.skipIf(!HAS_CHROMIUM).each([
  ["react", "en"],
  ["vue", "ja"],
] as const)("in %s, in %s", (framework, locale) => {
  beforeEach(async () => {
    context = await browser.newContext({ locale: "en-US" });
    page = await context.newPage();
  });

  afterEach(() => context.close());

  const show = (component: string) =>
    page.goto(`${site.url}/${framework}.html?${new URLSearchParams({ show: component, locale, server: SERVER })}`);

  test("axe finds nothing serious in any state, in both colour schemes", { timeout: 2 * LONG }, async () => {
    const found: string[] = [];
    const look = async (where: string) => found.push(...(await findings(page, `${where}, ${locale}`)));
    const submit = page.locator("form [type=submit]");
    const form = (name: string) => page.locator(`[data-form="${name}"]`);
    const refused = () => page.locator("[aria-invalid]").first().waitFor();
    const press = (place: string) => page.locator(`[data-place="${place}"]`).click();

    const email = newEmail();
    await show("SignIn");
    const pending = await page.evaluate((who) => client.signUp(who), { email, password: PASSWORD });
    const code = await codeFor(SERVER, email);
    await page.evaluate(({ pending, code }) => client.confirmSignUp({ ...pending, code }), { pending, code });

    await show("UserProfile");
    await press("password");
    await form("password").locator("[type=submit]").click();
    await refused();
    await look("UserProfile, the password");
    await press("password");
    await press("address");
    await look("UserProfile, the address");
    await page.fill("[data-form=address] [name=email]", newEmail());
    await page.fill("[data-form=address] [name=password]", PASSWORD);
    await form("address").locator("[type=submit]").click();
    await form("address-code").waitFor();
    await look("UserProfile, the code for the address");
    await press("address");

    const factors = page.locator(".sekisho-factors");
    await factors.locator(".sekisho-choices button").first().click();
    await form("confirm").waitFor();
    const secret = (await factors.locator("code").textContent()) ?? "";
    await form("confirm").locator("[type=submit]").click();
    await refused();
    await look("UserProfile, enrolling");
    await page.fill("[data-form=confirm] [name=code]", totp(secret, -1));
    await form("confirm").locator("[type=submit]").click();
    await factors.locator(".sekisho-recovery").waitFor();
    await look("UserProfile, the recovery codes");
    await factors.locator(".sekisho-recovery > .sekisho-choices").last().locator("button").click();
    await factors.locator("[data-place^=rename-]").click();
    await look("UserProfile, a factor and its new name");

    await context.route("**/user/account", (route) => route.fulfill(stepUpRequired()));
    await page.locator("summary").click();
    await page.fill("[data-form=withdrawal] [name=password]", PASSWORD);
    await form("withdrawal").locator("[type=submit]").click();
    await page.locator("dialog").waitFor();
    await look("UserProfile, the step-up");
    await form("step-up").locator("[type=submit]").click();
    await refused();
    await look("UserProfile, the step-up refused");
    await page.keyboard.press("Escape");

    await page.evaluate(() => client.signOut());
    await show("SignIn");
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", "wrong and wrong");
    await submit.click();
    await refused();
    await look("SignIn refused, with the way to a new password");
    await page.fill("[name=password]", PASSWORD);
    await submit.click();
    await page.locator("[name=code]").waitFor();
    await look("SignIn, the second step");
    await submit.click();
    await refused();
    await look("SignIn, the second step refused");
    await page.locator(".sekisho-link").first().click();
    await look("SignIn, a recovery code");

    await show("SignIn");
    await page.fill("[name=email]", email);
    await page.locator(".sekisho-link").first().click();
    await form("reset").waitFor();
    await look("SignIn, a forgotten password");
    await submit.click();
    await form("reset_code").waitFor();
    await look("SignIn, the code of a reset");
    await page.fill("[name=code]", await codeFor(SERVER, email));
    await submit.click();
    await form("reset_new").waitFor();
    await page.fill("[name=password]", "password");
    await submit.click();
    await refused();
    await look("SignIn, a new password refused");
    await page.fill("[name=password]", NEXT);
    await submit.click();
    await page.locator(".sekisho-said", { hasText: /./ }).waitFor();
    await look("SignIn, after the reset");

    expect(found).toEqual([]);
  });
});
