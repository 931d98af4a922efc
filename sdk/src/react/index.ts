/** React: a provider, hooks, and components. Works with React 18 and 19, in Strict Mode and with pages from a server. */

import { createElement, Fragment, type FunctionComponent, type ReactElement, type ReactNode } from "react";
import { type EntryProps, signIn, signUp } from "../ui/entry.js";
import { waiting } from "../ui/gate.js";
import { type UserProfileProps, userProfile } from "../ui/profile.js";
import { type UserButtonProps, userButton } from "../ui/user_button.js";
import { toReact, useDrawing } from "./component.js";
import { useAuthState, useClient } from "./context.js";

export type { EntryProps } from "../ui/entry.js";
export type { UserProfileProps } from "../ui/profile.js";
export type { UserButtonProps } from "../ui/user_button.js";
export { AuthProvider, type AuthProviderProps, useAuth, useSession, useUser } from "./context.js";

/** A form to sign in. Without `signUpUrl` it can turn into the form to sign up. */
export const SignIn: FunctionComponent<EntryProps> = /* @__PURE__ */ toReact(signIn);

/** A form to sign up, with the step for the mailed code. */
export const SignUp: FunctionComponent<EntryProps> = /* @__PURE__ */ toReact(signUp);

/** Profile, signed-in devices, and closing the account. For a signed-in person. */
export const UserProfile: FunctionComponent<UserProfileProps> = /* @__PURE__ */ toReact(userProfile);

/** Who is signed in, with a menu to sign out. Draws nothing for nobody. */
export const UserButton: FunctionComponent<UserButtonProps> = /* @__PURE__ */ toReact(userButton);

interface Around {
  readonly children?: ReactNode;
}

/** Show the children to somebody who is signed in. */
export function SignedIn({ children }: Around): ReactElement | null {
  return useAuthState().status === "signed_in" ? createElement(Fragment, null, children) : null;
}

/** Show the children once it is known that nobody is signed in. */
export function SignedOut({ children }: Around): ReactElement | null {
  return useAuthState().status === "signed_out" ? createElement(Fragment, null, children) : null;
}

export interface ProtectedRouteProps extends Around {
  /** Shown to somebody who is not signed in, as a redirect of your router. Left out: the form to sign in. */
  readonly fallback?: ReactNode;
}

/**
 * Show the children to somebody who is signed in; say so while that is being found out, or while the server is away.
 *
 * This decides what is drawn. What may be read is for the API to decide.
 */
export function ProtectedRoute({ children, fallback }: ProtectedRouteProps): ReactElement {
  const client = useClient();
  const state = useAuthState();
  const drawing = useDrawing();
  if (state.status === "signed_in") return createElement(Fragment, null, children);
  if (state.status === "signed_out") return createElement(Fragment, null, fallback ?? createElement(SignIn));
  return createElement("div", { className: "sekisho", lang: drawing.locale }, waiting(drawing, state, client));
}
