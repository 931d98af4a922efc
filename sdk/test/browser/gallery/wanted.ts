/** What the address of a page of the gallery asks for: `?show=SignIn&locale=ja&server=http://localhost:8080&app=web`. */

import { type AuthClient, createAuthClient } from "../../../src/core/index.js";
import { chooseLocale, type Locale } from "../../../src/texts/index.js";

export interface Asked {
  readonly show: string;
  readonly locale: Locale;
  readonly client: AuthClient;
  readonly place: Element;
}

export function asked(): Asked {
  const query = new URLSearchParams(location.search);
  const locale = chooseLocale([query.get("locale") ?? "en"]);
  document.documentElement.lang = locale;
  const client = createAuthClient({ baseUrl: query.get("server") ?? "", clientId: query.get("app") ?? "web" });
  (globalThis as { client?: AuthClient }).client = client;
  const place = document.querySelector("main");
  if (!place) throw new Error("the page has no place for it");
  return { show: query.get("show") ?? "", locale, client, place };
}
