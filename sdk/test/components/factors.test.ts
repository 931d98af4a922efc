/** The second factors of the account page, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor, within } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import { EMAIL, handsOn, PASSWORD, signedIn, type } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, press, dialogOf, sectionOf, longSignedIn, prove } = handsOn(mount);

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
});
