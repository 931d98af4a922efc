/** The gallery in React. */

import { createElement, type FunctionComponent, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AuthProvider, ProtectedRoute, SignIn, SignUp, UserButton, UserProfile } from "../../../src/react/index.js";
import "../../../src/styles.css";
import { asked } from "./wanted.js";

const PARTS: Record<string, FunctionComponent> = {
  SignIn,
  SignUp,
  UserProfile,
  UserButton: () => createElement(UserButton, { accountUrl: "#account" }),
  ProtectedRoute: () => createElement(ProtectedRoute, null, createElement("p", null, "inside")),
};

const { show, locale, client, place } = asked();
const Part = PARTS[show];
if (!Part) throw new Error(`no such component: ${show}`);
createRoot(place).render(
  createElement(StrictMode, null, createElement(AuthProvider, { client, locale }, createElement(Part))),
);
