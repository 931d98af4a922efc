/** The pages that the server hosts, used by a person in Chromium: with scripts and without, by keyboard, in trouble. */

import type { IncomingHttpHeaders } from "node:http";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeFor, newEmail } from "../support/people.js";
import { totp } from "../support/totp.js";
import { findings } from "./axe.js";
import { HAS_BUNDLE } from "./bundle.js";
import { HAS_CHROMIUM, type Site, serveText, startChromium } from "./chromium.js";

const SERVER = inject("server");
const PASSWORD = "seven white cranes";

let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (HAS_CHROMIUM) browser = await startChromium();
});

afterAll(async () => {
  await browser?.close();
});

async function open(options: BrowserContextOptions = {}): Promise<void> {
  context = await browser.newContext({ locale: "en-US", ...options });
  page = await context.newPage();
}

afterEach(() => context?.close());

async function beginSignUp(email: string): Promise<void> {
  await page.goto(`${SERVER}/sign-up`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("#sign-up-submit");
  await page.waitForSelector("#code");
}

async function signUp(email = newEmail()): Promise<string> {
  await beginSignUp(email);
  await page.fill("#code", await codeFor(SERVER, email));
  await page.click("#sign-up-code-submit");
  await page.waitForURL(`${SERVER}/account`);
  return email;
}

async function fillSignIn(email: string, password = PASSWORD): Promise<void> {
  await page.goto(`${SERVER}/sign-in`);
  await page.fill("#email", email);
  await page.fill("#password", password);
}

/** The id of what has the focus, or its text; with an outline that can be seen. */
async function focused(): Promise<string> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return "nothing";
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    return `${at.id || at.textContent?.trim()}${isSeen ? "" : " (focus not visible)"}`;
  });
}

/** Sends the form and waits for the page that answers it: the one before may show the same mistake. */
async function sendByEnter(): Promise<void> {
  const answered = page.waitForEvent("load");
  await page.keyboard.press("Enter");
  await answered;
}

async function tabThrough(count: number): Promise<string[]> {
  const seen = [];
  for (let at = 0; at < count; at += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
  }
  return seen;
}

/** How often a form was sent to this path. */
function sent(path: string): () => number {
  let times = 0;
  page.on("request", (request) => {
    if (request.method() === "POST" && new URL(request.url()).pathname === path) times += 1;
  });
  return () => times;
}

/** The server is away for this page until `back` is called. */
async function away(): Promise<{ back: () => Promise<void> }> {
  await context.route(`${SERVER}/**`, (route) => route.abort("connectionrefused"));
  return { back: () => context.unroute(`${SERVER}/**`) };
}

describe.skipIf(!HAS_CHROMIUM)("with scripts switched off", () => {
  beforeEach(() => open({ javaScriptEnabled: false }));

  test("a person signs up with the mailed code, changes the name, signs out and in again, and leaves", async () => {
    const email = await signUp();
    await page.fill("#name", "Hanako");
    await page.click("#profile-submit");
    expect(await page.textContent("#notice")).toBe("Your profile is saved.");
    expect(await page.inputValue("#name")).toBe("Hanako");

    await page.click("#sign-out-submit");
    await page.waitForURL(`${SERVER}/signed-out`);
    await fillSignIn(email, "wrong and wrong");
    await page.click("#sign-in-submit");
    expect(await page.inputValue("#email")).toBe(email);
    expect(await page.textContent("#password-error")).toContain("not right");
    await page.fill("#password", PASSWORD);
    await page.click("#sign-in-submit");
    await page.waitForURL(`${SERVER}/account`);

    await page.click("#to-withdraw");
    await page.fill("#password", PASSWORD);
    await page.click("#withdraw-submit");
    await page.waitForURL(/signed-out\?notice=withdrawn/);
  });
});

