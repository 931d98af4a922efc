/** A second factor that is required and was not shown: said, with the way to it, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByText, waitFor } from "@testing-library/dom";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { describe, expect, test, vi } from "vitest";
import { createApp, h } from "vue";
import { AuthProvider, useSession } from "../../src/react/index.js";
import type { FakeAuth, FakeAuthOptions } from "../../src/testing/index.js";
import { authPlugin, useSession as useSessionInVue } from "../../src/vue/index.js";
import { EMAIL, fakeAuth, handsOn, PASSWORD, place, type, undo } from "./hands.js";
import { TWINS } from "./twins.js";

const TEXT =
  "Your account needs a second factor for what you may do here. Until you have shown one, those rights are off.";

const required = (options: FakeAuthOptions = {}): FakeAuth => {
  const fake = fakeAuth(options);
  fake.server.required.add(EMAIL);
  return fake;
};

const signedIn = async (): Promise<FakeAuth> => {
  const fake = required();
  await fake.client.signIn({ email: EMAIL, password: PASSWORD });
  return fake;
};

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, fillIn, press, dialogOf, sectionOf } = handsOn(mount);

  test("SignIn says so after the sign-in, and where to go", async () => {
    const fake = required();
    const onDone = vi.fn();
    const root = show({ component: "SignIn", client: fake.client, props: { onDone, accountUrl: "/me" } });
    await fillIn(root);
    await press(root, "Sign in");

    const said = await findByText(root, TEXT);
    expect(onDone).toHaveBeenCalledOnce();
    await waitFor(() => expect(document.activeElement).toBe(said));
    const link = await findByRole(root, "link", { name: "Set one up" });
    expect(link.getAttribute("href")).toBe("/me");
    await findByRole(root, "heading", { name: "A second factor is needed" });
  });

  test("SignIn says so in Japanese, without a link where there is no account page", async () => {
    const fake = required({ locale: "ja" });
    const root = show({ component: "SignIn", client: fake.client, locale: "ja" });
    type(await findByLabelText(root, "メールアドレス"), EMAIL);
    type(await findByLabelText(root, "パスワード"), PASSWORD);
    await press(root, "サインイン");

    await findByText(root, "お使いの権限には第二要素が必要です。第二要素を示すまで、その権限は使えません。");
    expect(root.querySelector("a")).toBeNull();
  });

  test("UserProfile leads to the enrolment, and says nothing more once that is done", async () => {
    const fake = await signedIn();
    const root = show({ component: "UserProfile", client: fake.client });
    await sectionOf(root, "A second factor is needed");
    await press(root, "Set one up");
    type(await findByLabelText(root, "Code"), fake.server.factors.code);
    await press(root, "Confirm");

    await findByText(root, "Your recovery codes");
    await waitFor(() => expect(queryByText(root, TEXT)).toBeNull());
  });

  test("UserProfile asks for the factor that there is", async () => {
    const fake = await signedIn();
    fake.server.factors.enrol(EMAIL);
    const root = show({ component: "UserProfile", client: fake.client });
    await press(root, "Show it now");
    const dialog = await dialogOf(root);
    type(await findByLabelText(dialog, "Code"), fake.server.factors.code);
    await press(dialog, "Confirm");

    await waitFor(() => expect(queryByText(root, TEXT)).toBeNull());
    expect(fake.client.getSnapshot().session?.acr_required).toBeUndefined();
  });

  test("codes by mail are not what is wanting", async () => {
    const fake = await signedIn();
    fake.server.factors.enrol(EMAIL, "email");
    const root = show({ component: "UserProfile", client: fake.client });
    await press(root, "Set one up");
    await findByText(root, "JBSW Y3DP EHPK 3PXP");
  });

  test("a list that cannot be had is said in the notice, which stays", async () => {
    const fake = await signedIn();
    fake.server.factors.enrol(EMAIL);
    const root = show({ component: "UserProfile", client: fake.client });
    const notice = await sectionOf(root, "A second factor is needed");
    await findByRole(notice, "button", { name: "Show it now" });
    fake.browser.intercept = async (request) =>
      request.url.endsWith("/auth/factors")
        ? Response.json({ error: "service_unavailable", message: "" }, { status: 503 })
        : undefined;
    await press(notice, "Show it now");
    await findByText(notice, /The server is busy/);
  });

  test("UserProfile says nothing to who needs no second factor", async () => {
    const fake = fakeAuth();
    await fake.client.signIn({ email: EMAIL, password: PASSWORD });
    const root = show({ component: "UserProfile", client: fake.client });
    await sectionOf(root, "Profile");
    expect(queryByText(root, TEXT)).toBeNull();
  });
});

test("useSession of React tells what is wanting", async () => {
  const { client } = await signedIn();
  const root = place();
  const Wanting = () => createElement("p", null, useSession()?.acr_required ?? "nothing");
  const drawn = createRoot(root);
  undo.push(() => drawn.unmount());
  drawn.render(createElement(AuthProvider, { client }, createElement(Wanting)));
  await findByText(root, "aal2");
});

if (!process.env["ONLY_REACT"])
  test("useSession of Vue tells what is wanting", async () => {
    const { client } = await signedIn();
    const root = place();
    const app = createApp({
      setup: () => {
        const session = useSessionInVue();
        return () => h("p", session.value?.acr_required ?? "nothing");
      },
    });
    undo.push(() => app.unmount());
    app.use(authPlugin, { client }).mount(root);
    await findByText(root, "aal2");
  });
