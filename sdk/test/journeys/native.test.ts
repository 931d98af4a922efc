/** The example for native apps, against the real server. */

import { expect, inject, test } from "vitest";
import { type Keychain, SekishoClient } from "../../../examples/native/client.js";
import { codeFor, newEmail } from "../support/people.js";

const SERVER = inject("server");
const PASSWORD = "seven white cranes";
const ME = `${SERVER}/api/v1/user/profile`;

interface Kept extends Keychain {
  token: string | null;
}

const keychain = (): Kept => ({
  token: null,
  async read() {
    return this.token;
  },
  async write(token) {
    this.token = token;
  },
});

const post = (path: string, body: object) =>
  fetch(`${SERVER}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** Return somebody's device: signed in, with a network that a test may cut, and what was sent over it. */
async function signedIn() {
  const email = newEmail();
  const fields = { email, client_id: "app:first" };
  const { pending } = (await (await post("/auth/signup/send-code", { ...fields, password: PASSWORD })).json()) as {
    pending: string;
  };
  await post("/auth/signup/verify-code", { ...fields, pending, code: await codeFor(SERVER, email) });

  const kept = keychain();
  const sent: string[] = [];
  const network: { cut: "no" | "before" | "after" } = { cut: "no" };
  const send = async (url: string, init: RequestInit) => {
    sent.push(new URL(url).pathname.replace("/api/v1", ""));
    if (network.cut === "before") throw new TypeError("no network");
    const answer = await fetch(url, init);
    if (network.cut === "after") throw new TypeError("answer lost");
    return answer;
  };
  const start = () => new SekishoClient(SERVER, "app:device", kept, send, async () => {});
  const client = start();
  await client.signIn(email, PASSWORD);
  return { client, start, kept, sent, network, email };
}

const count = (sent: readonly string[], path: string) => sent.filter((one) => one === path).length;

test("an app that starts again goes on with the token in the keychain", async () => {
  const { start, email } = await signedIn();

  expect(await (await start().call(ME)).json()).toMatchObject({ email });
});

test("ten calls at once after a start share one refresh", async () => {
  const { start, sent } = await signedIn();
  const client = start();

  const answers = await Promise.all(Array.from({ length: 10 }, () => client.call(ME)));

  expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
  expect(count(sent, "/auth/refresh")).toBe(1);
});

test("an answer that was lost costs nothing: the same token is sent again", async () => {
  const { start, kept, network, sent } = await signedIn();
  const client = start();
  const before = kept.token;
  network.cut = "after";
  await expect(client.call(ME)).rejects.toMatchObject({ code: "network_error", mayTryAgain: true });
  expect(count(sent, "/auth/refresh")).toBe(3);
  expect(kept.token).toBe(before);

  network.cut = "no";

  expect((await client.call(ME)).status).toBe(200);
  expect(kept.token).not.toBe(before);
});

test("without a network the session stays; once it was ended elsewhere it is over", async () => {
  const { start, kept, network, email } = await signedIn();
  const client = start();
  network.cut = "before";
  await expect(client.call(ME)).rejects.toMatchObject({ code: "network_error" });
  expect(kept.token).not.toBeNull();

  network.cut = "no";
  const other = new SekishoClient(SERVER, "app:other", keychain());
  await other.signIn(email, PASSWORD);
  await other.call(`${SERVER}/api/v1/auth/logout-all`, { method: "POST" });

  await expect(client.call(ME)).rejects.toMatchObject({ code: "refresh_token_invalid", mayTryAgain: false });
  expect(kept.token).toBeNull();
});

test("a sign-out during a refresh wins", async () => {
  const { start, kept } = await signedIn();
  const client = start();
  const calling = client.call(ME);
  const refused = expect(calling).rejects.toMatchObject({ status: 401 });
  await client.signOut();

  await refused;
  expect(kept.token).toBeNull();
  await expect(client.accessToken()).rejects.toMatchObject({ code: "unauthorized" });
});