describe.skipIf(!HAS_CHROMIUM)("a site of somebody else", () => {
  let other: Site;
  const seen: IncomingHttpHeaders[] = [];

  beforeAll(async () => {
    other = await serveText(`<iframe src="${SERVER}/sign-in"></iframe>`, seen);
  });
  afterAll(() => other?.close());
  beforeEach(() => open());

  test("cannot put a page into a frame (V3.4.6)", async () => {
    await page.goto(other.url);
    const frame = page.frames().find((one) => one !== page.mainFrame());

    expect(frame).toBeDefined();
    expect(await frame?.locator("#email").count()).toBe(0);
  });

  test("is not told where the person was (V3.4.5)", async () => {
    await page.goto(`${SERVER}/sign-in?return_to=/account`);
    seen.length = 0;
    await page.evaluate((address) => location.assign(address), `${other.url}/next`);
    await page.waitForURL(`${other.url}/next`);

    expect(seen.map((headers) => headers.referer)).toEqual([undefined]);
  });
});

describe.skipIf(!HAS_CHROMIUM)("by keyboard alone", () => {
  beforeEach(() => open());

  test("a person signs up, sees where the focus is, and is led to each mistake", async () => {
    const email = newEmail();
    await page.goto(`${SERVER}/sign-up`);
    expect(await focused()).toBe("email");
    await sendByEnter();
    await page.waitForSelector("#email-error");
    expect(await focused()).toBe("email");
    await page.keyboard.type(email);
    expect(await tabThrough(3)).toEqual(["password", "Show", "sign-up-submit"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type("short");
    await sendByEnter();
    await page.waitForSelector("#password-error");
    expect(await focused()).toBe("password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");

    await page.waitForSelector("#code");
    expect(await focused()).toBe("code");
    await page.keyboard.type("000000");
    await sendByEnter();
    await page.waitForSelector("#code-error");
    expect(await focused()).toBe("code");
    expect(await tabThrough(2)).toEqual(["sign-up-code-submit", "resend"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type(await codeFor(SERVER, email));
    await page.keyboard.press("Enter");
    await page.waitForURL(`${SERVER}/account`);
  });

  test("a person signs in, looks at the password, comes past everything of the account, and signs out (V6.2.6)", async () => {
    const email = await signUp();
    await context.clearCookies();
    await page.goto(`${SERVER}/sign-in`);
    expect(await focused()).toBe("email");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    expect(await page.getAttribute("#password", "type")).toBe("password");
    await page.keyboard.insertText(PASSWORD);
    expect(await tabThrough(1)).toEqual(["Show"]);
    await page.keyboard.press("Enter");
    expect(await page.getAttribute("#password", "type")).toBe("text");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${SERVER}/account`);
    if (!HAS_BUNDLE) return;
    await page.waitForSelector(".sekisho-profile");

    const way = (await tabThrough(14)).map((place) => place.replace(/^v[\d:-]+-/, ""));
    expect(way.slice(0, 6)).toEqual(["English", "日本語", "sign-out-submit", "name", "locale", "Save"]);
    expect(way).toContain("Sign out");
    expect(way.filter((place) => place.includes("not visible"))).toEqual([]);

    await page.focus("#sign-out-submit");
    await page.keyboard.press("Space");
    await page.waitForURL(`${SERVER}/signed-out`);
  });
});

describe.skipIf(!HAS_CHROMIUM)("in trouble", () => {
  beforeEach(() => open());

  test("a form whose CSRF value expired comes back filled in, and goes through the next time", async () => {
    const email = await signUp();
    // The account page would notice the loss of its session, and go to the sign-in by itself.
    await page.goto("about:blank");
    await context.clearCookies();
    await fillSignIn(email);
    await context.clearCookies();

    await page.click("#sign-in-submit");
    await page.waitForSelector("#alert");
    expect(await page.inputValue("#email")).toBe(email);
    await page.fill("#password", PASSWORD);
    await page.click("#sign-in-submit");

    await page.waitForURL(`${SERVER}/account`);
  });

  test("a double click sends once, and a slow network shows that something happens", async () => {
    const email = newEmail();
    const times = sent("/sign-up");
    await page.goto(`${SERVER}/sign-up`);
    await page.fill("#email", email);
    await page.fill("#password", PASSWORD);
    let go = () => {};
    const opened = new Promise<void>((resolve) => {
      go = resolve;
    });
    // What is asked before a form goes off: while a page is on its way nothing of the old one can be looked at.
    await page.route("**/assets/icon.*", async (route) => {
      await opened;
      await route.continue();
    });

    await page.dblclick("#sign-up-submit", { noWaitAfter: true });
    await page.locator("#sign-up-submit[aria-busy=true]").waitFor();
    expect(await page.textContent("#sign-up-submit")).toBe("One moment…");
    await page.getByText("This takes longer than usual.").waitFor();
    await page.click("#sign-up-submit", { noWaitAfter: true });
    go();

    await page.waitForSelector("#code");
    expect(times()).toBe(1);
  });

  test("a server that is away is told with a way to try again, and nothing typed is lost", async () => {
    const email = await signUp();
    await context.clearCookies();
    await fillSignIn(email);
    const { back } = await away();

    await page.click("#sign-in-submit");
    await page.getByRole("alert").getByText("The server cannot be reached").waitFor();
    expect([await page.inputValue("#email"), await page.inputValue("#password")]).toEqual([email, PASSWORD]);
    await back();
    await page.getByRole("button", { name: "Try again" }).click();

    await page.waitForURL(`${SERVER}/account`);
  });
});

describe.skipIf(!HAS_CHROMIUM || !HAS_BUNDLE)("the account page", () => {
  beforeEach(async () => {
    await open();
    await signUp();
    await page.waitForSelector(".sekisho-profile");
  });

  test("is the SDK's own, holds to its content policy, and saves the profile", async () => {
    const refused: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") refused.push(message.text());
    });
    page.on("pageerror", (mistake) => refused.push(mistake.message));
    await page.reload();
    await page.waitForSelector(".sekisho-profile");

    await page.getByLabel("Name").fill("Hanako");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await page.reload();
    await page.waitForSelector(".sekisho-profile");

    expect(await page.getByLabel("Name").inputValue()).toBe("Hanako");
    expect(refused).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toMatch(/skr_|eyJ/);
  });

  test("has buttons that can be read under the pointer, in both colour schemes", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const save = page.getByRole("button", { name: "Save" });
      await save.hover();
      const [text, own] = await save.evaluate((button) => {
        const told = getComputedStyle(button).color;
        const probe = document.createElement("span");
        probe.style.color = "var(--sekisho-accent-text)";
        button.append(probe);
        const wanted = getComputedStyle(probe).color;
        probe.remove();
        return [told, wanted];
      });
      expect(text, colorScheme).toBe(own);
    }
  });

  test("repairs a CSRF value that is gone, by itself", async () => {
    await context.clearCookies({ name: "csrftoken" });
    await page.getByLabel("Name").fill("Hanako");
    await page.getByRole("button", { name: "Save" }).click();

    await page.getByText("Saved.").waitFor();
  });

  test("signs out every tab at once (V7.4.4)", async () => {
    const tab = await context.newPage();
    await tab.goto(`${SERVER}/account`);
    await tab.waitForSelector(".sekisho-profile");

    await page.click("#sign-out-submit");

    await Promise.all([page, tab].map((each) => each.waitForURL(`${SERVER}/signed-out`)));
    await tab.goto(`${SERVER}/account`);
    expect(new URL(tab.url()).pathname).toBe("/sign-in");
  });

  test("leads to sign-in, with the reason, when the session was ended elsewhere", async () => {
    const elsewhere = await browser.newContext({ locale: "en-US" });
    const phone = await elsewhere.newPage();
    await phone.goto(`${SERVER}/sign-in`);
    await phone.fill("#email", (await page.locator(".sekisho-hint").first().textContent()) ?? "");
    await phone.fill("#password", PASSWORD);
    await phone.click("#sign-in-submit");
    await phone.getByRole("button", { name: "Sign out all other devices" }).click();
    await phone.getByText("Signed out on other devices: 1").waitFor();
    await elsewhere.close();

    await page.getByRole("button", { name: "Save" }).click();

    await page.waitForURL(/\/sign-in\?notice=ended/);
    await page.getByRole("status").waitFor();
  });

  test("says so when the server is away, and keeps what was typed", async () => {
    // The sections below may have been on their way, and say the same.
    const profile = page.getByRole("region", { name: "Profile" });
    await profile.getByLabel("Name").fill("Hanako");
    const { back } = await away();
    await profile.getByRole("button", { name: "Save" }).click();
    await profile.getByText("The server cannot be reached.").waitFor();
    expect(await profile.getByLabel("Name").inputValue()).toBe("Hanako");

    await back();
    await profile.getByRole("button", { name: "Try again" }).click();
    await profile.getByText("Saved.").waitFor();
  });

  test("leads to the page that says goodbye when the account is closed", async () => {
    await page.getByText("Close the account", { exact: true }).click();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Close the account for good" }).click();

    await page.waitForURL(/signed-out\?notice=withdrawn/);
  });

  test("stays the plain one where its script does not arrive", async () => {
    await page.route("**/assets/account.*", (route) => route.abort());
    await page.reload();

    await page.fill("#name", "Hanako");
    await page.click("#profile-submit");
    expect(await page.textContent("#notice")).toBe("Your profile is saved.");
  });
});

describe.skipIf(!HAS_CHROMIUM)("every page of the second step, of the history and of the fresh proof", () => {
  test.each(["en", "ja"])(
    "in %s has no serious finding of axe in both colour schemes, and breaks no policy (V3.4.3)",
    async (language) => {
      await open({ locale: language });
      const found: string[] = [];
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) found.push(message.text());
      });
      const look = async (where: string) => {
        expect(await page.getAttribute("html", "lang")).toBe(language);
        found.push(...(await findings(page, where)));
      };
      const at = async (path: string) => {
        await page.goto(`${SERVER}${path}`);
        expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(path);
        await look(path);
      };
      const email = await signUp();
      await at("/account/factors");
      await at("/account/factors/add?kind=totp");
      await page.evaluate(() => document.getElementById("name")?.removeAttribute("maxlength"));
      await page.fill("#name", "x".repeat(101));
      await page.click("#factor-add-submit");
      await page.waitForSelector("#name-error");
      await look("/account/factors/add refused");
      await page.fill("#name", "Phone");
      await page.click("#factor-add-submit");
      await page.waitForSelector("#qr");
      await look("/account/factors/confirm");
      const key = (await page.textContent("#key")) ?? "";
      await page.fill("#code", "12");
      await page.click("#factor-confirm-submit");
      await page.waitForSelector("#code-error");
      await look("/account/factors/confirm refused");
      await page.fill("#code", totp(key));
      await page.click("#factor-confirm-submit");
      await page.waitForSelector("#codes");
      expect(await page.isVisible("#print")).toBe(true);
      await look("recovery codes");
      const [code = ""] = await page.locator("#codes code").allTextContents();
      await page.click("#kept");
      await page.waitForSelector("#unused-codes");
      await look("/account/factors with one");
      for (const name of ["rename", "remove"]) {
        await page.goto(`${SERVER}/account/factors`);
        await page.click(`[id^=${name}-]`);
        await page.waitForSelector(`#factor-${name}`);
        await look(`/account/factors/${name}`);
      }
      await page.goto(`${SERVER}/account/factors/add?kind=email`);
      await page.click("#factor-add-submit");
      await page.waitForSelector("#factor-resend");
      await look("/account/factors/confirm by mail");
      await at("/account/recovery-codes");
      await at("/account/history");
      await at("/step-up?method=totp");
      await at("/step-up?method=recovery_code");
      await page.fill("#code", "wrong");
      await page.click("#step-up-submit");
      await page.waitForSelector("#code-error");
      await look("/step-up refused");

      await context.clearCookies();
      await fillSignIn(email);
      await page.click("#sign-in-submit");
      await page.waitForSelector("#second-factor");
      await look("/sign-in/code");
      await page.click("#use-recovery_code");
      await page.fill("#code", "wrong");
      await page.click("#second-factor-submit");
      await page.waitForSelector("#code-error");
      await look("/sign-in/code refused");
      await page.fill("#code", code);
      await page.click("#second-factor-submit");
      await page.waitForURL(`${SERVER}/account`);

      expect(found).toEqual([]);
    },
    60_000,
  );

  test("leads the keyboard through an enrolment, the codes, and a fresh proof, and shows where it is", async () => {
    await open();
    await signUp();
    await page.goto(`${SERVER}/account/factors/add?kind=totp`);
    expect(await focused()).toBe("name");
    expect(await tabThrough(2)).toEqual(["factor-add-submit", "back"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#qr");
    expect(await focused()).toBe("code");
    await page.keyboard.press("Shift+Tab");
    expect(await focused()).toBe("open-app");
    await page.keyboard.press("Tab");
    await page.keyboard.type(totp((await page.textContent("#key")) ?? ""));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#codes");
    const way = await tabThrough(4);
    expect(way.slice(-2)).toEqual(["print", "kept"]);
    await page.goto(`${SERVER}/step-up`);
    expect(await focused()).toBe("code");
    expect(await tabThrough(3)).toEqual(["step-up-submit", "use-recovery_code", "back"]);
  });
});

describe.skipIf(!HAS_CHROMIUM)("every page", () => {
  test.each(["en", "ja"])(
    "in %s has no serious finding of axe in both colour schemes, breaks no policy, and asks nobody else (V3.4.3, V3.6.1, V14.2.3)",
    async (language) => {
      await open({ locale: language });
      const found: string[] = [];
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) found.push(message.text());
      });
      page.on("request", (request) => {
        if (new URL(request.url()).origin !== SERVER) found.push(`asked ${request.url()}`);
      });
      const look = async (where: string) => {
        expect(await page.getAttribute("html", "lang")).toBe(language);
        found.push(...(await findings(page, where)));
      };
      const at = async (path: string) => {
        await page.goto(`${SERVER}${path}`);
        await look(path);
      };
      for (const path of ["/", "/sign-in", "/sign-up", "/password-reset", "/signed-out", "/nothing-here", "/dev/mail"])
        await at(path);
      // Long, and the same but for its title: the reference is written in English.
      if (language === "en") await at("/docs");
      await page.goto(`${SERVER}/sign-in`);
      await page.click("#sign-in-submit");
      await page.waitForSelector("#email-error");
      await look("/sign-in refused");

      const email = newEmail();
      await beginSignUp(email);
      await look("/sign-up/code");
      await page.fill("#code", "000000");
      await page.click("#sign-up-code-submit");
      await page.waitForSelector("#code-error");
      await look("/sign-up/code refused");
      await page.fill("#code", await codeFor(SERVER, email));
      await page.click("#sign-up-code-submit");
      await page.waitForURL(`${SERVER}/account`);
      await at("/account/withdraw");
      await page.goto(`${SERVER}/password-reset`);
      await page.fill("#email", email);
      await page.click("#password-reset-submit");
      await page.waitForSelector("#code");
      await look("/password-reset/code");
      await page.fill("#code", await codeFor(SERVER, email));
      await page.click("#password-reset-code-submit");
      await page.waitForSelector("#password-reset-new");
      await look("/password-reset/new");
      await page.goto(`${SERVER}/account`);
      if (HAS_BUNDLE) await page.waitForSelector(".sekisho-profile");
      await look("/account");
      await page.route("**/assets/account.*", (route) => route.abort());
      await at("/account");

      expect(found).toEqual([]);
    },
  );
});
