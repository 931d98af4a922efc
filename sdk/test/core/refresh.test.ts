/** The rules of refresh, one test each. */

import { describe, expect, test } from "vitest";
import { AuthError, createAuthClient } from "../../src/core/index.js";
import {
  API,
  answerInstead,
  atBrowser,
  EMAIL,
  gate,
  guardedApi,
  PASSWORD,
  refusal,
  SERVER,
  settled,
  signedIn,
  typesOf,
} from "../support/person.js";

describe("one refresh for everybody", () => {
  test("twenty parallel 401s cause one refresh and twenty retries (R-01)", async () => {
    const person = await signedIn();
    guardedApi(person);
    await person.client.refresh();
    const before = person.calls("/auth/refresh");
    person.server.expireTokens();

    const answers = await Promise.all(Array.from({ length: 20 }, () => person.client.authFetch(`${API}/todos`)));

    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(person.calls("/auth/refresh")).toBe(before + 1);
    expect(person.apiCalls()).toBe(40);
  });

  test("one that is asked for after a sign-in is for that session, also while one from before it is under way", async () => {
    const person = atBrowser();
    await person.client.signIn({ email: EMAIL, password: PASSWORD });
    const token = await person.client.getAccessToken();

    await person.client.refresh();

    expect(await person.client.getAccessToken()).not.toBe(token);
  });

  test("clients with the same server and app in a tab share it", async () => {
    const person = await signedIn();
    const ports = person.browser.tab();
    const [one, other] = [0, 1].map(() => createAuthClient({ baseUrl: SERVER, clientId: "web", ports }));
    await one?.getSession();
    await one?.refresh();
    const before = person.calls("/auth/refresh");

    await Promise.all([one?.refresh(), other?.refresh()]);

    expect(person.calls("/auth/refresh")).toBe(before + 1);
    expect(other?.getSnapshot()).toBe(one?.getSnapshot());
  });

  test("clients of different apps do not", async () => {
    const person = await signedIn();
    const ports = person.browser.tab();
    const one = createAuthClient({ baseUrl: SERVER, clientId: "web", ports });
    const other = createAuthClient({ baseUrl: SERVER, clientId: "admin", ports });

    await one.getSession();

    expect(one.getSnapshot().status).toBe("signed_in");
    expect(other.getSnapshot().status).toBe("loading");
  });

  test("a 401 for a token that is no longer the current one is repeated without a refresh", async () => {
    const person = await signedIn();
    guardedApi(person);
    const late = gate();
    const guarded = person.browser.intercept;
    let first = true;
    person.browser.intercept = async (request) => {
      const answer = await guarded?.(request);
      if (request.url.startsWith(API) && first) {
        first = false;
        await late.opened;
      }
      return answer;
    };
    person.server.expireTokens();
    const slow = person.client.authFetch(`${API}/slow`);
    await settled();
    expect((await person.client.authFetch(`${API}/quick`)).status).toBe(200);
    const refreshes = person.calls("/auth/refresh");

    late.open();

    expect((await slow).status).toBe(200);
    expect(person.calls("/auth/refresh")).toBe(refreshes);
  });
});

