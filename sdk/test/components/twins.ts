/** React and Vue behind one handle, so that one suite says what both components do. */

import { createElement, type ReactNode, StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { createApp, createSSRApp, defineComponent, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import type { AuthClient } from "../../src/core/index.js";
import * as react from "../../src/react/index.js";
import type { Locale } from "../../src/texts/index.js";
import * as vue from "../../src/vue/index.js";

export type Name = "SignIn" | "SignUp" | "UserProfile" | "UserButton" | "SignedIn" | "SignedOut" | "ProtectedRoute";

export interface Wanted {
  readonly component: Name;
  readonly client: AuthClient;
  readonly props?: Record<string, unknown>;
  readonly locale?: Locale;
  /** A text inside. */
  readonly inside?: string;
}

export interface Twin {
  readonly name: string;
  /** Put it on the page; returns the undo. */
  readonly mount: (wanted: Wanted, place: Element) => () => void;
  /** Return what a server renders. */
  readonly render: (wanted: Wanted) => Promise<string>;
  /** Take over what a server rendered. */
  readonly hydrate: (wanted: Wanted, place: Element) => () => void;
}

const IN_REACT: Record<Name, unknown> = {
  SignIn: react.SignIn,
  SignUp: react.SignUp,
  UserProfile: react.UserProfile,
  UserButton: react.UserButton,
  SignedIn: react.SignedIn,
  SignedOut: react.SignedOut,
  ProtectedRoute: react.ProtectedRoute,
};

const IN_VUE: Record<Name, unknown> = {
  SignIn: vue.SignIn,
  SignUp: vue.SignUp,
  UserProfile: vue.UserProfile,
  UserButton: vue.UserButton,
  SignedIn: vue.SignedIn,
  SignedOut: vue.SignedOut,
  ProtectedRoute: vue.ProtectedRoute,
};

const reactNode = ({ component, client, props, locale, inside }: Wanted): ReactNode => {
  const shown = createElement(IN_REACT[component] as never, props ?? {}, inside);
  return createElement(StrictMode, null, createElement(react.AuthProvider, { client, locale }, shown));
};

const inReact: Twin = {
  name: "React",
  mount: (wanted, place) => {
    const root = createRoot(place);
    root.render(reactNode(wanted));
    return () => root.unmount();
  },
  render: async (wanted) => renderToString(reactNode(wanted)),
  hydrate: (wanted, place) => {
    const root = hydrateRoot(place, reactNode(wanted));
    return () => root.unmount();
  },
};

const vueRoot = ({ component, props, inside }: Wanted) =>
  defineComponent(
    () => () => h(IN_VUE[component] as never, props ?? {}, inside === undefined ? undefined : () => inside),
  );

const withPlugin = (app: ReturnType<typeof createApp>, { client, locale }: Wanted) =>
  app.use(vue.authPlugin, locale === undefined ? { client } : { client, locale });

const inVue: Twin = {
  name: "Vue",
  mount: (wanted, place) => {
    const app = withPlugin(createApp(vueRoot(wanted)), wanted);
    app.mount(place);
    return () => app.unmount();
  },
  render: (wanted) => renderVue(withPlugin(createSSRApp(vueRoot(wanted)), wanted)),
  hydrate: (wanted, place) => {
    const app = withPlugin(createSSRApp(vueRoot(wanted)), wanted);
    app.mount(place);
    return () => app.unmount();
  },
};

export const TWINS: readonly Twin[] = process.env["ONLY_REACT"] ? [inReact] : [inReact, inVue];
