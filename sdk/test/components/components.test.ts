/** What the components do, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor, within } from "@testing-library/dom";
import { version } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAuthClient } from "../../src/core/index.js";
import { createFakeAuth, type FakeAuth, type FakeAuthOptions } from "../../src/testing/index.js";
import { TWINS, type Wanted } from "./twins.js";

const EMAIL = "hanako@example.com";
const PASSWORD = "seven white cranes";

const undo: (() => void)[] = [];

/** What the frameworks complain of: a wrong attribute, a missing key, a state set too late. */
const complaints: unknown[][] = [];

beforeEach(() => {
  complaints.splice(0);
  for (const level of ["error", "warn"] as const)
    vi.spyOn(console, level).mockImplementation((...words) => void complaints.push(words));
});

afterEach(() => {
  expect(complaints).toEqual([]);
  for (const one of undo.splice(0)) one();
  document.body.innerHTML = "";
  sessionStorage.clear();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
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

  describe("SignIn after a forgotten password", () => {
    const NEXT = "eight grey herons";

    const toCode = async (fake: FakeAuth, root: HTMLElement): Promise<string> => {
      type(await findByLabelText(root, "Email address"), EMAIL);
      await press(root, "Forgot your password?");
      await findByRole(root, "heading", { name: "Reset the password" });
      await press(root, "Send the code");
      await findByText(root, /If hanako@example.com has an account here, we have sent a code to it\. It works for 15/);
      return fake.server.codeFor(EMAIL);
    };

    test("leads from the address over the code to a new password, and back to the sign-in (V6.2.7)", async () => {
      const fake = fakeAuth();
      const done = vi.fn();
      const root = show({ component: "SignIn", client: fake.client, props: { onDone: done } });
      const code = await toCode(fake, root);
      const input = (await findByLabelText(root, "Code from the mail")) as HTMLInputElement;
      expect([input.autocomplete, input.inputMode]).toEqual(["one-time-code", "numeric"]);
      await waitFor(() => expect(document.activeElement).toBe(input));
      type(input, ` ${code} `);
      await press(root, "Confirm");

      const password = (await findByLabelText(root, "Choose a password")) as HTMLInputElement;
      await waitFor(() => expect(document.activeElement).toBe(password));
      expect(password.autocomplete).toBe("new-password");
      expect(root.querySelector<HTMLInputElement>('[autocomplete="username"]')?.value).toBe(EMAIL);
      type(password, NEXT);
      await press(root, "Set the password");

      await findByText(root, /The new password is set and you are signed out everywhere/);
      expect(done).not.toHaveBeenCalled();
      expect(((await findByLabelText(root, "Email address")) as HTMLInputElement).value).toBe(EMAIL);
      await waitFor(() => expect(document.activeElement).toBe(root.querySelector('[name="password"]')));
      type(await findByLabelText(root, "Password"), NEXT);
      await press(root, "Sign in");
      await waitFor(() => expect(done).toHaveBeenCalledWith(expect.objectContaining({ email: EMAIL })));
    });

    test("says beside the code that it is wrong, and sends a new one", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignIn", client: fake.client });
      const first = await toCode(fake, root);
      type(await findByLabelText(root, "Code from the mail"), "999999");
      await press(root, "Confirm");
      await findByText(root, /This code is not right/);

      await press(root, "Send a new code");

      await findByText(root, /A new code is on its way/);
      expect(fake.server.codeFor(EMAIL)).not.toBe(first);
      type(await findByLabelText(root, "Code from the mail"), fake.server.codeFor(EMAIL));
      await press(root, "Confirm");
      await findByRole(root, "heading", { name: "Choose a new password" });
    });

    test("says what a password needs, and that a reset is over, with the way to begin again", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignIn", client: fake.client });
      const code = await toCode(fake, root);
      type(await findByLabelText(root, "Code from the mail"), code);
      await press(root, "Confirm");
      type(await findByLabelText(root, "Choose a password"), "short");
      await press(root, "Set the password");
      await findByText(root, /too short/);
      await waitFor(() => expect(document.activeElement).toBe(root.querySelector('[name="password"]')));

      fake.browser.intercept = async (request) =>
        request.url.endsWith("/complete")
          ? Response.json({ error: "reset_token_invalid", message: "" }, { status: 400 })
          : undefined;
      type(await findByLabelText(root, "Choose a password"), NEXT);
      await press(root, "Set the password");
      await findByText(root, /This reset is finished already/);
      await press(root, "Begin again with a new code");
      const email = (await findByLabelText(root, "Email address")) as HTMLInputElement;
      expect(email.value).toBe(EMAIL);
      await waitFor(() => expect(document.activeElement).toBe(email));
    });

    test("is offered with more words where the password is refused: an operator may have asked for a new one", async () => {
      const root = show({ component: "SignIn", client: fakeAuth().client });
      await fillIn(root, EMAIL, "wrong");
      expect(queryByText(root, /were you asked to set a new one/)).toBeNull();
      await press(root, "Sign in");
      await findByText(root, /were you asked to set a new one/);
      await press(root, "Forgot your password?");
      expect(((await findByLabelText(root, "Email address")) as HTMLInputElement).value).toBe(EMAIL);
    });

    test("can be left from each step, and may have a page of its own", async () => {
      const fake = fakeAuth();
      const root = show({ component: "SignIn", client: fake.client });
      await toCode(fake, root);
      await press(root, "Change the address");
      expect(((await findByLabelText(root, "Email address")) as HTMLInputElement).value).toBe(EMAIL);
      await press(root, "Back to sign-in");
      await findByLabelText(root, "Password");

      const linked = show({ component: "SignIn", client: fake.client, props: { resetUrl: "/reset" } });
      const link = await findByRole(linked, "link", { name: "Forgot your password?" });
      expect(link.getAttribute("href")).toBe("/reset");
    });

    test("speaks Japanese", async () => {
      const root = show({ component: "SignIn", client: fakeAuth().client, locale: "ja" });
      await press(root, "パスワードをお忘れの方");
      await findByRole(root, "heading", { name: "パスワードの再設定" });
      await press(root, "コードを送る");
      await findByText(root, "入力してください。");
    });
  });

  test("SignIn offers to trust the browser where the server does, and it is not asked again", async () => {
    const fake = fakeAuth();
    fake.server.factors.enrol(EMAIL);
    fake.server.factors.trustDays = 30;
    const onDone = vi.fn();
    const root = show({ component: "SignIn", client: fake.client, props: { onDone } });
    type(await findByLabelText(root, "Email address"), EMAIL);
    type(await findByLabelText(root, "Password"), PASSWORD);
    await press(root, "Sign in");
    type(await findByLabelText(root, "Code"), fake.server.factors.code);
    (await findByLabelText(root, "Do not ask again on this browser for 30 days")).click();
    await press(root, "Sign in");
    await vi.waitFor(() => expect(onDone).toHaveBeenCalled());
    await fake.client.signOut();
    expect((await fake.client.signIn({ email: EMAIL, password: PASSWORD })).status).toBe("signed_in");
  });

  const dialogOf = async (root: HTMLElement) => findByRole(root, "dialog", { name: "Please confirm that it is you" });
  const sectionOf = async (root: HTMLElement, name: string) => findByRole(root, "region", { name });

  /** Somebody with an authenticator app, who signed in long ago. */
  const longSignedIn = async (): Promise<FakeAuth> => {
    const fake = fakeAuth();
    fake.server.factors.enrol(EMAIL);
    const asked = await fake.client.signIn({ email: EMAIL, password: PASSWORD });
    if (asked.status !== "second_factor_required") throw new Error("no second factor was asked for");
    await fake.client.secondFactor({ ...asked, method: "totp", code: fake.server.factors.code });
    fake.server.age();
    return fake;
  };

  /** Give the code that the dialog asks for. */
  const prove = async (root: HTMLElement, fake: FakeAuth) => {
    const dialog = await dialogOf(root);
    type(await findByLabelText(dialog, "Code"), fake.server.factors.code);
    await press(dialog, "Confirm");
  };

  describe("UserProfile's second factors", () => {
    const factorsOf = async (root: HTMLElement) => sectionOf(root, "Two-step sign-in");

    test("an app is enrolled by its QR code or key, and the recovery codes are shown once", async () => {
      const fake = await signedIn();
      const copied = vi.fn().mockResolvedValue(undefined);
      vi.spyOn(navigator.clipboard, "writeText").mockImplementation(copied);
      const print = vi.fn();
      vi.stubGlobal("print", print);
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      await findByText(section, /Only your password is asked for/);
      await press(section, "Add an authenticator app");
      const image = await findByRole(section, "img", { name: "QR code for the authenticator app" });
      expect(image.getAttribute("src")).toMatch(/^data:image\/svg\+xml/);
      await findByText(section, "JBSW Y3DP EHPK 3PXP");
      await waitFor(() => expect(document.activeElement).toBe(section.querySelector('[name="code"]')));
      await press(section, "Copy");
      await waitFor(() => expect(copied).toHaveBeenLastCalledWith("JBSWY3DPEHPK3PXP"));

      type(await findByLabelText(section, "Code"), "000000");
      await press(section, "Confirm");
      await findByText(section, /This code is not right/);
      type(await findByLabelText(section, "Code"), fake.server.factors.code);
      await press(section, "Confirm");

      await findByText(section, "Your recovery codes");
      const codes = within(section)
        .getAllByRole("listitem")
        .map((item) => item.textContent ?? "");
      expect(new Set(codes).size).toBe(10);
      const link = await findByRole(section, "link", { name: "Download" });
      expect(link.getAttribute("download")).toBe("recovery-codes.txt");
      const file = decodeURIComponent(link.getAttribute("href") ?? "");
      expect([EMAIL, ...codes].filter((line) => !file.includes(line))).toEqual([]);
      await press(section, "Copy");
      await findByText(section, "Copied.");
      expect(copied).toHaveBeenLastCalledWith(codes.join("\n"));
      await press(section, "Print");
      expect(print).toHaveBeenCalledTimes(1);
      await press(section, "I have kept them");
      await findByText(section, "Unused recovery codes: 10");
      expect(queryByText(section, "Your recovery codes")).toBeNull();
      await waitFor(() => expect(document.activeElement?.textContent).toBe("Two-step sign-in"));
    });

    test("a phone is enrolled by its number, said what it is worth, and listed with the number masked", async () => {
      const fake = await signedIn();
      const section = await factorsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Have codes sent by text message");
      await findByText(section, /prefer an app where you can/);
      const phone = await findByLabelText(section, "Phone number");
      expect([phone.getAttribute("type"), phone.getAttribute("autocomplete")]).toEqual(["tel", "tel"]);
      await waitFor(() => expect(document.activeElement).toBe(phone));
      await press(section, "Send me a code");
      await findByText(section, "Please fill this in.");
      type(await findByLabelText(section, "Phone number"), "090-1234-5678");
      await press(section, "Send me a code");
      await findByText(section, "We have sent a code to +81 •••• 78. Enter it here.");
      await waitFor(() => expect(document.activeElement).toBe(section.querySelector('[name="code"]')));
      type(await findByLabelText(section, "Code"), fake.server.factors.code);
      await press(section, "Confirm");
      await press(section, "I have kept them");
      await findByText(section, "Codes by text message");
      await findByText(section, /\+81 •••• 78 · Added/);
      expect(queryByText(section, "Have codes sent by text message")).toBeNull();
    });

    test("somebody who thinks better of it goes back to the list", async () => {
      const fake = await signedIn();
      const section = await factorsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Have codes sent by text message");
      await press(section, "Cancel");
      await findByText(section, "Have codes sent by text message");
      expect(queryByText(section, "Phone number")).toBeNull();
    });

    test("says so where a browser does not let it copy", async () => {
      const fake = await signedIn();
      vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("forbidden"));
      const section = await factorsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Add an authenticator app");
      await press(section, "Copy");
      await findByText(section, /Copying did not work/);
    });

    test("a factor is given a name of its own, by which it is removed later", async () => {
      const fake = await longSignedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      await press(section, "Rename Authenticator app");
      const name = await findByLabelText(section, "Name");
      await waitFor(() => expect(document.activeElement).toBe(name));
      await press(section, "Save");
      await findByText(section, "Please fill this in.");
      type(await findByLabelText(section, "Name"), "Old phone");
      await press(section, "Save");

      await findByText(section, "Old phone");
      await findByText(section, "Renamed.");
      const again = await findByRole(section, "button", { name: "Rename Old phone" });
      await waitFor(() => expect(document.activeElement).toBe(again));
      await findByRole(section, "button", { name: "Remove Old phone" });
    });

    test("a stale proof is renewed first, by the factor where there is one, and the work goes on by itself", async () => {
      const fake = await longSignedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      await press(section, "Remove Authenticator app");
      const dialog = await dialogOf(root);
      await waitFor(() => expect(document.activeElement).toBe(dialog.querySelector('[name="code"]')));
      type(await findByLabelText(dialog, "Code"), "000000");
      await press(dialog, "Confirm");
      await findByText(dialog, /This code is not right/);
      await prove(root, fake);
      await findByText(section, /Only your password is asked for/);
      expect(root.querySelector("dialog")).toBeNull();
      await waitFor(() => expect(document.activeElement?.textContent).toBe("Two-step sign-in"));
    });

    test("a password renews the proof where nothing stronger is enrolled; Escape leaves it, and nothing was done", async () => {
      const fake = await signedIn();
      fake.server.age();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      const button = await findByRole(section, "button", { name: "Add an authenticator app" });
      button.focus();
      button.click();
      const dialog = await dialogOf(root);
      expect(dialog.querySelector<HTMLInputElement>('[autocomplete="username"]')?.value).toBe(EMAIL);
      type(await findByLabelText(dialog, "Password"), "wrong");
      await press(dialog, "Confirm");
      await findByText(dialog, /password is not right/);
      dialog.dispatchEvent(new Event("cancel", { cancelable: true }));
      await waitFor(() => expect(root.querySelector("dialog")).toBeNull());
      await waitFor(() => expect(document.activeElement).toBe(button));
      expect(queryByText(section, /JBSW/)).toBeNull();

      button.click();
      const again = await dialogOf(root);
      type(await findByLabelText(again, "Password"), PASSWORD);
      await press(again, "Confirm");
      await findByText(section, "JBSW Y3DP EHPK 3PXP");
    });

    test("the step-up offers a recovery code too, and repeats what was asked once only", async () => {
      const fake = await longSignedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await factorsOf(root);
      await press(section, "Make new recovery codes");
      const dialog = await dialogOf(root);
      await press(dialog, "Use a recovery code");
      await findByLabelText(dialog, "Recovery code");
      await press(dialog, "Use the authenticator app");
      let times = 0;
      fake.browser.intercept = async (request) => {
        if (!request.url.endsWith("/recovery-codes")) return undefined;
        times += 1;
        return Response.json({ error: "step_up_required", message: "", details: { acr: "aal2" } }, { status: 401 });
      };
      await prove(root, fake);

      await findByText(section, /confirm that it is you/i);
      expect(times).toBe(1);
      expect(root.querySelector("dialog")).toBeNull();
    });
  });

  describe("UserProfile's password and address", () => {
    const NEXT = "eight grey herons";
    const credentialsOf = async (root: HTMLElement) => sectionOf(root, "Address and password");

    test("the password is changed with the current one, and the other devices are signed out (V6.2.2, V6.2.3, V7.4.3)", async () => {
      const fake = await signedIn();
      const phone = fake.anotherTab();
      fake.browser.jar.clear();
      await phone.signIn({ email: EMAIL, password: PASSWORD });
      const root = show({ component: "UserProfile", client: phone });
      const section = await credentialsOf(root);
      await press(section, "Change the password");
      const current = (await findByLabelText(section, "Current password")) as HTMLInputElement;
      const next = (await findByLabelText(section, "New password")) as HTMLInputElement;
      await waitFor(() => expect(document.activeElement).toBe(current));
      expect([current.autocomplete, next.autocomplete]).toEqual(["current-password", "new-password"]);
      (await findByLabelText(section, "Show the password")).click();
      expect([current.type, next.type]).toEqual(["text", "text"]);

      type(current, "wrong");
      type(next, "short");
      await press(section, "Change the password");
      await findByText(section, /password is not right/);
      type(current, PASSWORD);
      await press(section, "Change the password");
      await findByText(section, /too short/);
      await waitFor(() => expect(document.activeElement).toBe(next));
      type(next, NEXT);
      await press(section, "Change the password");

      await findByText(section, "The password is changed. Signed out on other devices: 1");
      const devices = await sectionOf(root, "Signed-in devices");
      await waitFor(() => expect(within(devices).getAllByRole("listitem")).toHaveLength(1));
      expect(queryByText(section, "Current password")).toBeNull();
      await expect(phone.signIn({ email: EMAIL, password: NEXT })).resolves.toBeTruthy();
    });

    test("the other devices stay where the person wants it", async () => {
      const fake = await signedIn();
      const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Change the password");
      type(await findByLabelText(section, "Current password"), PASSWORD);
      type(await findByLabelText(section, "New password"), NEXT);
      (await findByLabelText(section, "Stay signed in on my other devices")).click();
      let sent = "";
      fake.browser.intercept = async (request) => {
        if (request.method === "PUT") sent = await request.text();
        return undefined;
      };
      await press(section, "Change the password");

      await findByText(section, "The password is changed.");
      expect(JSON.parse(sent)).toMatchObject({ keep_other_sessions: true });
    });

    test("somebody with a second factor shows it first, and what was typed is sent once more", async () => {
      const fake = await longSignedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await credentialsOf(root);
      await press(section, "Change the password");
      type(await findByLabelText(section, "Current password"), PASSWORD);
      type(await findByLabelText(section, "New password"), NEXT);
      await press(section, "Change the password");
      await prove(root, fake);

      await findByText(section, /The password is changed/);
    });

    test("can be left, with the focus back on the button", async () => {
      const section = await credentialsOf(show({ component: "UserProfile", client: (await signedIn()).client }));
      await press(section, "Change the email address");
      await press(section, "Cancel");
      const button = await findByRole(section, "button", { name: "Change the email address" });
      await waitFor(() => expect(document.activeElement).toBe(button));
      expect(button.getAttribute("aria-expanded")).toBe("false");
    });

    test("the address is changed by the code that was mailed to the new one", async () => {
      const fake = await signedIn();
      const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Change the email address");
      const address = await findByLabelText(section, "New email address");
      await waitFor(() => expect(document.activeElement).toBe(address));
      type(address, "hana@example.com");
      type(await findByLabelText(section, "Current password"), PASSWORD);
      await press(section, "Send me a code");
      await findByText(section, /We sent a code to hana@example.com/);
      const code = await findByLabelText(section, "Code from the mail");
      await waitFor(() => expect(document.activeElement).toBe(code));
      type(code, "999999");
      await press(section, "Confirm");
      await findByText(section, /This code is not right/);
      expect(queryByText(section, EMAIL)).not.toBeNull();

      type(await findByLabelText(section, "Code from the mail"), fake.server.codeFor("hana@example.com"));
      await press(section, "Confirm");

      await findByText(section, /The email address is changed/);
      await findByText(section, "hana@example.com");
      expect(fake.client.getSnapshot().user?.email).toBe("hana@example.com");
    });

    test("a mistyped new address is typed again", async () => {
      const fake = await signedIn();
      const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
      await press(section, "Change the email address");
      type(await findByLabelText(section, "New email address"), "typo@example.com");
      type(await findByLabelText(section, "Current password"), PASSWORD);
      await press(section, "Send me a code");
      await press(section, "Use another address or have a new code sent");
      const address = await findByLabelText(section, "New email address");
      await waitFor(() => expect(document.activeElement).toBe(address));
    });
  });

  describe("UserProfile's trusted devices", () => {
    test("are listed, and asked again once the person says so", async () => {
      const fake = await longSignedIn();
      fake.server.factors.trust(EMAIL);
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await sectionOf(root, "Browsers that are not asked");
      expect(within(section).getByRole("listitem").textContent).toMatch(/Firefox, Linux.*Last used.*until/);
      await press(section, "Ask again on Firefox, Linux");

      await findByText(section, /asked for there again/);
      expect(within(section).queryByRole("listitem")).toBeNull();
      await waitFor(() => expect(document.activeElement?.textContent).toBe("Browsers that are not asked"));
    });

    test("take no room where there are none", async () => {
      const root = show({ component: "UserProfile", client: (await signedIn()).client });
      await findByText(await sectionOf(root, "Sign-in history"), "Signed in");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(queryByText(root, "Browsers that are not asked")).toBeNull();
    });
  });

  describe("UserProfile's history", () => {
    const eventsFrom = (first: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({
        event: at === 1 ? "brand_new" : "login",
        outcome: at === 0 ? "failure" : "success",
        method: "pwd",
        at: `2026-01-01T00:00:${String(first + at).padStart(2, "0")}Z`,
        ip: "192.0.2.1",
        place: at === 0 ? "Kyoto" : "",
        device: "Firefox on Linux",
      }));

    test("says what happened, whether it was refused, when, on which device and where", async () => {
      const fake = await signedIn();
      const asked: string[] = [];
      fake.browser.intercept = async (request) => {
        const url = new URL(request.url);
        if (!url.pathname.endsWith("/auth/history")) return undefined;
        asked.push(url.searchParams.get("after") ?? "");
        return asked.length === 1
          ? Response.json({ events: eventsFrom(0, 12), next: "p/2" })
          : Response.json({ events: eventsFrom(12, 3), next: null });
      };
      const section = await sectionOf(show({ component: "UserProfile", client: fake.client }), "Sign-in history");
      const items = () => within(section).getAllByRole("listitem");
      await waitFor(() => expect(items()).toHaveLength(10));
      expect(items()[0]?.textContent).toMatch(/A sign-in was refused.*Refused.*2026.*Firefox on Linux · Kyoto/);
      expect(items()[1]?.textContent).toMatch(/brand new/);
      expect(items()[2]?.textContent).toMatch(/Signed in.*192\.0\.2\.1/);

      await press(section, "Show earlier entries");
      await waitFor(() => expect(items()).toHaveLength(15));
      expect(asked).toEqual(["", "p/2"]);
      await findByText(section, "Entries shown: 15");
      expect(queryByText(section, "Show earlier entries")).toBeNull();
      await waitFor(() => expect(document.activeElement).toBe(items()[10]));
    });

    test("a history that cannot be had costs nothing else of the page, and can be asked for again", async () => {
      const fake = await signedIn();
      fake.browser.intercept = async (request) =>
        request.url.endsWith("/auth/history")
          ? Response.json({ error: "service_unavailable", message: "" }, { status: 503 })
          : undefined;
      const root = show({ component: "UserProfile", client: fake.client });
      const section = await sectionOf(root, "Sign-in history");
      await findByText(section, /The server is busy/);
      await findByRole(root, "heading", { name: "Profile" });
      fake.browser.intercept = undefined;
      await press(section, "Load the history again");
      await findByText(section, "Signed in");
    });

    test("a change is in it at once", async () => {
      const fake = await signedIn();
      const root = show({ component: "UserProfile", client: fake.client });
      await findByText(await sectionOf(root, "Sign-in history"), "Signed in");
      const asked = () => fake.browser.requests.filter(({ url }) => url.includes("/auth/history")).length;
      const before = asked();
      const section = await sectionOf(root, "Address and password");
      await press(section, "Change the password");
      type(await findByLabelText(section, "Current password"), PASSWORD);
      type(await findByLabelText(section, "New password"), "eight grey herons");
      await press(section, "Change the password");
      await findByText(section, /The password is changed/);

      await waitFor(() => expect(asked()).toBe(before + 1));
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
      const devices = await findByRole(root, "region", { name: "Signed-in devices" });
      const [first, second] = within(devices).getAllByRole("listitem");
      expect([first, second].map((item) => item?.textContent?.includes("This device"))).toEqual([false, true]);

      first?.querySelector("button")?.click();

      await findByText(root, "The device is signed out.");
      await waitFor(() => expect(within(devices).getAllByRole("listitem")).toHaveLength(1));
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

    test("asks somebody with a second factor for it before the account is closed", async () => {
      const fake = await longSignedIn();
      const onWithdrawn = vi.fn();
      const root = show({ component: "UserProfile", client: fake.client, props: { onWithdrawn } });
      (await findByText(root, "Close the account")).click();
      type(await findByLabelText(root, "Password"), PASSWORD);
      await press(root, "Close the account for good");
      await dialogOf(root);
      expect(onWithdrawn).not.toHaveBeenCalled();
      await prove(root, fake);

      await waitFor(() => expect(onWithdrawn).toHaveBeenCalledTimes(1));
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