describe("one retry", () => {
  test("an API that refuses every token gets two requests, and the caller its answer", async () => {
    const person = await signedIn();
    person.browser.intercept = async (request) =>
      request.url.startsWith(API) ? refusal(401, "unauthorized", { "X-Trace": "7" }) : undefined;

    const answer = await person.client.authFetch(`${API}/todos`);

    expect([answer.status, answer.headers.get("X-Trace"), await answer.json()]).toEqual([
      401,
      "7",
      { error: "unauthorized", message: "unauthorized" },
    ]);
    expect(person.apiCalls()).toBe(2);
    expect(person.client.getSnapshot().status).toBe("signed_in");
  });

  test.each([
    ["text", () => ({ method: "POST", body: "hello" })],
    ["bytes", () => ({ method: "PUT", body: new TextEncoder().encode("hello") })],
    ["blob", () => ({ method: "PUT", body: new Blob(["hello"]) })],
  ])("a body of %s is sent again", async (_kind, init) => {
    const person = await signedIn();
    guardedApi(person);
    person.server.expireTokens();

    const answer = await person.client.authFetch(`${API}/todos`, init());

    expect(await answer.json()).toMatchObject({ body: "hello" });
  });

  test("a Request with a body is sent again", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.expireTokens();
    const request = new Request(`${API}/todos`, { method: "POST", body: "hello", headers: { "X-Own": "1" } });

    const answer = await person.client.authFetch(request);

    expect(await answer.json()).toEqual({ method: "POST", body: "hello" });
    expect(person.browser.requests.at(-1)?.headers.get("X-Own")).toBe("1");
  });

  test("a stream can be sent once only, so its 401 is handed back, and the next call has a new token", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.expireTokens();
    const init = { method: "POST", body: new Blob(["hello"]).stream(), duplex: "half" } as RequestInit;

    expect((await person.client.authFetch(`${API}/todos`, init)).status).toBe(401);

    expect(person.apiCalls()).toBe(1);
    expect((await person.client.authFetch(`${API}/todos`)).status).toBe(200);
    expect(person.apiCalls()).toBe(2);
  });

  test.each(["invalid_credentials", "step_up_required"])("%s is not about the token: no refresh", async (code) => {
    const person = await signedIn();
    const before = person.calls("/auth/refresh");
    person.browser.intercept = async (request) => (request.url.startsWith(API) ? refusal(401, code) : undefined);

    expect((await person.client.authFetch(`${API}/todos`)).status).toBe(401);

    expect(person.apiCalls()).toBe(1);
    expect(person.calls("/auth/refresh")).toBe(before);
  });

  test("an API that asks for stronger proof is heard as an event", async () => {
    const person = await signedIn();
    person.browser.intercept = async (request) =>
      request.url.startsWith(API)
        ? Response.json({ error: "step_up_required", message: "", details: { max_age: 300 } }, { status: 401 })
        : undefined;

    await person.client.authFetch(`${API}/payments`);
    await settled();

    expect(person.events.at(-1)).toEqual({ type: "STEP_UP_REQUIRED", details: { max_age: 300 } });
  });
});

describe("where tokens go", () => {
  test("to the server and the configured origins, nowhere else", async () => {
    const person = await signedIn();
    for (const url of [
      `${API}/a`,
      `${SERVER}/other`,
      "https://elsewhere.example.com/a",
      "https://api.example.com.evil.test/a",
    ]) {
      await person.client.authFetch(url);
    }

    const sent = person.browser.requests.slice(-4).map((request) => request.headers.has("Authorization"));
    expect(sent).toEqual([true, true, false, false]);
  });

  test("the session that is believed in is named to the server only", async () => {
    const person = await signedIn();
    await person.client.authFetch(`${API}/a`);
    expect(person.browser.requests.at(-1)?.headers.has("X-Sekisho-Session")).toBe(false);

    await person.client.sessions.list();
    expect(person.browser.requests.at(-1)?.headers.get("X-Sekisho-Session")).toBe(
      person.client.getSnapshot().session?.id,
    );
  });

  test("to the page's own origin where nothing is configured", async () => {
    const person = await signedIn();
    const client = createAuthClient({ baseUrl: SERVER, clientId: "web", ports: person.browser.tab() });

    await client.authFetch("/todos");
    expect(person.browser.requests.at(-1)?.headers.has("Authorization")).toBe(true);
    await client.authFetch(`${API}/todos`);
    expect(person.browser.requests.at(-1)?.headers.has("Authorization")).toBe(false);
  });

  test("the caller's own Authorization header is left alone, and so is its 401", async () => {
    const person = await signedIn();
    person.browser.intercept = async (request) =>
      request.url.startsWith(API) ? refusal(401, "unauthorized") : undefined;

    await person.client.authFetch(`${API}/a`, { headers: { authorization: "Basic eDp5" } });

    expect(person.browser.requests.at(-1)?.headers.get("Authorization")).toBe("Basic eDp5");
    expect(person.apiCalls()).toBe(1);
  });

  test("without a session a request goes as it is", async () => {
    const person = atBrowser();
    guardedApi(person);

    expect((await person.client.authFetch(`${API}/a`)).status).toBe(401);

    expect(person.apiCalls()).toBe(1);
    expect(await person.client.getAccessToken()).toBeNull();
  });
});

