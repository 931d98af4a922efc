/** Password and address on the account page, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor, within } from "@testing-library/dom";
import { describe, expect, test } from "vitest";
import { EMAIL, handsOn, PASSWORD, signedIn, type } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, press, sectionOf, longSignedIn, prove } = handsOn(mount);

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
});
