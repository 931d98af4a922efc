/** The three ways that tokens travel, and what a device keeps. */

import { describe, expect, test } from "vitest";
import { AuthError, createAuthClient, type SecondFactorRequired, type SignedIn } from "../../src/core/index.js";
import {
  API,
  answerInstead,
  atBrowser,
  EMAIL,
  PASSWORD,
  refusal,
  SERVER,
  settled,
  signedIn,
} from "../support/person.js";

const entered = (answer: SignedIn | SecondFactorRequired): SignedIn => {
  if (answer.status !== "signed_in") throw new Error("a second factor was asked for");
  return answer;
};

const transports = ["cookie", "session", "body"] as const;

describe.each(transports)("over transport %s", (transport) => {
  test("a person signs up, reloads and is still signed in, signs out and is not", async () => {
    const person = atBrowser({ transport });
    const sent = await person.client.signUp({ email: "taro@example.com", password: PASSWORD });
    const state = await person.client.confirmSignUp({ ...sent, code: person.server.codeFor("taro@example.com") });
    expect(state.user.email).toBe("taro@example.com");

    const reloaded = person.anotherTab();
    if (transport !== "body") expect((await reloaded.getSession())?.session).toEqual(state.session);

    await person.client.signOut();
    await settled();
    expect(await person.anotherTab().getSession()).toBeNull();
  });

  test("sessions are listed and ended", async () => {
    const person = await signedIn({ transport });
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const ports = { ...person.browser.tab(), openChannel: () => ({ post: () => {}, close: () => {} }) };
    const phone = createAuthClient({ baseUrl: SERVER, clientId: "phone", transport: "body", storage, ports });
    await phone.signIn({ email: EMAIL, password: PASSWORD });

    expect(await person.client.sessions.list()).toHaveLength(2);
    expect(await person.client.sessions.endOthers()).toBe(1);
    const mine = await person.client.sessions.list();
    expect(mine.map((session) => session.current)).toEqual([true]);
    await person.client.sessions.end(mine[0]?.id ?? "");

    expect(person.client.getSnapshot().status).toBe("signed_out");
  });

  test("a second factor finishes the sign-in, and a step-up keeps the session", async () => {
    const person = atBrowser({ transport });
    person.server.factors.enrol(EMAIL);
    const asked = await person.client.signIn({ email: EMAIL, password: PASSWORD });
    if (asked.status !== "second_factor_required") throw new Error("no second factor was asked for");
    expect(person.client.getSnapshot().status).not.toBe("signed_in");
    await person.client.sendFactorCode({ challenge: asked.challenge, method: "email" });
    const { challenge } = asked;
    const wrong = person.client.secondFactor({ challenge, method: "totp", code: "000000" });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_code" });
    const { session } = await person.client.secondFactor({
      challenge,
      method: "totp",
      code: person.server.factors.code,
    });

    person.server.age();
    const refused = person.client.factors.newRecoveryCodes();
    await expect(refused).rejects.toMatchObject({ code: "step_up_required", details: { acr: "aal2" } });
    await expect(person.client.stepUp({ password: PASSWORD })).rejects.toMatchObject({ code: "step_up_required" });
    await person.client.stepUp({ method: "totp", code: person.server.factors.code });
    expect(await person.client.factors.newRecoveryCodes()).toHaveLength(10);
    expect((await person.client.getSession())?.session.id).toBe(session.id);
  });

  test("a trusted device is not asked again until it is forgotten", async () => {
    const person = atBrowser({ transport });
    person.server.factors.enrol(EMAIL);
    person.server.factors.trustDays = 30;
    const asked = await person.client.signIn({ email: EMAIL, password: PASSWORD });
    if (asked.status !== "second_factor_required") throw new Error("no second factor was asked for");
    expect(asked.trust_days).toBe(30);
    const shown = { challenge: asked.challenge, method: "totp", code: person.server.factors.code };
    await person.client.secondFactor({ ...shown, trustDevice: true });
    await person.client.signOut();
    expect((await person.client.signIn({ email: EMAIL, password: PASSWORD })).status).toBe("signed_in");
    const [device] = await person.client.trustedDevices.list();
    await expect(person.client.trustedDevices.forget("../user/account")).rejects.toMatchObject({ code: "not_found" });
    await person.client.trustedDevices.forget(device?.id ?? "");
    await person.client.signOut();
    const again = await person.client.signIn({ email: EMAIL, password: PASSWORD });
    expect(again.status).toBe("second_factor_required");
  });

  test("factors are enrolled, named and removed", async () => {
    const { client, server } = await signedIn({ transport });
    const { id } = await client.factors.enrol({ kind: "totp", name: "Phone" });
    await expect(client.factors.confirm(id, "000000")).rejects.toMatchObject({ code: "invalid_code" });
    expect((await client.factors.confirm(id, server.factors.code)).recovery_codes).toHaveLength(10);
    expect((await client.factors.rename(id, "New phone")).name).toBe("New phone");
    await expect(client.factors.remove("../user/account")).rejects.toMatchObject({ code: "not_found" });
    await client.factors.remove(id);
    expect(await client.factors.list()).toMatchObject({ factors: [], recovery_codes: 0 });
  });

  test("what the role requires is known, and gone with its roles there once it was shown", async () => {
    const person = atBrowser({ transport });
    person.server.addAccount("admin@example.com", PASSWORD, { roles: ["admin"] });
    person.server.required.add("admin@example.com");
    const { user, session } = await person.client
      .signIn({ email: "admin@example.com", password: PASSWORD })
      .then(entered);
    expect([session.acr_required, user.roles]).toEqual(["aal2", []]);
    expect((await person.client.profile.get()).roles).toEqual(["admin"]);
    expect(person.client.getSnapshot().user?.roles, "the profile shows what the session may not wear").toEqual([]);
    if (transport !== "body") expect((await person.anotherTab().getSession())?.session).toEqual(session);

    const { id } = await person.client.factors.enrol({ kind: "totp" });
    await person.client.factors.confirm(id, person.server.factors.code);

    const after = await person.client.getSession();
    expect(after?.session).toEqual({ id: session.id, client_id: session.client_id, amr: session.amr });
    expect(after?.user.roles).toEqual(["admin"]);
  });

  test("a role that is given later is wanting from the next refresh on, until a step-up", async () => {
    const person = atBrowser({ transport });
    person.server.addAccount("admin@example.com", PASSWORD, { roles: ["admin"] });
    await person.client.signIn({ email: "admin@example.com", password: PASSWORD });
    person.server.factors.enrol("admin@example.com");
    expect(person.client.getSnapshot().user?.roles).toEqual(["admin"]);
    person.server.required.add("admin@example.com");

    await person.client.refresh();
    expect(person.client.getSnapshot()).toMatchObject({ user: { roles: [] }, session: { acr_required: "aal2" } });

    await person.client.stepUp({ method: "totp", code: person.server.factors.code });
    expect(person.client.getSnapshot().user?.roles).toEqual(["admin"]);
    expect(person.client.getSnapshot().session?.acr_required).toBeUndefined();
  });

  test("the history is read", async () => {
    const person = await signedIn({ transport });
    const { events, next } = await person.client.history();
    expect(events[0]).toMatchObject({ event: "login", outcome: "success", method: "pwd" });
    expect(next).toBeNull();
    await expect(person.client.history("a&b")).rejects.toMatchObject({ code: "validation_error" });
  });

  test("the account is changed and left", async () => {
    const person = await signedIn({ transport });
    expect((await person.client.profile.update({ name: "花子" })).name).toBe("花子");
    expect(person.client.getSnapshot().user?.name).toBe("花子");

    await expect(person.client.withdraw({ password: "wrong" })).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(person.client.getSnapshot().status).toBe("signed_in");
    await person.client.withdraw({ password: PASSWORD });

    expect(person.client.getSnapshot().status).toBe("signed_out");
    await expect(person.client.signIn({ email: EMAIL, password: PASSWORD })).rejects.toMatchObject({ status: 401 });
  });

  test("signing out all devices signs out this one too", async () => {
    const person = await signedIn({ transport });
    await person.client.signOut({ scope: "others" });
    expect(person.client.getSnapshot().status).toBe("signed_in");

    await person.client.signOut({ scope: "all" });
    expect(person.client.getSnapshot().status).toBe("signed_out");
  });
});

