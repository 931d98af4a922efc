/** The core: sign-in, refresh without races, and requests that a session pays for. No dependencies. */

export type { Account } from "./account.js";
export type { Authorization, Refused } from "./calls.js";
export { type AuthClient, type AuthClientOptions, createAuthClient } from "./client.js";
export type { CsrfNames } from "./csrf.js";
export { AuthError, type AuthErrorFields, type Details } from "./error.js";
export type { Factors, Proof } from "./factors.js";
export type { NotMe } from "./not_me.js";
export type { PasswordReset } from "./password_reset.js";
export type { Channel, KeyValueStorage, Ports } from "./ports.js";
export type { SignedIn } from "./sign_in.js";
export type { AuthEvent, AuthListener, AuthState, SessionInfo } from "./state.js";
export type {
  ConfirmedFactor,
  Enrolment,
  Factor,
  FactorList,
  History,
  HistoryEvent,
  MailedCode,
  PendingSignUp,
  ProvenSession,
  RecoveryEmail,
  ResetToken,
  SecondFactorRequired,
  Session,
  Transport,
  TrustedDevice,
  User,
} from "./wire.js";
