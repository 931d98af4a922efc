/** Signing in, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, waitFor } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import { EMAIL, fakeAuth, handsOn, hold, loginCalls, PASSWORD, type } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, fillIn, press } = handsOn(mount);

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
      await findByText(root, /takes longer than usual/, {}, { timeout: 20_000 });
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
    await vi.waitFor(() => expect(onDone).toHaveBeenCalled(), { timeout: 20_000 });
    await fake.client.signOut();
    expect((await fake.client.signIn({ email: EMAIL, password: PASSWORD })).status).toBe("signed_in");
  });
});
