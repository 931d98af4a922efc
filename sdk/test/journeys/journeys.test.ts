/** The journeys of the core's tests, against the real server. */

import { describe, expect, inject, test } from "vitest";
import { type AuthClient, type AuthEvent, createAuthClient, type PendingSignUp } from "../../src/core/index.js";
import { errorText, fieldTexts } from "../../src/texts/index.js";
import { type NodeBrowser, nodeBrowser } from "../support/node_browser.js";
import { codeFor, newEmail, warningCodeFor } from "../support/people.js";
import { totp } from "../support/totp.js";

const SERVER = inject("server");
const PASSWORD = "seven white cranes";

const client = (
  browser: NodeBrowser,
  transport: "cookie" | "session" | "body" = "cookie",
  locale = "en",
  clientId = "web",
): AuthClient => {
  const ports = browser.tab();
  const common = { baseUrl: SERVER, clientId, ports, locale };
  return transport === "body" && ports.storage
    ? createAuthClient({ ...common, transport, storage: ports.storage })
    : createAuthClient({ ...common, transport: transport === "session" ? "session" : "cookie" });
};

async function signedUp(auth: AuthClient, email = newEmail()): Promise<string> {
  const sent: PendingSignUp = await auth.signUp({ email, password: PASSWORD });
  await auth.confirmSignUp({ ...sent, code: await codeFor(SERVER, email) });
  return email;
}

