/** The guard, in a real vue-router. */

import { expect, test } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import { createFakeAuth } from "../../src/testing/index.js";
import { authGuard } from "../../src/vue/index.js";

const nothing = { render: () => null };

const routerFor = (client: Parameters<typeof authGuard>[0]) => {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: "/", component: nothing },
      { path: "/sign-in", component: nothing },
      { path: "/account", component: nothing, meta: { requiresAuth: true } },
    ],
  });
  router.beforeEach(authGuard(client, { signIn: "/sign-in" }));
  return router;
};

test("somebody who is not signed in is sent to the form, and the form is told where they wanted to go", async () => {
  const router = routerFor(createFakeAuth().client);
  await router.push("/account?tab=devices");

  expect(router.currentRoute.value.path).toBe("/sign-in");
  expect(router.currentRoute.value.query).toEqual({ return_to: "/account?tab=devices" });
});

test("other pages are for everybody", async () => {
  const router = routerFor(createFakeAuth().client);
  await router.push("/");

  expect(router.currentRoute.value.path).toBe("/");
});

test("somebody who is signed in goes where they want", async () => {
  const fake = createFakeAuth({ accounts: { "a@example.com": "seven white cranes" } });
  await fake.client.signIn({ email: "a@example.com", password: "seven white cranes" });
  const router = routerFor(fake.client);
  await router.push("/account");

  expect(router.currentRoute.value.path).toBe("/account");
});

test("an error is not a sign-in (KA-106)", async () => {
  const fake = createFakeAuth();
  fake.browser.setOnline(false);
  const router = routerFor(fake.client);
  await router.push("/account");

  expect(router.currentRoute.value.path).toBe("/sign-in");
  fake.client.dispose();
});
