/** The gallery in Vue. */

import { createApp, h, type VNode } from "vue";
import "../../../src/styles.css";
import { authPlugin, ProtectedRoute, SignIn, SignUp, UserButton, UserProfile } from "../../../src/vue/index.js";
import { asked } from "./wanted.js";

const PARTS: Record<string, () => VNode> = {
  SignIn: () => h(SignIn),
  SignUp: () => h(SignUp),
  UserProfile: () => h(UserProfile),
  UserButton: () => h(UserButton, { accountUrl: "#account" }),
  ProtectedRoute: () => h(ProtectedRoute, null, () => h("p", "inside")),
};

const { show, locale, client, place } = asked();
const part = PARTS[show];
if (!part) throw new Error(`no such component: ${show}`);
createApp({ render: part }).use(authPlugin, { client, locale }).mount(place);