describe("cookie", () => {
  test("is what a client uses that is not told otherwise, and keeps no token where a script could read it (V14.3.3)", async () => {
    const person = await signedIn();
    await person.client.refresh();

    expect(person.browser.jar.has("sekisho-rt")).toBe(true);
    expect([...person.browser.stored.values()].join()).not.toMatch(/skr_|e30\./);
  });

  test("somebody who is not signed in costs one request", async () => {
    const person = atBrowser();
    await settled();

    expect(person.client.getSnapshot().status).toBe("signed_out");
    expect(person.browser.requests).toHaveLength(1);
  });

  test("a CSRF value that the page can read is read, not fetched", async () => {
    const person = await signedIn();
    const ports = {
      ...person.browser.tab(),
      origin: "https://auth.example.com:8443",
      readCookie: (name: string) => person.browser.jar.get(name),
    };
    const sent = person.browser.requests.length;

    await createAuthClient({ baseUrl: SERVER, clientId: "web", ports }).getSession();

    const paths = person.browser.requests.slice(sent).map((request) => new URL(request.url).pathname);
    expect(paths).toEqual(["/api/v1/auth/refresh", "/api/v1/auth/session"]);
  });

  test("a cookie of that name on another host is not taken for ours", async () => {
    const person = await signedIn();
    const ports = { ...person.browser.tab(), readCookie: () => "of somebody else" };

    await createAuthClient({ baseUrl: SERVER, clientId: "web", ports }).getSession();

    expect(person.browser.requests.some((request) => request.headers.get("X-CSRFToken") === "of somebody else")).toBe(
      false,
    );
  });
});

