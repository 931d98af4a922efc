/** What the components do, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor, within } from "@testing-library/dom";
import { version } from "react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createAuthClient } from "../../src/core/index.js";
import { createFakeAuth, type FakeAuth, type FakeAuthOptions } from "../../src/testing/index.js";
import { TWINS, type Wanted } from "./twins.js";

const EMAIL = "hanako@example.com";
const PASSWORD = "seven white cranes";

const undo: (() => void)[] = [];

afterEach(() => {
  for (const one of undo.splice(0)) one();
  document.body.innerHTML = "";
  sessionStorage.clear();
  vi.restoreAllMocks();
});

const fakeAuth = (options: FakeAuthOptions = {}): FakeAuth =>
  createFakeAuth({ accounts: { [EMAIL]: PASSWORD }, ...options });

const signedIn = async (options: FakeAuthOptions = {}): Promise<FakeAuth> => {
  const fake = fakeAuth(options);
  await fake.client.signIn({ email: EMAIL, password: PASSWORD });
  return fake;
};

const place = (): HTMLElement => document.body.appendChild(document.createElement("div"));

const type = (input: HTMLElement, text: string): void => {
  (input as HTMLInputElement).value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};

const loginCalls = (fake: FakeAuth) =>
  fake.browser.requests.filter((request) => request.url.endsWith("/auth/login")).length;

/** Hold every answer of the server back until the returned function is called. */
const hold = (fake: FakeAuth, path: string): (() => void) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  fake.browser.intercept = async (request) => {
    if (request.url.endsWith(path)) await opened;
    return undefined;
  };
  return open;
};

