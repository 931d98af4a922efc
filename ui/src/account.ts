/** The account page: the SDK's own `<UserProfile/>` in the place of what the server rendered. */

import { type AuthClient, createAuthClient } from "sekisho";
import { authPlugin, UserProfile } from "sekisho/vue";
import "sekisho/styles.css";
import { createApp } from "vue";
import "./account.css";

/** What the server rendered, and where the person goes from it: addresses that the server wrote into the page. */
interface Place {
  readonly element: HTMLElement;
  readonly signedOut: string;
  readonly withdrawn: string;
  /** Leave the page. The last word before the browser goes decides: closing the account signs out first. */
  readonly go: (address: string) => void;
  /** Sign out, without leaving the page before the server has answered. */
  readonly leave: () => Promise<void>;
}

const element = document.querySelector<HTMLElement>("main > [data-client-id]");
if (element) void takeOver(element);

async function takeOver(element: HTMLElement): Promise<void> {
  const { clientId = "", base = "", here = "", signedOut = "", withdrawn = "" } = element.dataset;
  let next = "";
  const go = (address: string) => {
    if (next === "") setTimeout(() => location.replace(next));
    next = address;
  };
  const client = createAuthClient({ baseUrl: base, clientId, transport: "session" });
  let isLeaving = false;
  const leave = () => {
    isLeaving = true;
    return client.signOut();
  };
  client.onAuthStateChange((event) => {
    // Who leaves here waits for the server's answer: going on before that might cut the request off.
    if (isLeaving) return;
    // Whoever ended it elsewhere is told so by the sign-in page, to which the account leads by itself.
    if (event.type === "SIGNED_OUT") go(event.reason === "signed_out" ? signedOut : here);
  });
  try {
    if (await client.getSession()) show(client, { element, signedOut, withdrawn, go, leave });
    else go(here);
  } catch {
    // The server is away: what it rendered stays, and works once it is back.
  }
}

/** Draw beside the page, and change places when there is something to see and nobody is in the middle of something. */
function show(client: AuthClient, place: Place): void {
  const drawn = document.createElement("div");
  drawn.id = place.element.id;
  const locale = document.documentElement.lang === "ja" ? "ja" : "en";
  const app = createApp(UserProfile, { onWithdrawn: () => place.go(place.withdrawn) });
  app.use(authPlugin, { client, locale });

  const changes = new MutationObserver(() => {
    if (!drawn.querySelector(".sekisho-profile")) return;
    changes.disconnect();
    if (isInUse(place.element)) return app.unmount();
    place.element.replaceWith(drawn);
    signOutEverywhere(place);
  });
  changes.observe(drawn, { childList: true, subtree: true });
  app.mount(drawn);
}

function isInUse(element: HTMLElement): boolean {
  const wasRefused = document.getElementById("alert") !== null;
  return wasRefused || element.contains(document.activeElement);
}

/** The button above the profile signs out the other tabs too. The clone leaves the plain form's own script behind. */
function signOutEverywhere({ signedOut, go, leave }: Place): void {
  const plain = document.querySelector<HTMLFormElement>("form#sign-out");
  if (!plain) return;
  const form = plain.cloneNode(true) as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave().then(
      () => go(signedOut),
      () => form.submit(),
    );
  });
  plain.replaceWith(form);
}