describe("session", () => {
  test("no token ever exists (V10.1.1)", async () => {
    const person = await signedIn({ transport: "session" });

    expect(await person.client.getAccessToken()).toBeNull();
    await person.client.authFetch(`${API}/a`);
    expect(person.browser.requests.some((request) => request.headers.has("Authorization"))).toBe(false);
  });

  test("the CSRF value is fetched before the first write, and not again", async () => {
    const person = await signedIn({ transport: "session" });
    const before = person.calls("/auth/csrf");
    await person.client.sessions.list();
    expect(person.calls("/auth/csrf")).toBe(before);

    await person.client.profile.update({ name: "a" });
    await person.client.profile.update({ name: "b" });

    expect(person.calls("/auth/csrf")).toBe(before + 1);
    expect(person.calls("/user/profile")).toBe(2);
  });

  test("a value that has become stale is repaired once, without the caller noticing", async () => {
    const person = await signedIn({ transport: "session" });
    await person.client.profile.update({ name: "a" });
    person.browser.jar.delete("csrftoken");

    expect((await person.client.profile.update({ name: "b" })).name).toBe("b");
    expect(person.calls("/user/profile")).toBe(3);
  });

  test("a page that is refused for good is told so after one repetition", async () => {
    const person = await signedIn({ transport: "session" });
    answerInstead(person, "/user/profile", () => refusal(403, "csrf_failed"));

    await expect(person.client.profile.update({ name: "b" })).rejects.toMatchObject({
      code: "csrf_failed",
      status: 403,
    });
    expect(person.calls("/user/profile")).toBe(2);
  });

  test("a session that has ended is noticed", async () => {
    const person = await signedIn({ transport: "session" });
    person.server.endSessions();

    await expect(person.client.sessions.list()).rejects.toMatchObject({ code: "session_revoked" });
    await settled();

    expect(person.events.at(-1)).toEqual({ type: "SIGNED_OUT", reason: "session_revoked" });
  });

  test("a refusal of an API that knows nothing of us signs nobody out", async () => {
    const person = await signedIn({ transport: "session" });
    person.browser.intercept = async (request) =>
      request.url.startsWith(API) ? new Response("no", { status: 401 }) : undefined;

    expect((await person.client.authFetch(`${API}/a`)).status).toBe(401);
    expect(person.client.getSnapshot().status).toBe("signed_in");
    expect(person.apiCalls()).toBe(1);
  });
});

