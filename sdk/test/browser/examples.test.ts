/** The examples, each started by its one command, used by a person in Chromium, and asked what they must refuse. */

import type { Browser, Page } from "playwright-core";
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
  await page.getByLabel("Email address", { exact: true }).fill(email);
  await page.getByLabel("Choose a password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByLabel("Code from the mail").waitFor();
  await page.keyboard.type(await codeFor(SERVER, email));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add", exact: true }).waitFor();
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel("Email address", { exact: true }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Add", exact: true }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account menu/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByLabel("Email address", { exact: true }).waitFor();
}

const NEXT = "eleven grey herons";

async function toAccount(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account menu/ }).click();
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await page.getByRole("heading", { name: "Address and password" }).waitFor();
}

const OF_THE_POLICY = "Content Security Policy";

/** Open the page as somebody new to it; `problems` gathers what its console complains of. */
async function visit(url: string) {
  const context = await browser.newContext({ locale: "en-US" });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (said) => {
    if (said.text().includes(OF_THE_POLICY)) problems.push(said.text());
  });
  await page.goto(url);
  return { context, page, problems };
}

async function add(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label).fill(text);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

describe("fastapi-react", () => {
  let site: Site;

  beforeAll(async () => {
    site = await startExample("fastapi-react", { url: SERVER, folder: inject("folder") }, "NOTES_FILE");
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
      expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([
        401,
        expect.stringMatching(/^Bearer .*error="invalid_token"/),
      ]);
    }
    const none = await ask("GET", "/api/notes");
    expect([none.status, none.headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer realm="api"']);
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
    let visitor: Awaited<ReturnType<typeof visit>>;

    beforeEach(async () => {
      visitor = await visit(site.url);
    });

    afterEach(() => visitor.context.close());

    test("a person signs up, keeps a note, reloads, and signs out", { timeout: LONG }, async () => {
      const { page, problems } = visitor;
      await signUp(page, newEmail());
      await add(page, "New note", "Post the letter");
      await page.getByRole("listitem").getByText("Post the letter").waitFor();

      await page.reload();
      await page.getByRole("listitem").getByText("Post the letter").waitFor();

      await signOut(page);
      await page.reload();
      await page.getByLabel("Email address", { exact: true }).waitFor();
      expect(problems).toEqual([]);
    });

    test("a person who forgot the password sets another one, and is back at the notes", { timeout: LONG }, async () => {
      const { page, problems } = visitor;
      const email = newEmail();
      await signUp(page, email);
      await add(page, "New note", "Post the letter");
      await signOut(page);
      await page.getByLabel("Email address", { exact: true }).fill(email);
      await page.getByRole("button", { name: "Forgot your password?" }).click();
      await page.getByRole("button", { name: "Send the code" }).click();
      await page.getByLabel("Code from the mail").waitFor();
      await page.keyboard.type(await codeFor(SERVER, email));
      await page.keyboard.press("Enter");
      await page.getByLabel("Choose a password").fill(NEXT);
      await page.keyboard.press("Enter");
      await page.getByText("The new password is set").waitFor();

      await page.getByLabel("Password", { exact: true }).fill(NEXT);
      await page.keyboard.press("Enter");

      await page.getByRole("listitem").getByText("Post the letter").waitFor();
      expect(problems).toEqual([]);
    });

    test("a session that was ended elsewhere is refused, reading included", { timeout: LONG }, async () => {
      const { page } = visitor;
      const email = newEmail();
      await signUp(page, email);
      const request = page.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/api/notes"));
      await add(page, "New note", "Before");
      await page.getByRole("listitem").getByText("Before").waitFor();
      const token = (await (await request).headerValue("Authorization"))?.replace("Bearer ", "");

      await endOtherSessions(SERVER, email, PASSWORD);

      await expect.poll(async () => (await ask("GET", "/api/notes", token)).status).toBe(401);
      expect((await ask("POST", "/api/notes", token, { text: "After" })).status).toBe(401);
      await add(page, "New note", "After");
      await page.getByLabel("Email address", { exact: true }).waitFor();
      await signIn(page, email);
      await page.getByRole("listitem").getByText("Before").waitFor();
      expect(await page.getByRole("listitem").count()).toBe(1);
    });
  });
});

describe("django-vue", () => {
  let site: Site;

  beforeAll(async () => {
    site = await startExample("django-vue", { url: SERVER, folder: inject("folder") }, "TASKS_FILE");
  }, SETUP_MS);

  afterAll(async () => {
    await site?.close();
  });

  test("answers nobody without a session, in the words of the server", async () => {
    for (const cookie of ["", "sekisho-s-tasks=x", "sekisho-s-tasks=sks_AAAA; csrftoken=x"]) {
      const answer = await fetch(`${site.url}/api/tasks`, { headers: { Cookie: cookie } });
      expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer realm="sekisho"']);
      expect(await answer.json()).toMatchObject({ error: "unauthorized" });
    }
  });

  describe.skipIf(!HAS_CHROMIUM)("in Chromium", () => {
    let visitor: Awaited<ReturnType<typeof visit>>;
    let email: string;

    beforeEach(async () => {
      visitor = await visit(site.url);
      email = newEmail();
      await signUp(visitor.page, email);
    });

    afterEach(() => visitor.context.close());

    /** Ask with the cookies of the browser, as a page of `origin` would. */
    const ask = async (method: string, path: string, headers: Record<string, string> = {}, data?: object) => {
      const cookies = (await visitor.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
      return fetch(`${site.url}${path}`, {
        method,
        headers: { Cookie: cookies, "Content-Type": "application/json", ...headers },
        ...(data ? { body: JSON.stringify(data) } : {}),
      });
    };
    const csrfValue = async () =>
      (await visitor.context.cookies()).find(({ name }) => name === "csrftoken")?.value ?? "";

    test("a person keeps a task, reloads, ticks it, and signs out", { timeout: LONG }, async () => {
      const { page, problems } = visitor;
      await add(page, "New task", "Post the letter");
      await page.getByRole("checkbox", { name: "Post the letter" }).waitFor();

      await page.reload();
      await page.getByRole("checkbox", { name: "Post the letter" }).click();
      await expect.poll(async () => (await ask("GET", "/api/tasks")).json()).toMatchObject([{ is_done: true }]);

      expect(await page.evaluate(() => document.cookie)).not.toContain("sekisho-s-");
      await signOut(page);
      await page.reload();
      await page.getByLabel("Email address", { exact: true }).waitFor();
      expect(problems).toEqual([]);
    });

    test("a person changes the password on the account page, and reads of it in the history", {
      timeout: LONG,
    }, async () => {
      const { page, problems } = visitor;
      await toAccount(page);
      const elsewhere = await tokenOf(SERVER, email, PASSWORD);
      const section = page.getByRole("region", { name: "Address and password" });
      await section.getByRole("button", { name: "Change the password" }).click();
      await section.getByLabel("Current password").fill(PASSWORD);
      await section.getByLabel("New password").fill(NEXT);
      await page.keyboard.press("Enter");

      await section.getByText("Signed out on other devices: 1").waitFor();
      const history = page.getByRole("region", { name: "Sign-in history" });
      await history.getByText("Password changed").waitFor();
      const session = await fetch(`${SERVER}/api/v1/auth/session`, {
        headers: { Authorization: `Bearer ${elsewhere}` },
      });
      expect([session.status, problems]).toEqual([401, []]);
    });

    test("a session that was ended elsewhere is refused", { timeout: LONG }, async () => {
      const { page } = visitor;
      await add(page, "New task", "Before");
      await page.getByRole("checkbox", { name: "Before" }).waitFor();
      expect((await ask("GET", "/api/tasks")).status).toBe(200);

      await endOtherSessions(SERVER, email, PASSWORD);
      // The tests of the guard hold it to a second.
      await expect.poll(async () => (await ask("GET", "/api/tasks")).status, { timeout: 20_000 }).toBe(401);

      const refused = await ask("GET", "/api/tasks");
      expect([refused.status, await refused.json()]).toMatchObject([401, { error: "session_revoked" }]);
      await add(page, "New task", "After");
      await page.getByLabel("Email address", { exact: true }).waitFor();
      await signIn(page, email);
      await page.getByRole("checkbox", { name: "Before" }).waitFor();
      expect(await page.getByRole("listitem").count()).toBe(1);
    });

    test("a write needs our origin and the value of this very session", { timeout: LONG }, async () => {
      const good = { Origin: site.url, "X-CSRFToken": await csrfValue() };
      const task = { text: "Post the letter" };
      const stranger = await visit(site.url);
      await signUp(stranger.page, newEmail());
      const theirs = (await stranger.context.cookies()).find(({ name }) => name === "csrftoken")?.value ?? "";
      await stranger.context.close();
      const session = (await visitor.context.cookies()).find(({ name }) => name === "sekisho-s-tasks");

      for (const bad of [
        { Origin: site.url },
        { "X-CSRFToken": good["X-CSRFToken"] },
        { ...good, Origin: "https://elsewhere.example" },
        { ...good, "X-CSRFToken": "x" },
        // Planted: header and cookie agree, but the value was made for another session.
        { Origin: site.url, "X-CSRFToken": theirs, Cookie: `sekisho-s-tasks=${session?.value}; csrftoken=${theirs}` },
      ]) {
        const answer = await ask("POST", "/api/tasks", bad as unknown as Record<string, string>, task);
        expect([answer.status, await answer.json()]).toMatchObject([403, { error: "csrf_failed" }]);
      }
      expect((await ask("POST", "/api/tasks", good, task)).status).toBe(201);
    });

    test("a value that is gone is fetched again by the page itself", { timeout: LONG }, async () => {
      await visitor.context.addCookies([{ name: "csrftoken", value: "stale", url: site.url }]);

      await add(visitor.page, "New task", "Post the letter");

      await visitor.page.getByRole("checkbox", { name: "Post the letter" }).waitFor();
    });

    test("shows a task to its owner and to nobody else", { timeout: LONG }, async () => {
      await add(visitor.page, "New task", "Post the letter");
      await visitor.page.getByRole("checkbox", { name: "Post the letter" }).waitFor();
      const [{ id }] = (await (await ask("GET", "/api/tasks")).json()) as [{ id: number }];
      const owner = visitor;

      visitor = await visit(site.url);
      await signUp(visitor.page, newEmail());
      const stranger = { Origin: site.url, "X-CSRFToken": await csrfValue() };
      expect(await (await ask("GET", "/api/tasks")).json()).toEqual([]);
      expect((await ask("DELETE", `/api/tasks/${id}`, stranger)).status).toBe(404);
      expect((await ask("PATCH", `/api/tasks/${id}`, stranger, { is_done: true })).status).toBe(404);
      await visitor.context.close();

      visitor = owner;
      expect(await (await ask("GET", "/api/tasks")).json()).toMatchObject([{ id, is_done: false }]);
    });
  });
});
