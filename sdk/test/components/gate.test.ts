/** What is shown to whom, and pages from a server, in React and in Vue alike. */

import { findByLabelText, findByText, queryByText, waitFor } from "@testing-library/dom";
import { version } from "react";
import { describe, expect, test, vi } from "vitest";
import { createAuthClient } from "../../src/core/index.js";
import { createFakeAuth } from "../../src/testing/index.js";
import { EMAIL, fakeAuth, handsOn, hold, PASSWORD, place, signedIn, undo } from "./hands.js";
import { TWINS, type Wanted } from "./twins.js";

describe.each(TWINS)("$name", ({ mount, render, hydrate }) => {
  const { show, fillIn, press } = handsOn(mount);

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