describe.each(TWINS)("$name", ({ mount, render, hydrate }) => {
  const show = (wanted: Omit<Wanted, "locale"> & Partial<Wanted>): HTMLElement => {
    const root = place();
    undo.push(mount({ locale: "en", ...wanted }, root));
    return root;
  };

  const fillIn = async (root: HTMLElement, email = EMAIL, password = PASSWORD) => {
    type(await findByLabelText(root, "Email address"), email);
    type(await findByLabelText(root, /^(Password|Choose a password)$/), password);
  };

  const press = async (root: HTMLElement, name: string) => (await findByRole(root, "button", { name })).click();

  describe("SignIn", () => {
    test("signs in, with labels tied to inputs and hints for password managers", async () => {
      const fake = fakeAuth();
      const done = vi.fn();
      const root = show({ component: "SignIn", client: fake.client, props: { onDone: done } });
      await fillIn(root);
      expect(root.querySelector('[name="email"]')?.getAttribute("autocomplete")).toBe("username");
      expect(root.querySelector('[name="password"]')?.getAttribute("autocomplete")).toBe("current-password");

      await press(root, "Sign in");

      await waitFor(() => expect(done).toHaveBeenCalledWith(expect.objectContaining({ email: EMAIL })));
      expect(fake.client.getSnapshot().status).toBe("signed_in");
    });

    test("says beside the password that it is wrong, moves the cursor there, and keeps what was typed", async () => {
      const root = show({ component: "SignIn", client: fakeAuth().client });
      await fillIn(root, EMAIL, "wrong");
      await press(root, "Sign in");

      const text = await findByText(root, /The email address or the password is not right/);
      const password = root.querySelector<HTMLInputElement>('[name="password"]');
      expect(password?.getAttribute("aria-describedby")).toBe(text.id);
      expect(password?.getAttribute("aria-invalid")).toBe("true");
      await waitFor(() => expect(document.activeElement).toBe(password));
      expect(password?.value).toBe("wrong");
      expect(root.querySelector<HTMLInputElement>('[name="email"]')?.value).toBe(EMAIL);
    });

    test("asks for what was left empty, without asking the server", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignIn", client: fake.client });
      type(await findByLabelText(root, "Email address"), EMAIL);
      await press(root, "Sign in");

      await findByText(root, "Please fill this in.");
      await waitFor(() => expect(document.activeElement).toBe(root.querySelector('[name="password"]')));
      expect(loginCalls(fake)).toBe(0);
    });

    test("a double click sends once, and a slow answer says that something happens", async () => {
      const fake = fakeAuth();
      const open = hold(fake, "/auth/login");
      const root = show({ component: "SignIn", client: fake.client });
      await fillIn(root);
      await press(root, "Sign in");
      await press(root, "Sign in");

      await findByText(root, "One moment …");
      expect(root.querySelector("form")?.getAttribute("aria-busy")).toBe("true");
      await findByText(root, /takes longer than usual/, {}, { timeout: 3000 });
      open();

      await waitFor(() => expect(fake.client.getSnapshot().status).toBe("signed_in"));
      expect(loginCalls(fake)).toBe(1);
    });

    test("says that the server is away, offers to try again, and loses nothing that was typed", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignIn", client: fake.client });
      await fillIn(root);
      fake.browser.setOnline(false);
      await press(root, "Sign in");
      await findByText(root, /The server cannot be reached/);
      fake.browser.setOnline(true);

      await press(root, "Try again");

      await waitFor(() => expect(fake.client.getSnapshot().status).toBe("signed_in"));
    });

    test("says how long to wait", async () => {
      const fake = fakeAuth();
      fake.browser.intercept = async (request) =>
        request.url.endsWith("/auth/login")
          ? Response.json(
              { error: "rate_limit_exceeded", message: "" },
              { status: 429, headers: { "Retry-After": "180" } },
            )
          : undefined;
      const root = show({ component: "SignIn", client: fake.client });
      await fillIn(root);
      await press(root, "Sign in");

      await findByText(root, /Too many tries.*in 3 minutes/);
    });

    test("shows the password on request (V6.2.6)", async () => {
      const root = show({ component: "SignIn", client: fakeAuth().client });
      await fillIn(root);
      (await findByLabelText(root, "Show the password")).click();

      expect(root.querySelector('[name="password"]')?.getAttribute("type")).toBe("text");
    });

    test("speaks Japanese", async () => {
      const root = show({ component: "SignIn", client: fakeAuth().client, locale: "ja" });
      await findByLabelText(root, "メールアドレス");
      type(await findByLabelText(root, "パスワード"), "x");
      await press(root, "サインイン");

      await findByText(root, "入力してください。");
      expect(root.querySelector(".sekisho")?.getAttribute("lang")).toBe("ja");
    });

    test("leads to the page for signing up, or turns into it and keeps the address", async () => {
      const client = fakeAuth().client;
      const linked = show({ component: "SignIn", client, props: { signUpUrl: "/join" } });
      expect((await findByRole(linked, "link", { name: "Create account" })).getAttribute("href")).toBe("/join");

      const root = show({ component: "SignIn", client });
      await fillIn(root);
      await press(root, "Create account");
      await findByRole(root, "heading", { name: "Create an account" });
      expect(root.querySelector<HTMLInputElement>('[name="email"]')?.value).toBe(EMAIL);
    });

    test("asks for the code of the second factor, and signs in with it", async () => {
      const fake = fakeAuth();
      fake.server.factors.enrol(EMAIL);
      const done = vi.fn();
      const root = show({ component: "SignIn", client: fake.client, props: { onDone: done } });
      await fillIn(root);
      await press(root, "Sign in");
      await findByText(root, /6 digits that your authenticator app shows/);
      const code = (await findByLabelText(root, "Code")) as HTMLInputElement;
      expect([code.autocomplete, code.inputMode]).toEqual(["one-time-code", "numeric"]);
      await waitFor(() => expect(document.activeElement).toBe(code));
      expect(done).not.toHaveBeenCalled();

      type(code, "000000");
      await press(root, "Sign in");
      await findByText(root, /This code is not right/);
      type(await findByLabelText(root, "Code"), fake.server.factors.code);
      await press(root, "Sign in");
      await waitFor(() => expect(done).toHaveBeenCalledWith(expect.objectContaining({ email: EMAIL })));
    });

    test("a lost phone is no lost account: a recovery code signs in", async () => {
      const fake = fakeAuth();
      const [first = ""] = fake.server.factors.enrol(EMAIL);
      const root = show({ component: "SignIn", client: fake.client });
      await fillIn(root);
      await press(root, "Sign in");
      await press(root, "Use a recovery code");
      type(await findByLabelText(root, "Recovery code"), first);
      await press(root, "Sign in");
      await waitFor(() => expect(fake.client.getSnapshot().status).toBe("signed_in"));
    });

    test("hands the second factor to an app that asks for it itself", async () => {
      const fake = fakeAuth();
      fake.server.factors.enrol(EMAIL);
      const onSecondFactor = vi.fn();
      const root = show({ component: "SignIn", client: fake.client, props: { onSecondFactor } });
      await fillIn(root);
      await press(root, "Sign in");
      const methods = ["totp", "recovery_code"];
      await waitFor(() => expect(onSecondFactor).toHaveBeenCalledWith(expect.objectContaining({ methods })));
    });
  });

  describe("UserProfile's second factors", () => {
    const factorsOf = async (root: HTMLElement) => findByRole(root, "region", { name: "Two-step sign-in" });

    test("an app is enrolled by its QR code or key, and the recovery codes are shown once", async () => {
      const fake = await signedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      await findByText(section, /Only your password is asked for/);
      await press(section, "Add an authenticator app");
      const image = await findByRole(section, "img", { name: "QR code for the authenticator app" });
      expect(image.getAttribute("src")).toMatch(/^data:image\/svg\+xml/);
      await findByText(section, "JBSWY3DPEHPK3PXP");

      type(await findByLabelText(section, "Code"), "000000");
      await press(section, "Confirm");
      await findByText(section, /This code is not right/);
      type(await findByLabelText(section, "Code"), fake.server.factors.code);
      await press(section, "Confirm");

      await findByText(section, "Your recovery codes");
      expect(within(section).getAllByRole("listitem")).toHaveLength(10);
      expect((await findByRole(section, "link", { name: "Download" })).getAttribute("download")).toBeTruthy();
      await press(section, "I have kept them");
      await findByText(section, "Unused recovery codes: 10");
      expect(queryByText(section, "Your recovery codes")).toBeNull();
    });

    test("a stale proof is renewed first, by the factor where there is one, and the work goes on by itself", async () => {
      const fake = fakeAuth();
      fake.server.factors.enrol(EMAIL);
      const asked = await fake.client.signIn({ email: EMAIL, password: PASSWORD });
      if (asked.status !== "second_factor_required") throw new Error("no second factor was asked for");
      await fake.client.secondFactor({ ...asked, method: "totp", code: fake.server.factors.code });
      fake.server.age();
      const section = await factorsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Remove Authenticator app");
      await findByText(section, "Please confirm that it is you");
      type(await findByLabelText(section, "Code"), fake.server.factors.code);
      await press(section, "Confirm");
      await findByText(section, /Only your password is asked for/);
    });

    test("a password renews the proof where nothing stronger is enrolled; it can be left", async () => {
      const fake = await signedIn();
      fake.server.age();
      const section = await factorsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Add an authenticator app");
      type(await findByLabelText(section, "Password"), "wrong");
      await press(section, "Confirm");
      await findByText(section, /password is not right/);
      await press(section, "Cancel");
      await press(section, "Add an authenticator app");
      type(await findByLabelText(section, "Password"), PASSWORD);
      await press(section, "Confirm");
      await findByText(section, "JBSWY3DPEHPK3PXP");
    });
  });

  describe("SignUp", () => {
    const toCode = async (fake: FakeAuth, root: HTMLElement) => {
      await fillIn(root, "taro@example.com");
      await press(root, "Create account");
      await findByText(root, /We sent a code to taro@example.com\. It works for 15 minutes\./);
      return fake.server.codeFor("taro@example.com");
    };

    test("asks for the mailed code in one input, and signs in", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignUp", client: fake.client });
      const code = await toCode(fake, root);
      const input = (await findByLabelText(root, "Code from the mail")) as HTMLInputElement;
      expect([input.autocomplete, input.inputMode]).toEqual(["one-time-code", "numeric"]);
      await waitFor(() => expect(document.activeElement).toBe(input));

      type(input, ` ${code.slice(0, 3)} ${code.slice(3)} `);
      await press(root, "Confirm");

      await waitFor(() => expect(fake.client.getSnapshot().user?.email).toBe("taro@example.com"));
    });

    test("says beside the code that it is wrong, and sends a new one", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignUp", client: fake.client });
      await toCode(fake, root);
      type(await findByLabelText(root, "Code from the mail"), "999999");
      await press(root, "Confirm");
      await findByText(root, /This code is not right/);

      await press(root, "Send a new code");

      await findByText(root, /A new code is on its way/);
      expect(queryByText(root, /This code is not right/)).toBeNull();
      type(await findByLabelText(root, "Code from the mail"), fake.server.codeFor("taro@example.com"));
      await press(root, "Confirm");
      await waitFor(() => expect(fake.client.getSnapshot().status).toBe("signed_in"));
    });

    test("a person who mistyped the address goes back and finds it there", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignUp", client: fake.client });
      await toCode(fake, root);
      await press(root, "Change the address");

      expect(((await findByLabelText(root, "Email address")) as HTMLInputElement).value).toBe("taro@example.com");
    });

    /** The page is loaded again: everything is made anew, in the same tab. */
    const reload = () => {
      for (const one of undo.splice(0)) one();
      document.body.innerHTML = "";
    };

    test("comes back to the code when the page is loaded again, and has kept no password (V14.3.3)", async () => {
      const fake = fakeAuth();
      await toCode(fake, show({ component: "SignUp", client: fake.client }));
      reload();

      const root = show({ component: "SignUp", client: fake.anotherTab() });
      await findByText(root, /We sent a code to taro@example.com\. It works for 15 minutes\./);
      await waitFor(() => expect(document.activeElement).toBe(root.querySelector('[name="code"]')));
      expect(JSON.stringify({ ...sessionStorage })).not.toContain(PASSWORD);
      type(await findByLabelText(root, "Code from the mail"), fake.server.codeFor("taro@example.com"));
      await press(root, "Confirm");

      await waitFor(() => expect(fake.browser.jar.size).toBeGreaterThan(0));
      await waitFor(() => expect(sessionStorage.length).toBe(0));
    });

    test.each([
      ["the address is changed", async (root: HTMLElement) => press(root, "Change the address")],
      ["its time is over", async () => void vi.spyOn(Date, "now").mockReturnValue(Date.now() + 900_001)],
    ])("begins anew after a reload once %s, and never in another form", async (_, end) => {
      const fake = fakeAuth();
      const before = show({ component: "SignUp", client: fake.client });
      await toCode(fake, before);
      const other = show({ component: "SignIn", client: fake.client });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await findByLabelText(other, "Password");
      await end(before);
      reload();

      const root = show({ component: "SignUp", client: fake.anotherTab() });
      await findByLabelText(root, "Choose a password");
    });

    test("says what a password needs", async () => {
      const root = show({ component: "SignUp", client: fakeAuth().client });
      await fillIn(root, "taro@example.com", "short");
      await press(root, "Create account");

      await findByText(root, /too short/);
      await waitFor(() => expect(document.activeElement).toBe(root.querySelector('[name="password"]')));
    });
  });

  describe("UserProfile", () => {
    test("shows and saves the name, and the language", async () => {
      const fake = await signedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      type(await findByLabelText(root, "Name"), "花子");
      ((await findByLabelText(root, "Language of mails")) as HTMLSelectElement).value = "ja";
      await press(root, "Save");

      await findByText(root, "Saved.");
      expect(fake.client.getSnapshot().user).toMatchObject({ name: "花子", locale: "ja" });
      expect(((await findByLabelText(root, "Name")) as HTMLInputElement).value).toBe("花子");
    });

    test("keeps a name that could not be saved, to be sent again", async () => {
      const fake = await signedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const name = (await findByLabelText(root, "Name")) as HTMLInputElement;
      type(name, "花子");
      fake.browser.setOnline(false);
      await press(root, "Save");
      await findByText(root, /The server cannot be reached/);
      expect(name.value).toBe("花子");
      fake.browser.setOnline(true);

      await press(root, "Try again");

      await findByText(root, "Saved.");
      expect(fake.client.getSnapshot().user?.name).toBe("花子");
    });

    test("lists the devices, marks this one, and ends another", async () => {
      const fake = await signedIn();
      const phone = fake.anotherTab();
      fake.browser.jar.clear();
      await phone.signIn({ email: EMAIL, password: PASSWORD });
      const root = show({ component: "UserProfile", client: phone });
      const [first, second] = await within(await findByRole(root, "list")).findAllByRole("listitem");
      expect([first, second].map((item) => item?.textContent?.includes("This device"))).toEqual([false, true]);

      first?.querySelector("button")?.click();

      await findByText(root, "The device is signed out.");
      await waitFor(() => expect(root.querySelectorAll("li")).toHaveLength(1));
      expect(queryByText(root, "Sign out all other devices")).toBeNull();
    });

    test("ends all others", async () => {
      const fake = await signedIn();
      const phone = fake.anotherTab();
      fake.browser.jar.clear();
      await phone.signIn({ email: EMAIL, password: PASSWORD });
      const root = show({ component: "UserProfile", client: phone });
      await press(root, "Sign out all other devices");

      await findByText(root, "Signed out on other devices: 1");
    });

    test("closes the account with the right password only", async () => {
      const fake = await signedIn();
      const onWithdrawn = vi.fn();
      const root = show({ component: "UserProfile", client: fake.client, props: { onWithdrawn } });
      (await findByText(root, "Close the account")).click();
      type(await findByLabelText(root, "Password"), "wrong");
      await press(root, "Close the account for good");
      await findByText(root, /the password is not right/);
      expect(fake.client.getSnapshot().status).toBe("signed_in");

      type(await findByLabelText(root, "Password"), PASSWORD);
      await press(root, "Close the account for good");

      await waitFor(() => expect(onWithdrawn).toHaveBeenCalled());
      expect(fake.client.getSnapshot().status).toBe("signed_out");
    });

    test("says that the server is away, and loads when asked again", async () => {
      const fake = await signedIn();
      fake.browser.setOnline(false);
      const root = show({ component: "UserProfile", client: fake.client });
      await findByText(root, /The server cannot be reached/);
      fake.browser.setOnline(true);

      await press(root, "Try again");

      await findByRole(root, "heading", { name: "Profile" });
    });
  });

  describe("UserButton", () => {
    test("opens a menu, closes it with Escape or by a choice, and signs out", async () => {
      const fake = await signedIn();
      const onSignedOut = vi.fn();
      const props = { accountUrl: "#account", onSignedOut };
      const root = show({ component: "UserButton", client: fake.client, props });
      const button = await findByRole(root, "button", { name: `Account menu of ${EMAIL}` });
      const menu = document.getElementById(button.getAttribute("aria-controls") ?? "");
      expect([button.getAttribute("aria-expanded"), menu?.hidden]).toEqual(["false", true]);

      button.click();
      await waitFor(() => expect([button.getAttribute("aria-expanded"), menu?.hidden]).toEqual(["true", false]));
      expect((await findByRole(root, "link", { name: "Account" })).getAttribute("href")).toBe("#account");
      button.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      await waitFor(() => expect(menu?.hidden).toBe(true));

      button.click();
      await waitFor(() => expect(menu?.hidden).toBe(false));
      (await findByRole(root, "link", { name: "Account" })).click();
      await waitFor(() => expect(menu?.hidden).toBe(true));

      button.click();
      await press(root, "Sign out");

      await waitFor(() => expect(onSignedOut).toHaveBeenCalled());
      await waitFor(() => expect(root.querySelector("button")).toBeNull());
    });
  });

  describe("what is shown to whom", () => {
    test("SignedIn and SignedOut show their inside to one each, and nothing before that is known", async () => {
      const fake = fakeAuth();
      const open = hold(fake, "/auth/refresh");
      const within_ = show({ component: "SignedIn", client: fake.client, inside: "members" });
      const without = show({ component: "SignedOut", client: fake.client, inside: "guests" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([within_.textContent, without.textContent]).toEqual(["", ""]);

      open();
      await findByText(without, "guests");
      expect(within_.textContent).toBe("");

      await fake.client.signIn({ email: EMAIL, password: PASSWORD });
      await findByText(within_, "members");
      await waitFor(() => expect(without.textContent).toBe(""));
    });

    test("ProtectedRoute waits, shows the form, and the inside after the sign-in", async () => {
      const fake = fakeAuth();
      const open = hold(fake, "/auth/refresh");
      const root = show({ component: "ProtectedRoute", client: fake.client, inside: "secret" });
      await findByText(root, "Loading …");
      open();
      await fillIn(root);
      expect(queryByText(root, "secret")).toBeNull();

      await press(root, "Sign in");

      await findByText(root, "secret");
    });

    test("ProtectedRoute says that the server is away, with a way to ask again: never a blank page", async () => {
      const fake = await signedIn();
      fake.browser.intercept = async () => Response.json({ error: "not_found", message: "" }, { status: 404 });
      // Nothing is asked again by itself here.
      const ports = { ...fake.browser.tab(), sleep: () => new Promise<void>(() => {}) };
      const client = createAuthClient({ baseUrl: "https://auth.example.com", clientId: "web", ports });
      const root = show({ component: "ProtectedRoute", client, inside: "secret" });
      await findByText(root, /There is nothing here/);
      expect(queryByText(root, "secret")).toBeNull();
      fake.browser.intercept = undefined;

      await press(root, "Try again");

      await findByText(root, "secret");
    });

    test("a session that ends elsewhere takes the inside away", async () => {
      const fake = await signedIn();
      const root = show({ component: "ProtectedRoute", client: fake.client, inside: "secret" });
      await findByText(root, "secret");
      await new Promise((resolve) => setTimeout(resolve, 20));
      fake.server.endSessions();
      fake.browser.wake();

      await findByLabelText(root, "Email address");
      expect(queryByText(root, "secret")).toBeNull();
    });
  });

  describe("pages from a server", () => {
    test.each(["SignIn", "ProtectedRoute", "SignedIn", "UserButton"] as const)(
      "%s is taken over without a difference, though the browser knows more",
      async (component) => {
        const complaints = [vi.spyOn(console, "error"), vi.spyOn(console, "warn")];
        const wanted = {
          component,
          inside: component === "SignIn" || component === "UserButton" ? undefined : "secret",
        };
        const onServer = createFakeAuth().client;
        const html = await render({ ...wanted, client: onServer } as Wanted);
        expect(onServer.getSnapshot().status).toBe("loading");
        const fake = await signedIn();
        const root = place();
        root.innerHTML = html;

        undo.push(hydrate({ ...wanted, client: fake.client } as Wanted, root));

        if (component !== "SignIn") await waitFor(() => expect(root.textContent).toMatch(/secret|H/));
        await new Promise((resolve) => setTimeout(resolve, 20));
        for (const complaint of complaints) expect(complaint.mock.calls).toEqual([]);
      },
    );
  });
});

test("the React under test is the one that this project is about", () => {
  expect(version.split(".")[0]).toBe(process.env["ONLY_REACT"] ?? "19");
});
