/** One error for everything that a call may refuse with. */

/** What the server says beside the code: field to reason, or values to go on with. */
export type Details = Readonly<Record<string, unknown>>;

export interface AuthErrorFields {
  readonly code: string;
  readonly status: number;
  readonly message?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly details?: Details | undefined;
  readonly cause?: unknown;
}

/**
 * A refusal, or a call that did not get through.
 *
 * `code` is the server's stable code, or one of ours: `network_error` (no answer), `unexpected_answer` (something that is
 * not our server answered: a proxy, a captive portal). `status` is the HTTP status, 0 without an answer. `retryable` says
 * that the same call may succeed later and that nothing was decided. `retryAfter` is in seconds. `message` is the
 * server's text for people; `sekisho/texts` has the texts of all codes in Japanese and English.
 */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfter: number | undefined;
  readonly details: Details;

  constructor(fields: AuthErrorFields) {
    super(fields.message ?? fields.code, { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status;
    this.retryAfter = fields.retryAfter;
    this.details = fields.details ?? {};
    this.retryable = fields.status < 100 || fields.status === 429 || fields.status >= 500 || this.code === UNEXPECTED;
  }
}

export const UNEXPECTED = "unexpected_answer";

/** The answers after which a session is over. Everything else keeps it. */
const DEFINITIVE = ["refresh_token_invalid", "client_id_mismatch", "session_revoked"];

export const isDefinitive = (error: unknown): error is AuthError =>
  error instanceof AuthError && DEFINITIVE.includes(error.code);

export const hasCode = (error: unknown, code: string): error is AuthError =>
  error instanceof AuthError && error.code === code;

/** Return the error of an answer that is not a success, read from our own form where it has it. */
export async function errorOf(response: Response): Promise<AuthError> {
  const body = await jsonOf(response);
  const known = typeof body?.["error"] === "string";
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new AuthError({
    code: known ? (body["error"] as string) : UNEXPECTED,
    status: response.status,
    message: known ? String(body["message"]) : undefined,
    retryAfter: Number.isNaN(seconds) ? undefined : seconds,
    details: known ? (body["details"] as Details | undefined) : undefined,
  });
}

/** Return the body as a JSON object, or undefined for anything else. */
export async function jsonOf(response: Response): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    return undefined;
  }
}

export const isAbort = (cause: unknown): boolean => cause instanceof Error && cause.name === "AbortError";
