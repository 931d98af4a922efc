/** What travels between this library and the server, with the server's own field names. */

/** How the tokens of a session travel; see "Transports" in the README. */
export type Transport = "cookie" | "session" | "body";

/** The account, as its owner sees it. `created_at` is RFC 3339. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly is_verified: boolean;
  readonly created_at: string;
  readonly name: string;
  readonly locale: string;
  readonly roles: readonly string[];
}

/** One signed-in browser or device, as the list of sessions shows it. Times are RFC 3339. */
export interface Session {
  readonly id: string;
  readonly client_id: string;
  readonly transport: Transport;
  readonly device: { readonly name: string; readonly os: string; readonly browser: string; readonly type: string };
  readonly ip: string;
  readonly place: string;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly expires_at: string;
  readonly amr: readonly string[];
  readonly current: boolean;
}

/** The session of the caller. */
export interface ProvenSession extends Session {
  /** When its owner last proved to be the one (RFC 3339). */
  readonly auth_time: string;
  /** How well: `aal1` or `aal2`. */
  readonly acr: string;
  /** What the role or the app requires and was not shown; left out where nothing is wanting. */
  readonly acr_required?: string;
}

/** One thing that happened to the account. `at` is RFC 3339; `event` and `method` are words of the server's audit trail. */
export interface HistoryEvent {
  readonly event: string;
  readonly outcome: "success" | "failure";
  readonly method: string;
  readonly at: string;
  readonly ip: string;
  readonly place: string;
  readonly device: string;
}

/** A page of the account's history, newest first. `next` is where to go on; null at the end. */
export interface History {
  readonly events: readonly HistoryEvent[];
  readonly next: string | null;
}

/** A sign-up whose code has not come back yet. Give it to `confirmSignUp` together with the code. */
export interface PendingSignUp {
  readonly email: string;
  readonly pending: string;
  /** Seconds that the code lives. */
  readonly expires_in: number;
  /** What the server says to the person, in their language. */
  readonly message: string;
}

/** A code is on its way to `email`, if that address is one that gets one. */
export interface MailedCode {
  readonly email: string;
  /** Seconds that the code lives. */
  readonly expires_in: number;
  /** What the server says to the person, in their language. */
  readonly message: string;
}

/** Where the code of a password reset goes too. `verified_at` is RFC 3339. */
export interface RecoveryEmail {
  readonly email: string;
  readonly verified_at: string;
}

/** Sets one new password. */
export interface ResetToken {
  readonly reset_token: string;
  /** Seconds that it lives. */
  readonly expires_in: number;
}

/** The password was right and the account asks for more; no session has started. */
export interface SecondFactorRequired {
  readonly status: "second_factor_required";
  readonly challenge: string;
  readonly methods: readonly string[];
  /** Seconds that the challenge lives. */
  readonly expires_in: number;
  /** For how many days the device may be trusted afterwards (`trustDevice`); left out where it may not. */
  readonly trust_days?: number;
  /** Methods of the account that finish no sign-in until one of `methods` was shown; left out where there are none. */
  readonly suspended?: readonly string[];
}

/** A device on which the second step is not asked again. Times are RFC 3339. */
export interface TrustedDevice {
  readonly id: string;
  readonly app: string;
  readonly device: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  /** Whether it is this browser, as far as its cookie says. */
  readonly current: boolean;
}

/** An authenticator beside the password. Times are RFC 3339. */
export interface Factor {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly created_at: string;
  readonly last_used_at: string | null;
  /** Of a phone, masked; there for `sms` only. */
  readonly number?: string;
}

export interface FactorList {
  readonly factors: readonly Factor[];
  /** How many recovery codes are unused. */
  readonly recovery_codes: number;
  /** The kinds that can be enrolled here. */
  readonly available: readonly string[];
}

/**
 * A factor that waits for its first code. `secret`, `uri` and `qr` (an SVG document) are there for `totp`, `number` (where
 * the code went, masked) for `sms`.
 */
export interface Enrolment {
  readonly id: string;
  readonly kind: string;
  readonly expires_in: number;
  readonly secret?: string;
  readonly uri?: string;
  readonly qr?: string;
  readonly number?: string;
}

export interface ConfirmedFactor {
  readonly message: string;
  readonly factor: Factor;
  readonly recovery_codes?: readonly string[];
  readonly ended: number;
}

/** The answer of a sign-in or a refresh; which fields are there depends on the transport. */
export interface Pair {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly user?: User;
  /** For transport `body`, after `trustDevice`. */
  readonly device_token?: string;
  readonly acr_required?: string;
}

/** The answer of `GET /auth/session`. */
export interface CurrentSession {
  readonly user: User;
  readonly session: ProvenSession;
}