describe("body", () => {
  test("wants a storage", () => {
    // @ts-expect-error: the types say so too
    expect(() => createAuthClient({ clientId: "app", transport: "body" })).toThrow(/storage/);
  });

  test("keeps the refresh token in the storage given, and only there", async () => {
    const person = atBrowser();
    const kept = new Map<string, string>();
    const storage = {
      getItem: async (key: string) => kept.get(key) ?? null,
      setItem: async (key: string, value: string) => void kept.set(key, value),
      removeItem: async (key: string) => void kept.delete(key),
    };
    const options = { baseUrl: SERVER, clientId: "app", transport: "body", storage } as const;
    const client = createAuthClient({ ...options, ports: person.browser.tab() });
    await client.signIn({ email: EMAIL, password: PASSWORD });
    const first = [...kept.values()].find((value) => value.startsWith("skr_"));
    await client.refresh();
    const second = [...kept.values()].find((value) => value.startsWith("skr_"));

    expect(first).toBeDefined();
    expect(second).not.toBe(first);
    expect([...person.browser.stored.values()].join()).not.toContain("skr_");
    const restarted = createAuthClient({ ...options, ports: person.browser.tab() });
    expect((await restarted.getSession())?.user.email).toBe(EMAIL);

    await restarted.signOut();
    expect([...kept.values()].join()).not.toContain("skr_");
  });

  test("without a token in the storage nobody is asked", async () => {
    const person = atBrowser({ transport: "body" });
    await settled();

    expect(person.client.getSnapshot().status).toBe("signed_out");
    expect(person.browser.requests).toHaveLength(0);
  });
});

describe("the device part of client_id", () => {
  const clientIds = async (person: ReturnType<typeof atBrowser>, use: () => Promise<unknown>) => {
    const seen: unknown[] = [];
    person.browser.intercept = async (request) => {
      if (request.method === "POST") seen.push(((await request.json()) as { client_id?: string }).client_id);
      return undefined;
    };
    await use();
    return seen;
  };

  test("is made once and kept over reloads", async () => {
    const person = atBrowser();
    const seen = await clientIds(person, async () => {
      await person.client.signIn({ email: EMAIL, password: PASSWORD });
      await person.anotherTab().getSession();
    });

    expect(new Set(seen)).toEqual(new Set(["web:device-1"]));
  });

  test("may be the caller's own", async () => {
    const person = atBrowser();
    const client = createAuthClient({ baseUrl: SERVER, clientId: "web:mine", ports: person.browser.tab() });

    expect(await clientIds(person, () => client.signIn({ email: EMAIL, password: PASSWORD }))).toEqual(["web:mine"]);
  });
});