describe("when a session is over", () => {
  test.each(["refresh_token_invalid", "client_id_mismatch", "session_revoked"])("%s signs out", async (code) => {
    const person = await signedIn();
    answerInstead(person, "/auth/refresh", () => refusal(401, code));

    await person.client.refresh();
    await settled();

    expect(person.client.getSnapshot()).toEqual({ status: "signed_out", user: null, session: null });
    expect(person.events.at(-1)).toEqual({ type: "SIGNED_OUT", reason: code });
    expect(await person.client.getAccessToken()).toBeNull();
  });

  test("a session that was ended elsewhere is noticed at the next call", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.endSessions();

    expect((await person.client.authFetch(`${API}/todos`)).status).toBe(401);
    await settled();

    expect(typesOf(person.events).at(-1)).toBe("SIGNED_OUT");
  });

  test("and when the person comes back to the page", async () => {
    const person = await signedIn();
    person.server.endSessions();

    person.browser.wake();
    await settled();

    expect(person.client.getSnapshot().status).toBe("signed_out");
  });

  test.each([
    ["500", () => refusal(500, "internal_server_error")],
    ["503", () => refusal(503, "service_unavailable")],
    ["429", () => refusal(429, "rate_limit_exceeded")],
    ["a proxy's page with 502", () => new Response("<html>", { status: 502 })],
    ["a captive portal's page with 200", () => new Response("<html>")],
    ["404", () => refusal(404, "not_found")],
    ["403 of a foreign origin", () => refusal(403, "csrf_failed")],
    ["no answer", () => Promise.reject(new TypeError("Failed to fetch"))],
  ])("%s keeps it", async (_name, make) => {
    const person = await signedIn();
    const before = person.client.getSnapshot();
    answerInstead(person, "/auth/refresh", make as () => Response);
    answerInstead(person, "/auth/csrf", make as () => Response);

    await expect(person.client.refresh()).rejects.toBeInstanceOf(AuthError);
    await settled();

    expect(person.client.getSnapshot()).toBe(before);
    expect(typesOf(person.events).at(-1)).toBe("TOKEN_REFRESH_FAILED");
  });

  test("a caller who gives up keeps it, and the others their refresh", async () => {
    const person = await signedIn();
    guardedApi(person);
    const slow = gate();
    answerInstead(
      person,
      "/auth/refresh",
      async () => {
        await slow.opened;
        return undefined as unknown as Response;
      },
      1,
    );
    person.server.expireTokens();
    const giving = new AbortController();
    const given = person.client.authFetch(`${API}/a`, { signal: giving.signal });
    const other = person.client.authFetch(`${API}/b`);
    await settled();

    giving.abort();

    await expect(given).rejects.toHaveProperty("name", "AbortError");
    slow.open();
    expect((await other).status).toBe(200);
    expect(person.client.getSnapshot().status).toBe("signed_in");
  });

  test("a 401 whose refresh finds no server is handed back, and the session stays (R-03)", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.expireTokens();
    answerInstead(person, "/auth/refresh", () => refusal(503, "service_unavailable"));

    expect((await person.client.authFetch(`${API}/a`)).status).toBe(401);

    expect(person.client.getSnapshot().status).toBe("signed_in");
  });
});

