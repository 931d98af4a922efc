/** The recovery address on the account page, in React and in Vue alike. */

import { findByLabelText, findByRole, findByText, queryByRole, queryByText, waitFor } from "@testing-library/dom";
import { describe, expect, test } from "vitest";
import type { FakeAuth } from "../../src/testing/index.js";
import { EMAIL, handsOn, PASSWORD, signedIn, type } from "./hands.js";
import { TWINS } from "./twins.js";

const SECOND = "hanako.home@example.org";

describe.each(TWINS)("$name", ({ mount }) => {
  const { show, press, sectionOf, dialogOf, longSignedIn, prove } = handsOn(mount);
  const CHANGE = "Change the recovery address";
  const REMOVE = "Remove the recovery address";
  const SET = "The recovery address is set. We have told both addresses.";

  const credentialsOf = (root: HTMLElement) => sectionOf(root, "Address and password");

  const withRecovery = async (fake: FakeAuth): Promise<void> => {
    await fake.client.recoveryEmail.sendCode({ email: SECOND, password: PASSWORD });
    await fake.client.recoveryEmail.verifyCode({ email: SECOND, code: fake.server.codeFor(SECOND) });
  };

  test("it is set by the code that was mailed there, and shown (N-23)", async () => {
    const fake = await signedIn();
    const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
    await findByText(section, /^None\. With one/);
    await press(section, CHANGE);
    await findByText(section, /You cannot sign in with it\./);
    const address = await findByLabelText(section, "Recovery address");
    await waitFor(() => expect(document.activeElement).toBe(address));
    type(address, EMAIL);
    type(await findByLabelText(section, "Current password"), PASSWORD);
    await press(section, "Send me a code");
    await findByText(section, /You sign in with this address/);
    type(await findByLabelText(section, "Recovery address"), SECOND);
    await press(section, "Send me a code");
    const code = await findByLabelText(section, "Code from the mail");
    await waitFor(() => expect(document.activeElement).toBe(code));
    type(code, "999999");
    await press(section, "Confirm");
    await findByText(section, /This code is not right/);
    expect(await fake.client.recoveryEmail.get()).toBeNull();
    type(await findByLabelText(section, "Code from the mail"), fake.server.codeFor(SECOND));
    await press(section, "Confirm");

    await findByText(section, SET);
    await findByText(section, SECOND);
    expect(await fake.client.recoveryEmail.get()).toMatchObject({ email: SECOND });
  });

  test("it is removed, after a fresh proof where that is wanted (N-23, V7.5.1)", async () => {
    const fake = await signedIn();
    await withRecovery(fake);
    fake.server.age();
    const root = show({ component: "UserProfile", client: fake.client });
    const section = await credentialsOf(root);
    await findByText(section, SECOND);
    await press(section, REMOVE);
    const dialog = await dialogOf(root);
    type(await findByLabelText(dialog, "Password"), PASSWORD);
    await press(dialog, "Confirm");

    await findByText(section, "The recovery address is removed.");
    expect(queryByText(section, SECOND)).toBeNull();
    expect(queryByRole(section, "button", { name: REMOVE })).toBeNull();
    const change = await findByRole(section, "button", { name: CHANGE });
    await waitFor(() => expect(document.activeElement).toBe(change));
    expect(await fake.client.recoveryEmail.get()).toBeNull();
  });

  test("somebody with a second factor shows it first, and what was typed is sent once more", async () => {
    const fake = await longSignedIn();
    const root = show({ component: "UserProfile", client: fake.client });
    const section = await credentialsOf(root);
    await press(section, CHANGE);
    type(await findByLabelText(section, "Recovery address"), SECOND);
    type(await findByLabelText(section, "Current password"), PASSWORD);
    await press(section, "Send me a code");
    await prove(root, fake);

    await findByText(section, new RegExp(`We sent a code to ${SECOND}`));
  });

  test("one that becomes the account's own address is none any more", async () => {
    const fake = await signedIn();
    await withRecovery(fake);
    const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
    await findByText(section, SECOND);
    await press(section, "Change the email address");
    type(await findByLabelText(section, "New email address"), SECOND);
    type(await findByLabelText(section, "Current password"), PASSWORD);
    await press(section, "Send me a code");
    type(await findByLabelText(section, "Code from the mail"), fake.server.codeFor(SECOND));
    await press(section, "Confirm");

    await findByText(section, /The email address is changed/);
    await findByText(section, /^None\. With one/);
  });

  test("one that is gone already is said to be gone", async () => {
    const fake = await signedIn();
    await withRecovery(fake);
    const section = await credentialsOf(show({ component: "UserProfile", client: fake.client }));
    await findByText(section, SECOND);
    await fake.client.recoveryEmail.remove();
    await press(section, REMOVE);

    await findByText(section, /There is nothing here/);
  });
});
