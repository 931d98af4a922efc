/** Vue 3: a plugin, composables, a router guard, and components: the twins of React's. */

import { defineComponent, h as node } from "vue";
import { type EntryProps, signIn, signUp } from "../ui/entry.js";
import { waiting } from "../ui/gate.js";
import { type UserProfileProps, userProfile } from "../ui/profile.js";
import { type UserButtonProps, userButton } from "../ui/user_button.js";
import { toVue, useDrawing, type VueComponent } from "./component.js";
import { useGiven } from "./context.js";

export type { EntryProps } from "../ui/entry.js";
export type { UserProfileProps } from "../ui/profile.js";
export type { UserButtonProps } from "../ui/user_button.js";
export { type AuthPluginOptions, authPlugin, type UseAuth, useAuth, useSession, useUser } from "./context.js";
export { type AuthGuardOptions, authGuard, type Destination } from "./router.js";

const ENTRY = ["onDone", "onSecondFactor", "signUpUrl", "signInUrl", "resetUrl", "accountUrl"] as const;

/** A form to sign in. Without `signUpUrl` it can turn into the form to sign up. */
export const SignIn: VueComponent<EntryProps> = /* @__PURE__ */ toVue(signIn, ENTRY);

/** A form to sign up, with the step for the mailed code. */
export const SignUp: VueComponent<EntryProps> = /* @__PURE__ */ toVue(signUp, ENTRY);

/** Profile, signed-in devices, and closing the account. For a signed-in person. */
export const UserProfile: VueComponent<UserProfileProps> = /* @__PURE__ */ toVue(userProfile, ["onWithdrawn"]);

/** Who is signed in, with a menu to sign out. Draws nothing for nobody. */
export const UserButton: VueComponent<UserButtonProps> = /* @__PURE__ */ toVue(userButton, [
  "accountUrl",
  "onSignedOut",
]);

/** Show the slot to somebody who is signed in. */
export const SignedIn = /* @__PURE__ */ defineComponent(
  (_props: Record<string, never>, { slots }) => {
    const { state } = useGiven();
    return () => (state.value.status === "signed_in" ? slots["default"]?.() : null);
  },
  { name: "SignedIn" },
);

/** Show the slot once it is known that nobody is signed in. */
export const SignedOut = /* @__PURE__ */ defineComponent(
  (_props: Record<string, never>, { slots }) => {
    const { state } = useGiven();
    return () => (state.value.status === "signed_out" ? slots["default"]?.() : null);
  },
  { name: "SignedOut" },
);

/**
 * Show the slot to somebody who is signed in; say so while that is being found out, or while the server is away. The
 * slot `fallback` is shown to everybody else; left out, the form to sign in.
 *
 * This decides what is drawn. What may be read is for the API to decide.
 */
export const ProtectedRoute = /* @__PURE__ */ defineComponent(
  (_props: Record<string, never>, { slots }) => {
    const { client, state } = useGiven();
    const drawing = useDrawing();
    return () => {
      if (state.value.status === "signed_in") return slots["default"]?.();
      if (state.value.status === "signed_out") return slots["fallback"]?.() ?? node(SignIn);
      const now = drawing();
      return node("div", { class: "sekisho", lang: now.locale }, [waiting(now, state.value, client)]);
    };
  },
  { name: "ProtectedRoute" },
);
