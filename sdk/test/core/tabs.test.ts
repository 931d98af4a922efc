/** Tabs of one browser: what one does, the others know; nobody waits long for anybody. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { createAuthClient } from "../../src/core/index.js";
import { browserPorts } from "../../src/core/ports.js";
import { atBrowser, EMAIL, PASSWORD, settled, signedIn, typesOf } from "../support/person.js";

describe("tabs tell each other", () => {
  test("a sign-in reaches the other tab, with the token", async () => {
    const person = atBrowser();
    const other = person.anotherTab();
    const heard: string[] = [];
    other.onAuthStateChange((event) => heard.push(event.type));
    await settled();

    await person.client.signIn({ email: EMAIL, password: PASSWORD });
    await settled();

    expect(other.getSnapshot()).toEqual(person.client.getSnapshot());
    expect(heard).toEqual(["INITIAL_SESSION", "SIGNED_IN"]);
    const sent = person.browser.requests.length;
    expect(await other.getAccessToken()).toBe(await person.client.getAccessToken());
    expect(person.browser.requests).toHaveLength(sent);
  });

  test("a sign-out reaches the other tab", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.getSession();

    await person.client.signOut();
    await settled();

    expect(other.getSnapshot().status).toBe("signed_out");
    expect(await other.getAccessToken()).toBeNull();
  });

  test("what one tab has shown is no longer wanting in the other", async () => {
    const person = atBrowser();
    person.server.addAccount("admin@example.com", PASSWORD, { roles: ["admin"] });
    person.server.required.add("admin@example.com");
    const other = person.anotherTab();
    await person.client.signIn({ email: "admin@example.com", password: PASSWORD });
    expect((await other.getSession())?.session.acr_required).toBe("aal2");

    const { id } = await person.client.factors.enrol({ kind: "totp" });
    await person.client.factors.confirm(id, person.server.factors.code);
    await settled();

    expect(other.getSnapshot()).toEqual(person.client.getSnapshot());
    expect(other.getSnapshot().user?.roles).toEqual(["admin"]);
  });

  test("a sign-out of an older session leaves a newer one alone", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.getSession();
    const ports = person.browser.tab();
    const channel = ports.openChannel("sekisho https://auth.example.com web", () => {});

    channel.post({ type: "signed_out", session: "an older one" });
    await settled();

    expect(other.getSnapshot().status).toBe("signed_in");
  });

  test("a new token reaches the other tab, which then needs no refresh of its own", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.getSession();
    await person.client.refresh();
    await settled();

    expect(await other.getAccessToken()).toBe(await person.client.getAccessToken());
  });

  test("two tabs that refresh at once send one refresh: the second finds the token when its turn comes (R-01)", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.refresh();
    await person.client.refresh();
    await settled();
    const before = person.calls("/auth/refresh");

    await Promise.all([person.client.refresh(), other.refresh()]);

    expect(person.calls("/auth/refresh")).toBe(before + 1);
  });

  test("a changed name reaches the other tab", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.getSession();

    await person.client.profile.update({ name: "花子" });
    await settled();

    expect(other.getSnapshot().user?.name).toBe("花子");
    expect(typesOf(person.events).at(-1)).toBe("USER_UPDATED");
  });

  test("two tabs come through fifty rounds of refresh without a sign-out", async () => {
    const person = await signedIn();
    const other = person.anotherTab();
    await other.getSession();

    for (let round = 0; round < 50; round += 1) {
      person.server.expireTokens();
      await Promise.all([person.client.refresh(), other.refresh(), other.profile.get(), person.client.profile.get()]);
    }

    expect([person.client.getSnapshot().status, other.getSnapshot().status]).toEqual(["signed_in", "signed_in"]);
  });
});

describe("the lock among tabs", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const withLocks = (request: LockManager["request"]) => vi.stubGlobal("navigator", { locks: { request } });

  test("is held around the work", async () => {
    const order: string[] = [];
    withLocks((async (_name: string, _options: unknown, work: () => Promise<unknown>) => {
      order.push("granted");
      const done = await work();
      order.push("released");
      return done;
    }) as LockManager["request"]);

    const done = await browserPorts().withLock("a", 3000, async () => order.push("work"));

    expect(done).toBe(2);
    expect(order).toEqual(["granted", "work", "released"]);
  });

  test("is waited for at most 3 seconds; then the work is done without, and nothing is stolen", async () => {
    vi.useFakeTimers();
    const asked: LockOptions[] = [];
    withLocks(((_name: string, options: LockOptions) => {
      asked.push(options);
      return new Promise((_resolve, reject) => {
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      });
    }) as LockManager["request"]);
    let isDone = false;
    const working = browserPorts().withLock("a", 3000, async () => {
      isDone = true;
    });

    await vi.advanceTimersByTimeAsync(2999);
    expect(isDone).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    await working;

    expect(isDone).toBe(true);
    expect(asked[0]?.steal).toBeUndefined();
  });

  test("once granted is not given up, and a failure of the work is the work's own", async () => {
    let runs = 0;
    withLocks((async (_name: string, _options: unknown, work: () => Promise<unknown>) =>
      work()) as LockManager["request"]);

    const working = browserPorts().withLock("a", 3000, async () => {
      runs += 1;
      throw new Error("of the work");
    });

    await expect(working).rejects.toThrow("of the work");
    expect(runs).toBe(1);
  });

  test("is done without where the browser has none, or forbids it", async () => {
    vi.stubGlobal("navigator", {});
    expect(await browserPorts().withLock("a", 3000, async () => 1)).toBe(1);
    withLocks((() => Promise.reject(new DOMException("no", "SecurityError"))) as LockManager["request"]);
    expect(await browserPorts().withLock("a", 3000, async () => 2)).toBe(2);
  });
});

describe("a client", () => {
  test("that is made sends nothing and opens nothing", async () => {
    const person = atBrowser();
    await settled();
    const ports = person.browser.tab();
    const open = vi.fn(ports.openChannel);
    const sent = person.browser.requests.length;

    const client = createAuthClient({ clientId: "web", ports: { ...ports, openChannel: open } });
    await settled();

    expect(client.getSnapshot().status).toBe("loading");
    expect(person.browser.requests).toHaveLength(sent);
    expect(open).not.toHaveBeenCalled();
  });

  test("that is disposed of hears nothing more; its session stays for the others", async () => {
    const person = await signedIn();
    const leaving = person.anotherTab();
    const heard: string[] = [];
    leaving.onAuthStateChange((event) => heard.push(event.type));
    await settled();
    leaving.dispose();
    leaving.dispose();

    await person.client.signOut();
    await settled();

    expect(heard).toEqual(["INITIAL_SESSION"]);
    expect(leaving.getSnapshot().status).toBe("signed_in");
  });

  test("of which one of two is disposed of goes on in the other", async () => {
    const person = await signedIn();
    const ports = person.browser.tab();
    const options = { baseUrl: "https://auth.example.com", clientId: "web", ports };
    const [one, other] = [createAuthClient(options), createAuthClient(options)];
    await one.getSession();
    one.dispose();

    await person.client.signOut();
    await settled();

    expect(other.getSnapshot().status).toBe("signed_out");
    other.dispose();
    expect(createAuthClient(options).getSnapshot().status).toBe("loading");
  });

  test("on a server shares nothing with any other, though they have the same server and app", async () => {
    const person = atBrowser();
    const clients = [0, 1].map(() => {
      const kept = new Map<string, string>();
      const storage = {
        getItem: (key: string) => kept.get(key) ?? null,
        setItem: (key: string, value: string) => void kept.set(key, value),
        removeItem: (key: string) => void kept.delete(key),
      };
      const ports = { fetch: person.browser.tab().fetch };
      return createAuthClient({
        baseUrl: "https://auth.example.com",
        clientId: "web",
        transport: "body",
        storage,
        ports,
      });
    });
    const [one, other] = clients;
    await other?.getSession();

    await one?.signIn({ email: EMAIL, password: PASSWORD });
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(one?.getSnapshot().status).toBe("signed_in");
    expect(other?.getSnapshot().status).toBe("signed_out");
    expect(one?.getServerSnapshot().status).toBe("loading");
  });

  test("can be made on a server without an address, as for a page that is rendered there", () => {
    expect(createAuthClient({ clientId: "web", ports: { origin: undefined } }).getSnapshot().status).toBe("loading");
  });
});
