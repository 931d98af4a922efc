/** Who is signed in, and the menu, in React and in Vue alike. */

import { findByRole, waitFor } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import { EMAIL, handsOn, signedIn } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, press } = handsOn(mount);

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
});