describe.each(["cookie", "session", "body"] as const)("over transport %s", (transport) => {
  test("sign up, reload, use, sign out", async () => {
    const browser = nodeBrowser(SERVER);
    const auth = client(browser, transport);
    const email = await signedUp(auth);
    const session = auth.getSnapshot().session;

    const reloaded = client(browser, transport);
    const found = await reloaded.getSession();
    expect(found?.user.email).toBe(email);
    expect(found?.session.id).toBe(session?.id);
    expect((await reloaded.getAccessToken()) === null).toBe(transport === "session");

    await reloaded.profile.update({ name: "花子", locale: "ja" });
    expect(reloaded.getSnapshot().user).toMatchObject({ name: "花子", locale: "ja" });
    expect((await reloaded.sessions.list()).map((one) => one.current)).toEqual([true]);

    await reloaded.signOut();
    expect(reloaded.getSnapshot().status).toBe("signed_out");
    expect(await client(browser, transport).getSession()).toBeNull();
  });

  test("forget the password, get a new one, change it, take another address", async () => {
    const browser = nodeBrowser(SERVER);
    const auth = client(browser, transport);
    const email = await signedUp(auth);
    const other = client(nodeBrowser(SERVER), transport);

    expect(await other.passwordReset.sendCode({ email })).toMatchObject({ email, expires_in: 600 });
    await expect(other.passwordReset.verifyCode({ email, code: "12345" })).rejects.toMatchObject({ status: 400 });
    const { reset_token } = await other.passwordReset.verifyCode({ email, code: await codeFor(SERVER, email) });
    await expect(other.passwordReset.complete({ reset_token, password: "abc" })).rejects.toMatchObject({
      details: { password: "too_short" },
    });
    await other.passwordReset.complete({ reset_token, password: "eight black cranes" });
    await expect(other.passwordReset.complete({ reset_token, password: "nine" })).rejects.toMatchObject({
      code: "reset_token_invalid",
    });
    expect(other.getSnapshot().user).toBeNull();
    await expect(auth.sessions.list()).rejects.toMatchObject({ status: 401 });

    await other.signIn({ email, password: "eight black cranes" });
    const wrong = { current_password: PASSWORD, password: "nine grey cranes" };
    await expect(other.password.change(wrong)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(await other.password.change({ ...wrong, current_password: "eight black cranes" })).toBe(0);

    const next = newEmail();
    await other.email.sendCode({ email: next, password: "nine grey cranes" });
    const user = await other.email.verifyCode({ email: next, code: await codeFor(SERVER, next) });
    expect([user.email, other.getSnapshot().user?.email]).toEqual([next, next]);
    await other.signOut();
    expect((await other.signIn({ email: next, password: "nine grey cranes" })).status).toBe("signed_in");
  });

  test("come back by a recovery address, and remove it (N-23)", async () => {
    const auth = client(nodeBrowser(SERVER), transport);
    const email = await signedUp(auth);
    const second = newEmail();
    expect(await auth.recoveryEmail.get()).toBeNull();
    await expect(auth.recoveryEmail.remove()).rejects.toMatchObject({ code: "not_found" });
    await auth.recoveryEmail.sendCode({ email: second, password: PASSWORD });
    const taken = await auth.recoveryEmail.verifyCode({ email: second, code: await codeFor(SERVER, second) });
    expect(taken.email).toBe(second);
    expect(await auth.recoveryEmail.get()).toEqual(taken);

    const other = client(nodeBrowser(SERVER), transport);
    await other.passwordReset.sendCode({ email });
    const { reset_token } = await other.passwordReset.verifyCode({ email, code: await codeFor(SERVER, second) });
    await other.passwordReset.complete({ reset_token, password: "eight black cranes" });
    await other.signIn({ email, password: "eight black cranes" });
    await other.recoveryEmail.remove();
    expect(await other.recoveryEmail.get()).toBeNull();
  });

  test("hear of a change by mail, say that it was somebody else, and everything ends", async () => {
    const auth = client(nodeBrowser(SERVER), transport);
    const email = await signedUp(auth);
    await auth.password.change({ current_password: PASSWORD, password: "eight black cranes" });
    const code = await warningCodeFor(SERVER, email);

    const owner = client(nodeBrowser(SERVER), transport);
    const wrong = owner.notMe({ email, code: "0000-0000-0000-0000" });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_code" });
    await owner.notMe({ email, code });
    await expect(auth.sessions.list()).rejects.toMatchObject({ status: 401 });
    const again = owner.signIn({ email, password: "eight black cranes" });
    await expect(again).rejects.toMatchObject({ code: "invalid_credentials" });
  });

  test("ten refreshes in a row and ten at once keep the session", async () => {
    const browser = nodeBrowser(SERVER);
    const auth = client(browser, transport);
    await signedUp(auth);
    const tabs = Array.from({ length: 5 }, () => client(browser, transport));
    await Promise.all(tabs.map((tab) => tab.getSession()));

    for (let round = 0; round < 10; round += 1) await auth.refresh();
    for (let round = 0; round < 10; round += 1) await Promise.all(tabs.map((tab) => tab.refresh()));

    expect(tabs.map((tab) => tab.getSnapshot().status)).toEqual(Array(5).fill("signed_in"));
  });

  test("an app that requires a second factor is told so until one was shown", async () => {
    const browser = nodeBrowser(SERVER);
    const auth = client(browser, transport, "en", "console");
    await signedUp(auth);
    expect(auth.getSnapshot().session?.acr_required).toBe("aal2");
    const reloaded = client(browser, transport, "en", "console");
    expect((await reloaded.getSession())?.session.acr_required).toBe("aal2");

    const { id, secret = "" } = await auth.factors.enrol({ kind: "totp" });
    await auth.factors.confirm(id, totp(secret));
    const session = (await auth.getSession())?.session;
    expect(session?.acr_required).toBeUndefined();
    await expect(client(browser, transport, "en", "console").getSession()).resolves.toMatchObject({ session });
  });

  test("a session that another device ended is noticed", async () => {
    const auth = client(nodeBrowser(SERVER), transport);
    const events: AuthEvent[] = [];
    auth.onAuthStateChange((event) => events.push(event));
    const email = await signedUp(auth);
    const phone = client(nodeBrowser(SERVER), "body");
    await phone.signIn({ email, password: PASSWORD });

    expect(await phone.sessions.endOthers()).toBe(1);
    await expect(auth.sessions.list()).rejects.toMatchObject({ status: 401 });
    await new Promise((resolve) => setTimeout(resolve, 0));

    expect(auth.getSnapshot().status).toBe("signed_out");
    expect(events.at(-1)?.type).toBe("SIGNED_OUT");
  });

  test("withdrawal wants the password, and then nothing is left", async () => {
    const auth = client(nodeBrowser(SERVER), transport);
    const email = await signedUp(auth);

    await expect(auth.withdraw({ password: "wrong" })).rejects.toMatchObject({
      code: "invalid_credentials",
      status: 401,
    });
    expect(auth.getSnapshot().status).toBe("signed_in");
    await auth.withdraw({ password: PASSWORD });

    expect(auth.getSnapshot().status).toBe("signed_out");
    await expect(auth.signIn({ email, password: PASSWORD })).rejects.toMatchObject({ code: "invalid_credentials" });
  });
});

describe("refusals", () => {
  test.each(["en", "ja"] as const)("come in the person's language, field by field (%s)", async (locale) => {
    const auth = client(nodeBrowser(SERVER), "cookie", locale);

    const refused = await auth.signUp({ email: "nobody", password: "short" }).catch((cause) => cause);

    expect(refused).toMatchObject({ name: "AuthError", code: "validation_error", status: 400, retryable: false });
    const texts = fieldTexts(refused, locale);
    if (texts["password"] !== undefined) expect(texts["password"]).toContain("8");
    expect(Object.keys(texts).length).toBeGreaterThan(0);
    expect(refused.message.startsWith(errorText(refused, locale))).toBe(true);
  });

  test("a short password is told its least length", async () => {
    const auth = client(nodeBrowser(SERVER));
    const refused = await auth.signUp({ email: newEmail(), password: "short" }).catch((cause) => cause);

    expect(fieldTexts(refused, "en")["password"]).toMatch(/^Use at least 8 characters\. One word alone /);
    expect(fieldTexts(refused, "ja")["password"]).toMatch(/^短すぎます。もっと長くしてください。単語ひとつだけでは/);
  });

  test("a wrong code is refused, and the right one still works; a code sent again replaces it", async () => {
    const auth = client(nodeBrowser(SERVER));
    const email = newEmail();
    const sent = await auth.signUp({ email, password: PASSWORD });
    const code = await codeFor(SERVER, email);
    const wrong = code === "000000" ? "000001" : "000000";

    await expect(auth.confirmSignUp({ ...sent, code: wrong })).rejects.toMatchObject({ code: "invalid_code" });
    const again = await auth.resendCode(sent);
    const newer = await codeFor(SERVER, email);
    if (newer !== code) {
      await expect(auth.confirmSignUp({ ...again, code })).rejects.toMatchObject({ code: "invalid_code" });
    }
    expect((await auth.confirmSignUp({ ...again, code: newer })).user.email).toBe(email);
  });

  test("too many tries say how long to wait", async () => {
    const auth = client(nodeBrowser(SERVER));
    const email = newEmail();
    const tries = async () => auth.signIn({ email, password: "wrong" }).catch((cause) => cause);
    for (let turn = 0; turn < 5; turn += 1) expect((await tries()).code).toBe("invalid_credentials");

    const refused = await tries();

    expect(refused).toMatchObject({ code: "rate_limit_exceeded", status: 429, retryable: true });
    expect(refused.retryAfter).toBeGreaterThan(0);
  });

  test("what a page makes up opens nothing: the server decides (V7.2.1)", async () => {
    const auth = client(nodeBrowser(SERVER));
    const forged = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"somebody","exp":9999999999}')}.`.replaceAll("=", "");

    const answer = await fetch(`${SERVER}/api/v1/auth/session`, { headers: { Authorization: `Bearer ${forged}` } });

    expect(answer.status).toBe(401);
    expect(await auth.getSession()).toBeNull();
    await expect(auth.profile.get()).rejects.toMatchObject({ status: 401 });
  });

  test("a page of a foreign origin is refused", async () => {
    const auth = client(nodeBrowser("https://evil.example"));

    await expect(auth.signIn({ email: newEmail(), password: PASSWORD })).rejects.toMatchObject({ code: "csrf_failed" });
  });
});

