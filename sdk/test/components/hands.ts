/** What the tests of the components have in common: an account, a page that must not complain, and hands. */

import { findByLabelText, findByRole } from "@testing-library/dom";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { createFakeAuth, type FakeAuth, type FakeAuthOptions } from "../../src/testing/index.js";
import type { Twin, Wanted } from "./twins.js";

export const EMAIL = "hanako@example.com";
export const PASSWORD = "seven white cranes";

export const undo: (() => void)[] = [];

/** What the frameworks complain of: a wrong attribute, a missing key, a state set too late. */
const complaints: unknown[][] = [];

beforeEach(() => {
  complaints.splice(0);
  for (const level of ["error", "warn"] as const)
    vi.spyOn(console, level).mockImplementation((...words) => void complaints.push(words));
});

afterEach(() => {
  expect(complaints).toEqual([]);
  for (const one of undo.splice(0)) one();
  document.body.innerHTML = "";
  sessionStorage.clear();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

export const fakeAuth = (options: FakeAuthOptions = {}): FakeAuth =>
  createFakeAuth({ accounts: { [EMAIL]: PASSWORD }, ...options });

export const signedIn = async (options: FakeAuthOptions = {}): Promise<FakeAuth> => {
  const fake = fakeAuth(options);
  await fake.client.signIn({ email: EMAIL, password: PASSWORD });
  return fake;
};

export const place = (): HTMLElement => document.body.appendChild(document.createElement("div"));

export const type = (input: HTMLElement, text: string): void => {
  (input as HTMLInputElement).value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};

export const loginCalls = (fake: FakeAuth) =>
  fake.browser.requests.filter((request) => request.url.endsWith("/auth/login")).length;

/** Hold every answer of the server back until the returned function is called. */
export const hold = (fake: FakeAuth, path: string): (() => void) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  fake.browser.intercept = async (request) => {
    if (request.url.endsWith(path)) await opened;
    return undefined;
  };
  return open;
};

/** Return what a person does on a page whose components `mount` draws. */
export function handsOn(mount: Twin["mount"]) {
  const show = (wanted: Omit<Wanted, "locale"> & Partial<Wanted>): HTMLElement => {
    const root = place();
    undo.push(mount({ locale: "en", ...wanted }, root));
    return root;
  };

  const fillIn = async (root: HTMLElement, email = EMAIL, password = PASSWORD) => {
    type(await findByLabelText(root, "Email address"), email);
    type(await findByLabelText(root, /^(Password|Choose a password)$/), password);
  };

  const press = async (root: HTMLElement, name: string) => (await findByRole(root, "button", { name })).click();

  const dialogOf = async (root: HTMLElement) => findByRole(root, "dialog", { name: "Please confirm that it is you" });
  const sectionOf = async (root: HTMLElement, name: string) => findByRole(root, "region", { name });

  /** Somebody with an authenticator app, who signed in long ago. */
  const longSignedIn = async (): Promise<FakeAuth> => {
    const fake = fakeAuth();
    fake.server.factors.enrol(EMAIL);
    const asked = await fake.client.signIn({ email: EMAIL, password: PASSWORD });
    if (asked.status !== "second_factor_required") throw new Error("no second factor was asked for");
    await fake.client.secondFactor({ ...asked, method: "totp", code: fake.server.factors.code });
    fake.server.age();
    return fake;
  };

  /** Give the code that the dialog asks for. */
  const prove = async (root: HTMLElement, fake: FakeAuth) => {
    const dialog = await dialogOf(root);
    type(await findByLabelText(dialog, "Code"), fake.server.factors.code);
    await press(dialog, "Confirm");
  };

  return { show, fillIn, press, dialogOf, sectionOf, longSignedIn, prove };
}
