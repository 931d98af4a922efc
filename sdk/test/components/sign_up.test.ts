/** Signing up, in React and in Vue alike. */

import { findByLabelText, findByText, queryByText, waitFor } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import type { FakeAuth } from "../../src/testing/index.js";
import { fakeAuth, handsOn, PASSWORD, type, undo } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, fillIn, press } = handsOn(mount);

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
});
