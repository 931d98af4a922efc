/** The way back after a forgotten password, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import type { FakeAuth } from "../../src/testing/index.js";
import { EMAIL, fakeAuth, handsOn, type } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, fillIn, press } = handsOn(mount);

  describe("SignIn after a forgotten password", () => {
    const NEXT = "eight grey herons";

    const toCode = async (fake: FakeAuth, root: HTMLElement): Promise<string> => {
      type(await findByLabelText(root, "Email address"), EMAIL);
      await press(root, "Forgot your password?");
      await findByRole(root, "heading", { name: "Reset the password" });
      await press(root, "Send the code");
      await findByText(
        root,
        /If hanako@example.com has an account here, we have sent a code to it, .* The code works for 15/,
      );
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

    test("says why no code by mail is offered beside the app until the app was used once (V6.4.3)", async () => {
      const fake = fakeAuth();
      fake.server.factors.enrol(EMAIL);
      fake.server.factors.enrol(EMAIL, "email");
      const root = show({ component: "SignIn", client: fake.client });
      const code = await toCode(fake, root);
      type(await findByLabelText(root, "Code from the mail"), code);
      await press(root, "Confirm");
      type(await findByLabelText(root, "Choose a password"), NEXT);
      await press(root, "Set the password");
      type(await findByLabelText(root, "Password"), NEXT);
      await press(root, "Sign in");
      await findByText(root, /one mailbox is not enough for both steps/);
      expect(queryByText(root, "Use a code by mail")).toBeNull();
      type(await findByLabelText(root, "Code"), fake.server.factors.code);
      await press(root, "Sign in");
      await waitFor(() => expect(fake.client.getSnapshot().status).toBe("signed_in"));

      await fake.client.signOut();
      const again = show({ component: "SignIn", client: fake.client });
      await fillIn(again, EMAIL, NEXT);
      await press(again, "Sign in");
      await findByText(again, "Use a code by mail");
      expect(queryByText(again, /one mailbox is not enough/)).toBeNull();
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
});