describe("patience", () => {
  test("a refresh that got no answer is tried three times with the same token (R-02)", async () => {
    const person = await signedIn({ transport: "body" });
    const sent: unknown[] = [];
    person.browser.intercept = async (request) => {
      if (!request.url.endsWith("/auth/refresh")) return undefined;
      sent.push(((await request.json()) as { refresh_token: string }).refresh_token);
      throw new TypeError("Failed to fetch");
    };

    await expect(person.client.refresh()).rejects.toMatchObject({ code: "network_error", status: 0, retryable: true });

    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  test("an answer that was lost on the way is asked for again, and nobody is signed out", async () => {
    const person = await signedIn();
    let lost = 0;
    person.browser.intercept = async (request) => {
      if (!request.url.endsWith("/auth/refresh") || lost > 0) return undefined;
      const answer = await person.server.answer(request, new Map(person.browser.jar));
      if (answer.ok) lost += 1;
      throw new TypeError("Failed to fetch");
    };

    await person.client.refresh();

    expect(lost).toBe(1);
    expect(person.client.getSnapshot().status).toBe("signed_in");
  });

  test("Retry-After is kept: until then nothing is sent", async () => {
    let now = 1_000_000;
    const person = await signedIn({ now: () => now });
    answerInstead(person, "/auth/refresh", () => refusal(429, "rate_limit_exceeded", { "Retry-After": "60" }));
    const failed = { code: "rate_limit_exceeded", retryAfter: 60 };
    await expect(person.client.refresh()).rejects.toMatchObject(failed);
    const calls = person.calls("/auth/refresh");

    now += 59_000;
    person.browser.wake();
    await expect(person.client.refresh()).rejects.toMatchObject(failed);
    expect(person.calls("/auth/refresh")).toBe(calls);

    now += 2_000;
    await expect(person.client.refresh()).rejects.toMatchObject(failed);
    expect(person.calls("/auth/refresh")).toBe(calls + 1);
  });

  test("after failures the pauses grow, and a network that comes back ends them", async () => {
    let now = 1_000_000;
    const person = await signedIn({ now: () => now });
    answerInstead(person, "/auth/refresh", () => refusal(500, "internal_server_error"), 6);
    const tried = async () => {
      const before = person.calls("/auth/refresh");
      await person.client.refresh().catch(() => {});
      return person.calls("/auth/refresh") > before;
    };
    expect(await tried()).toBe(true);
    now += 500;
    expect(await tried()).toBe(false);
    now += 400;
    expect(await tried()).toBe(true);
    now += 900;
    expect(await tried()).toBe(false);

    person.browser.wake();
    await settled();

    expect(await tried()).toBe(true);
  });

  test("a clock that steps back does not make a pause longer (R-04)", async () => {
    let now = 1_000_000;
    const person = await signedIn({ now: () => now });
    answerInstead(person, "/auth/refresh", () => refusal(500, "internal_server_error"), 3);
    await expect(person.client.refresh()).rejects.toBeInstanceOf(AuthError);

    now -= 3_600_000;

    await person.client.refresh();
  });
});

describe("clocks", () => {
  test.each([
    ["behind", -3_600_000],
    ["ahead", 3_600_000],
  ])("a local clock that is an hour %s of the server's causes no refresh", async (_name, skew) => {
    const person = await signedIn();
    person.server.skew = -skew;
    await person.client.refresh();
    const before = person.calls("/auth/refresh");

    for (let turn = 0; turn < 5; turn += 1) await person.client.getAccessToken();

    expect(person.calls("/auth/refresh")).toBe(before);
  });

  test("a local clock that jumps is learnt again from the next answer (R-04)", async () => {
    let now = 1_700_000_000_000;
    const person = await signedIn({ now: () => now });
    await person.client.refresh();

    now += 7_200_000;
    person.server.skew = -7_200_000;
    await person.client.signUp({ email: "taro@example.com", password: PASSWORD });
    const before = person.calls("/auth/refresh");
    await person.client.getAccessToken();

    expect(person.calls("/auth/refresh")).toBe(before);
  });

  test("from 85 % of its life on a token is renewed in the background, while it is still used (R-02)", async () => {
    let now = 1_700_000_000_000;
    const person = await signedIn({ now: () => now });
    const first = await person.client.getAccessToken();
    const before = person.calls("/auth/refresh");

    now += 900_000 * 0.7;
    expect(await person.client.getAccessToken()).toBe(first);
    await settled();
    expect(person.calls("/auth/refresh")).toBe(before);

    now += 900_000 * 0.16;
    expect(await person.client.getAccessToken()).toBe(first);
    await settled();
    expect(person.calls("/auth/refresh")).toBe(before + 1);
    expect(await person.client.getAccessToken()).not.toBe(first);
  });

  test("an expired token is never handed out", async () => {
    let now = 1_700_000_000_000;
    const person = await signedIn({ now: () => now });
    const first = await person.client.getAccessToken();

    now += 899_000;

    expect(await person.client.getAccessToken()).not.toBe(first);
  });
});

describe("who wins", () => {
  test.each(["cookie", "body"] as const)("a sign-out during a refresh wins, over transport %s", async (transport) => {
    const person = await signedIn({ transport });
    const slow = gate();
    person.browser.intercept = async (request) => {
      if (!request.url.endsWith("/auth/refresh")) return undefined;
      const answer = await person.server.answer(request, person.browser.jar);
      await slow.opened;
      return answer;
    };
    const refreshing = person.client.refresh();
    await settled();

    await person.client.signOut();
    slow.open();
    await refreshing;
    await settled();

    expect(person.client.getSnapshot().status).toBe("signed_out");
    expect(await person.client.getAccessToken()).toBeNull();
    expect([...person.browser.stored.keys()].filter((key) => key.includes("refresh_token"))).toEqual([]);
    expect(typesOf(person.events).at(-1)).toBe("SIGNED_OUT");
  });

  test("a sign-in waits for a refresh under way, whose cookie would overwrite its own", async () => {
    const person = await signedIn();
    const slow = gate();
    answerInstead(
      person,
      "/auth/refresh",
      async () => {
        await slow.opened;
        return undefined as unknown as Response;
      },
      1,
    );
    const refreshing = person.client.refresh();
    await settled();

    const signingIn = person.client.signIn({ email: EMAIL, password: PASSWORD });
    await settled();
    expect(person.calls("/auth/login")).toBe(1);
    slow.open();
    await Promise.all([refreshing, signingIn]);

    expect(person.calls("/auth/login")).toBe(2);
    await person.client.refresh();
    expect(person.client.getSnapshot().status).toBe("signed_in");
  });

  test("a cookie of another session changes nothing but what the store says, and nothing is repeated for the other person", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.addAccount("taro@example.com", PASSWORD);
    // Another page, which does not talk to this tab, signs in over it.
    const stranger = createAuthClient({
      baseUrl: SERVER,
      clientId: "web",
      ports: { ...person.browser.tab(), openChannel: () => ({ post: () => {}, close: () => {} }) },
    });
    await stranger.signIn({ email: "taro@example.com", password: PASSWORD });
    const before = person.apiCalls();

    const answer = await person.client.authFetch(`${API}/transfer`, { method: "POST", body: "1000 yen" });
    await settled();

    expect(answer.status).toBe(401);
    expect(person.apiCalls()).toBe(before + 1);
    expect(person.client.getSnapshot().user?.email).toBe("taro@example.com");
    expect(person.events.at(-1)).toMatchObject({ type: "SIGNED_IN", state: { user: { email: "taro@example.com" } } });
    expect((await stranger.getSession())?.user.email).toBe("taro@example.com");
  });
});

describe("listeners", () => {
  test("may call the client, also inside a refresh", async () => {
    const person = await signedIn();
    const seen: unknown[] = [];
    person.client.onAuthStateChange(async (event) => {
      if (event.type !== "TOKEN_REFRESHED") return;
      seen.push(await person.client.getAccessToken());
      await person.client.refresh();
      await person.client.signOut();
      seen.push(person.client.getSnapshot().status);
    });

    await person.client.refresh();
    await settled();

    expect(seen).toContain("signed_out");
    expect(seen[0]).toMatch(/^e30\./);
  });

  test("are called after the section that changed the state, never from inside it", async () => {
    const person = await signedIn();
    const before = person.events.length;

    const leaving = person.client.signOut();
    expect(person.client.getSnapshot().status).toBe("signed_out");
    expect(person.events).toHaveLength(before);

    await leaving;
    expect(typesOf(person.events).at(-1)).toBe("SIGNED_OUT");
  });

  test("hear INITIAL_SESSION once, however late they come", async () => {
    const person = atBrowser();
    await settled();
    const late: string[] = [];
    person.client.onAuthStateChange((event) => late.push(event.type));
    await settled();

    expect(typesOf(person.events)).toEqual(["INITIAL_SESSION"]);
    expect(late).toEqual(["INITIAL_SESSION"]);
  });

  test("that have left hear nothing", async () => {
    const person = await signedIn();
    const heard: string[] = [];
    const leave = person.client.onAuthStateChange((event) => heard.push(event.type));
    leave();

    await person.client.refresh();
    await settled();

    expect(heard).toEqual([]);
  });
});