describe("two people in one browser", () => {
  test("the first page is told the truth, and the second person stays signed in", async () => {
    const browser = nodeBrowser(SERVER);
    const silent = () => ({ ...browser.tab(), openChannel: () => ({ post: () => {}, close: () => {} }) });
    const page = () => createAuthClient({ baseUrl: SERVER, clientId: "web", ports: silent() });
    const [first, second] = [page(), page()];
    const hanako = await signedUp(first);
    const taro = await signedUp(second);
    expect(first.getSnapshot().user?.email).toBe(hanako);

    await first.refresh();

    expect(first.getSnapshot().user?.email).toBe(taro);
    await second.refresh();
    expect(second.getSnapshot().user?.email).toBe(taro);
  });

  test("a sign-out of the first page does not end the session of the second person", async () => {
    const browser = nodeBrowser(SERVER);
    const silent = () => ({ ...browser.tab(), openChannel: () => ({ post: () => {}, close: () => {} }) });
    const page = () => createAuthClient({ baseUrl: SERVER, clientId: "web", ports: silent() });
    const [first, second] = [page(), page()];
    await signedUp(first);
    const taro = await signedUp(second);

    await first.signOut();

    expect(first.getSnapshot().status).toBe("signed_out");
    await second.refresh();
    expect(second.getSnapshot().user?.email).toBe(taro);
  });
});
