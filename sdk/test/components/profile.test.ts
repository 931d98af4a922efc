/** The account page: profile, devices, history, leaving, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor, within } from "@testing-library/dom";
import { describe, expect, test, vi } from "vitest";
import { EMAIL, handsOn, PASSWORD, signedIn, type } from "./hands.js";
import { TWINS } from "./twins.js";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, press, dialogOf, sectionOf, longSignedIn, prove } = handsOn(mount);

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
});