describe("offline", () => {
  test("at the start is neither signed in nor out, and is found out once the network is back (R-03, KA-106)", async () => {
    const person = await signedIn();
    person.browser.intercept = async () => refusal(503, "service_unavailable");
    const reloaded = person.anotherTab();

    await expect(reloaded.getSession()).rejects.toMatchObject({ code: "service_unavailable", retryable: true });
    expect(reloaded.getSnapshot()).toMatchObject({ status: "unavailable", user: null, error: { status: 503 } });

    person.browser.intercept = undefined;
    person.browser.wake();
    await settled();
    expect(reloaded.getSnapshot().status).toBe("signed_in");
  });

  test("is left by itself when the server is back, without anybody asking", async () => {
    const person = await signedIn();
    person.browser.setOnline(false);
    const reloaded = person.anotherTab();
    await expect(reloaded.getSession()).rejects.toBeInstanceOf(AuthError);

    person.browser.intercept = undefined;
    // No waking: only the planned retry.
    const wake = person.browser.wake;
    Object.assign(person.browser, { wake: () => {} });
    person.browser.setOnline(true);
    Object.assign(person.browser, { wake });
    await settled();

    expect(reloaded.getSnapshot().status).toBe("signed_in");
  });

  test.each(["cookie", "session", "body"] as const)(
    "a sign-out is done here, told to the server later, and leaves nothing of the person behind, over %s (R-05, V14.3.1)",
    async (transport) => {
      const person = await signedIn({ transport });
      person.browser.setOnline(false);

      await person.client.signOut();
      expect(person.client.getSnapshot().status).toBe("signed_out");
      const reloaded = person.anotherTab();
      if (transport !== "body") expect(await reloaded.getSession()).toBeNull();

      person.browser.setOnline(true);
      await settled();
      expect(person.browser.jar.has("sekisho-rt") || person.browser.jar.has("sekisho-s")).toBe(false);
      expect([...person.browser.stored.keys()].filter((key) => key.endsWith("leaving"))).toEqual([]);
      expect([...person.browser.stored.values()].join()).not.toMatch(/skr_|e30\.|hanako/);
      expect(person.calls("/auth/logout")).toBeGreaterThan(1);
    },
  );

  test.each(["cookie", "session"] as const)(
    "a sign-out that is still to be told is settled by a later sign-in, over %s",
    async (transport) => {
      const person = await signedIn({ transport });
      answerInstead(person, "/auth/logout", () => refusal(503, "service_unavailable"));
      await person.client.signOut();

      await person.client.signIn({ email: EMAIL, password: PASSWORD });

      expect((await person.anotherTab().getSession())?.user.email).toBe(EMAIL);
    },
  );

  test("over body a sign-out that is still to be told does not hide a later sign-in", async () => {
    const person = await signedIn({ transport: "body" });
    answerInstead(person, "/auth/logout", () => refusal(503, "service_unavailable"));
    await person.client.signOut();
    await person.client.signIn({ email: EMAIL, password: PASSWORD });

    const reloaded = person.anotherTab();

    expect((await reloaded.getSession())?.user.email).toBe(EMAIL);
    expect(person.calls("/auth/logout")).toBeGreaterThan(1);
  });
});

describe("what a path may hold", () => {
  test.each(["../user/account", "..", "a/b", "a?b", "%2e%2e", ""])(
    "an id such as %j becomes no other call (KA-107)",
    async (id) => {
      const person = await signedIn();
      const sent = person.browser.requests.length;

      await expect(person.client.sessions.end(id)).rejects.toMatchObject({ code: "not_found" });

      expect(person.browser.requests).toHaveLength(sent);
    },
  );
});

describe("a second factor", () => {
  test("that the server asks for is the answer of the sign-in and an event; nobody is signed in", async () => {
    const person = atBrowser();
    await settled();
    const asked = { challenge: "c", methods: ["totp"], expires_in: 300 };
    answerInstead(person, "/auth/login", () => Response.json({ status: "second_factor_required", ...asked }));

    const answer = await person.client.signIn({ email: EMAIL, password: PASSWORD });
    await settled();

    expect(answer).toEqual({ status: "second_factor_required", ...asked });
    expect(person.events.at(-1)).toEqual({ type: "SECOND_FACTOR_REQUIRED", ...asked });
    expect(person.client.getSnapshot().status).toBe("signed_out");
  });
});
