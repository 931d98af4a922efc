/** axios instances, over the same fake server. */

import axios, { AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from "axios";
import { describe, expect, test } from "vitest";
import { attachAuth } from "../../src/axios/index.js";
import { createAuthClient } from "../../src/core/index.js";
import { API, guardedApi, PASSWORD, type Person, refusal, SERVER, signedIn } from "../support/person.js";

/** Return an instance whose requests go through the person's browser. */
function instanceFor(person: Person, baseURL = API): AxiosInstance {
  const { fetch } = person.browser.tab();
  const adapter = async (config: InternalAxiosRequestConfig) => {
    const init: RequestInit = {
      method: (config.method ?? "get").toUpperCase(),
      headers: config.headers.toJSON() as never,
    };
    if (config.data !== undefined) init.body = config.data;
    if (config.withCredentials) init.credentials = "include";
    const answer = await fetch(axios.getUri(config), init);
    const text = await answer.text();
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const response = {
      data: isJson ? JSON.parse(text) : text,
      status: answer.status,
      statusText: "",
      headers: {},
      config,
    };
    if (answer.ok) return response;
    throw new AxiosError("refused", String(answer.status), config, undefined, response);
  };
  return axios.create({ baseURL, adapter });
}

describe("attachAuth", () => {
  test("several instances share one refresh, and every request is repeated once", async () => {
    const person = await signedIn();
    guardedApi(person);
    await person.client.refresh();
    const instances = [instanceFor(person), instanceFor(person)];
    for (const instance of instances) attachAuth(instance, person.client);
    person.server.expireTokens();
    const before = person.calls("/auth/refresh");

    const answers = await Promise.all(instances.flatMap((one) => [one.get("/a"), one.post("/b", { text: "hello" })]));

    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect(answers[1]?.data).toMatchObject({ body: '{"text":"hello"}' });
    expect(person.calls("/auth/refresh")).toBe(before + 1);
    expect(person.apiCalls()).toBe(8);
  });

  test("an API that refuses every token gets two requests, and the caller the refusal", async () => {
    const person = await signedIn();
    person.browser.intercept = async (request) =>
      request.url.startsWith(API) ? refusal(401, "unauthorized") : undefined;
    const instance = instanceFor(person);
    attachAuth(instance, person.client);

    await expect(instance.get("/a")).rejects.toMatchObject({
      response: { status: 401, data: { error: "unauthorized" } },
    });

    expect(person.apiCalls()).toBe(2);
  });

  test("other origins get no token, and a header of the caller's own is left alone", async () => {
    const person = await signedIn();
    const instance = instanceFor(person);
    attachAuth(instance, person.client);

    await instance.get("https://elsewhere.example.com/a");
    expect(person.browser.requests.at(-1)?.headers.has("Authorization")).toBe(false);
    await instance.get("/a", { headers: { Authorization: "Basic eDp5" } });
    expect(person.browser.requests.at(-1)?.headers.get("Authorization")).toBe("Basic eDp5");
  });

  test("nothing is repeated in the name of another person who signed in meanwhile", async () => {
    const person = await signedIn();
    guardedApi(person);
    person.server.addAccount("taro@example.com", PASSWORD);
    const ports = { ...person.browser.tab(), openChannel: () => ({ post: () => {}, close: () => {} }) };
    const stranger = createAuthClient({ baseUrl: SERVER, clientId: "web", ports });
    await stranger.signIn({ email: "taro@example.com", password: PASSWORD });
    const instance = instanceFor(person);
    attachAuth(instance, person.client);

    await expect(instance.post("/transfer", "1000 yen")).rejects.toMatchObject({ response: { status: 401 } });

    expect(person.apiCalls()).toBe(1);
    expect(person.client.getSnapshot().user?.email).toBe("taro@example.com");
  });

  test("over transport session a stale CSRF value is repaired", async () => {
    const person = await signedIn({ transport: "session" });
    const instance = instanceFor(person, `${SERVER}/api/v1`);
    attachAuth(instance, person.client);
    const update = () => instance.put("/user/profile", { name: "花子" });
    await update();
    person.browser.jar.delete("csrftoken");

    expect((await update()).data).toMatchObject({ name: "花子" });
    expect(person.calls("/user/profile")).toBe(3);
  });

  test("the undo leaves the instance as it was", async () => {
    const person = await signedIn();
    const instance = instanceFor(person);
    const undo = attachAuth(instance, person.client);
    await instance.get("/a");
    expect(person.browser.requests.at(-1)?.headers.has("Authorization")).toBe(true);

    undo();

    await instance.get("/a");
    expect(person.browser.requests.at(-1)?.headers.has("Authorization")).toBe(false);
  });
});
