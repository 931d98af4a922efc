/** The examples, each started by its one command, used by a person in Chromium, and asked what they must refuse. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { codeFor, endOtherSessions, newEmail, tokenOf } from "../support/people.js";
import { HAS_CHROMIUM, type Site, startChromium } from "./chromium.js";
import { startExample } from "./example.js";

const SERVER = inject("server");
const PASSWORD = "seven white cranes";
const SETUP_MS = 320_000;
const LONG = 60_000;

let browser: Browser;

beforeAll(async () => {
  if (HAS_CHROMIUM) browser = await startChromium();
}, LONG);

afterAll(async () => {
  await browser?.close();
});

async function signUp(page: Page, email: string): Promise<void> {
  await page.getByRole("link", { name: "Create account" }).click();
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Choose a password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Code from the mail").waitFor();
  await page.keyboard.type(await codeFor(SERVER, email));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add" }).waitFor();
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Add" }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account menu/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByLabel("Email address").waitFor();
}

async function add(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label).fill(text);
  await page.getByRole("button", { name: "Add" }).click();
}

describe("fastapi-react", () => {
  let site: Site;

  beforeAll(async () => {
    site = await startExample("fastapi-react", SERVER, "NOTES_FILE");
  }, SETUP_MS);

  afterAll(async () => {
    await site?.close();
  });

  const ask = (method: string, path: string, token?: string, body?: object) =>
    fetch(`${site.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body ? { "Content-Type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });

  test("refuses every token but a good one, and says how to ask", async () => {
    const token = await tokenOf(SERVER, newEmail(), PASSWORD);
    const [head = "", claims = "", signature = ""] = token.split(".");
    const unsigned = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
    const later = Buffer.from(
      Buffer.from(claims, "base64url")
        .toString()
        .replace(/"exp":\d+/, '"exp":9999999999'),
    ).toString("base64url");

    expect((await ask("GET", "/api/notes", token)).status).toBe(200);
    for (const bad of ["x", `${unsigned}.${claims}.`, `${head}.${later}.${signature}`, `${token}${"x".repeat(9000)}`]) {
      const answer = await ask("GET", "/api/notes", bad);
      expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
    }
    const none = await ask("GET", "/api/notes");
    expect([none.status, none.headers.get("WWW-Authenticate")]).toEqual([401, "Bearer"]);
  });

  test("shows a note to its owner and to nobody else", async () => {
    const [owner, stranger] = [
      await tokenOf(SERVER, newEmail(), PASSWORD),
      await tokenOf(SERVER, newEmail(), PASSWORD),
    ];
    const { id } = (await (await ask("POST", "/api/notes", owner, { text: "mine" })).json()) as { id: number };

    expect(await (await ask("GET", "/api/notes", stranger)).json()).toEqual([]);
    expect((await ask("DELETE", `/api/notes/${id}`, stranger)).status).toBe(404);
    expect(await (await ask("GET", "/api/notes", owner)).json()).toMatchObject([{ id, text: "mine" }]);
    expect((await ask("DELETE", `/api/notes/${id}`, owner)).status).toBe(204);
  });

  describe.skipIf(!HAS_CHROMIUM)("in Chromium", () => {
    let context: BrowserContext;
    let page: Page;
    const problems: string[] = [];

    beforeEach(async () => {
      context = await browser.newContext({ locale: "en-US" });
      page = await context.newPage();
      problems.length = 0;
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (said) => {
        if (said.text().includes("Content Security Policy")) problems.push(said.text());
      });
      await page.goto(site.url);
    });

    afterEach(() => context.close());

    test("a person signs up, keeps a note, reloads, and signs out", { timeout: LONG }, async () => {
      await signUp(page, newEmail());
      await add(page, "New note", "Post the letter");
      await page.getByRole("listitem").getByText("Post the letter").waitFor();

      await page.reload();
      await page.getByRole("listitem").getByText("Post the letter").waitFor();

      await signOut(page);
      await page.reload();
      await page.getByLabel("Email address").waitFor();
      expect(problems).toEqual([]);
    });

    test("a session that was ended elsewhere adds nothing more", { timeout: LONG }, async () => {
      const email = newEmail();
      await signUp(page, email);
      const request = page.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/api/notes"));
      await add(page, "New note", "Before");
      await page.getByRole("listitem").getByText("Before").waitFor();
      const token = (await (await request).headerValue("Authorization"))?.replace("Bearer ", "");

      await endOtherSessions(SERVER, email, PASSWORD);

      expect((await ask("POST", "/api/notes", token, { text: "After" })).status).toBe(401);
      await add(page, "New note", "After");
      await page.getByLabel("Email address").waitFor();
      await signIn(page, email);
      await page.getByRole("listitem").getByText("Before").waitFor();
      expect(await page.getByRole("listitem").count()).toBe(1);
    });
  });
});
