/** What stands in the place of protected content while nobody is known to be signed in. */

import type { AuthClient } from "../core/client.js";
import type { AuthState } from "../core/state.js";
import { textOf } from "./form.js";
import type { Drawing } from "./model.js";

/** Draw the waiting, or the server that is away with a way to ask it again. */
export function waiting<N>({ h, say, locale }: Drawing<N>, state: AuthState, auth: AuthClient): N {
  if (state.status !== "unavailable") return h("p", { class: "sekisho-said", role: "status" }, say("loading"));
  const again = () => {
    // What it fails of comes back through the store, and is drawn here again.
    auth.refresh().catch(() => {});
  };
  return h(
    "div",
    { class: "sekisho-card" },
    h("p", { class: "sekisho-problem", role: "alert" }, textOf(state.error, locale, say)),
    h("button", { type: "button", class: "sekisho-button", onclick: again }, say("try_again")),
  );
}
