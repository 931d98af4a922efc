/** A server in memory that speaks the real one's wire format: for tests of apps that use this library, and for its own. */

import type { ConfirmedFactor, HistoryEvent, RecoveryEmail, Session, Transport, User } from "../core/wire.js";
import { en, ja } from "../texts/catalogue.js";
import { createFakeFactors, type FakeFactors } from "./fake_factors.js";

const ACCESS_SECONDS = 900;
const CODE_SECONDS = 900;
/** What somebody with a second factor must have shown lately, the password notwithstanding. */
const OWNERS_ONLY = [
  "PUT /user/password",
  "POST /user/email/send-code",
  "POST /user/recovery-email/send-code",
  "DELETE /user/account",
];

interface FakeAccount {
  user: User;
  password: string;
  recovery?: RecoveryEmail | undefined;
}

interface FakeSession {
  readonly id: string;
  email: string;
  readonly client_id: string;
  readonly transport: Transport;
  counter: number;
  ended: boolean;
  /** Whether the proof is new enough for calls that change how one comes in. */
  fresh: boolean;
  /** Whether it has shown a second factor. */
  proven: boolean;
}

interface Sent {
  readonly email: string;
  readonly password: string;
  readonly code: string;
  readonly client_id: string;
}

/** What a browser keeps between calls. */
export type Jar = Map<string, string>;

interface Call {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Record<string, string>;
  readonly jar: Jar;
}

export interface FakeServer {
  /** Answer one request of a browser that holds `jar`. */
  readonly answer: (request: Request, jar: Jar) => Promise<Response>;
  readonly addAccount: (email: string, password: string, profile?: Partial<User>) => User;
  /** The newest code that was mailed to an address. */
  readonly codeFor: (email: string) => string;
  /** Every access token that was handed out so far has expired from now on. */
  readonly expireTokens: () => void;
  /** As if the sessions had been ended on another device. */
  readonly endSessions: () => void;
  /** The second factors of every account, and the code that is good now. */
  readonly factors: FakeFactors;
  /** As if everybody had signed in long ago: sensitive calls answer `step_up_required`. */
  readonly age: () => void;
  /** How far the server's clock is ahead of the browser's, in milliseconds. */
  skew: number;
  /** Addresses whose role requires a second factor; a session without one goes without roles until it shows one. */
  readonly required: Set<string>;
}

export function createFakeServer(now: () => number = Date.now): FakeServer {
  const accounts = new Map<string, FakeAccount>();
  const sessions = new Map<string, FakeSession>();
  const pendings = new Map<string, Sent>();
  const codes = new Map<string, string>();
  const resets = new Map<string, string>();
  const begun = new Map<string, string>();
  const tokens = new Map<string, { session: string; isExpired: boolean }>();
  let made = 0;
  const newId = (kind: string) => `${kind}-${(made += 1)}`;
  const factors = createFakeFactors(newId);

  const refuse = (status: number, error: string, call: Call, details?: Record<string, unknown>): Response => {
    const locale = call.headers.get("Accept-Language")?.startsWith("ja") ? ja : en;
    const message = (locale as Record<string, string>)[`error.${error}`] ?? error;
    return Response.json({ error, message, ...(details ? { details } : {}) }, { status });
  };

  const csrfIsGood = (call: Call): boolean => {
    const value = call.headers.get("X-CSRFToken");
    return value !== null && value === call.jar.get("csrftoken") && value.startsWith(`${boundTo(call.jar)}.`);
  };
  const boundTo = (jar: Jar): string => jar.get("sekisho-rt")?.split(".")[0] ?? jar.get("sekisho-s") ?? "pre";
  const freshCsrf = (jar: Jar): string => {
    const value = `${boundTo(jar)}.${newId("csrf")}`;
    jar.set("csrftoken", value);
    return value;
  };
  const csrfFailed = (call: Call) => refuse(403, "csrf_failed", call, { csrf_token: csrfOf(call.jar) });

  const wanting = (session: FakeSession) =>
    server.required.has(session.email) && !session.proven ? { acr_required: "aal2" } : {};
  /** The account with the roles that it may wear in this session. */
  const wornIn = (session: FakeSession, { user }: FakeAccount): User =>
    "acr_required" in wanting(session) ? { ...user, roles: [] } : user;

  const viewOf = (session: FakeSession, current: string): Session => ({
    id: session.id,
    client_id: session.client_id,
    transport: session.transport,
    device: { name: "Chrome on Linux", os: "Linux", browser: "Chrome", type: "desktop" },
    ip: "127.0.0.1",
    place: "",
    created_at: "2026-01-01T00:00:00Z",
    last_seen_at: "2026-01-01T00:00:00Z",
    expires_at: "2026-02-01T00:00:00Z",
    amr: ["pwd"],
    current: session.id === current,
  });

  const signInOf = (): HistoryEvent => ({
    event: "login",
    outcome: "success",
    method: "pwd",
    at: "2026-01-01T00:00:00Z",
    ip: "127.0.0.1",
    place: "",
    device: "Chrome on Linux",
  });

  const pairFor = (session: FakeSession, jar: Jar): Record<string, unknown> => {
    if (session.transport === "session") {
      jar.set("sekisho-s", session.id);
      return { expires_in: 30 * 86_400, ...wanting(session) };
    }
    const claims = btoa(
      JSON.stringify({ sid: session.id, client_id: session.client_id, amr: ["pwd"], jti: newId("jti") }),
    );
    const access_token = `e30.${claims.replace(/=+$/, "")}.x`;
    tokens.set(access_token, { session: session.id, isExpired: false });
    const refresh = `${session.id}.${session.counter}`;
    if (session.transport === "cookie") jar.set("sekisho-rt", refresh);
    const body = session.transport === "body" ? { refresh_token: `skr_${refresh}` } : {};
    return { access_token, ...body, token_type: "Bearer", expires_in: ACCESS_SECONDS, ...wanting(session) };
  };

  const signedIn = (account: FakeAccount, call: Call, status: number, given: object = {}, proven = false): Response => {
    const transport = (call.body["transport"] ?? "body") as Transport;
    const replaced = transport === "body" ? undefined : sessions.get(boundTo(call.jar));
    if (replaced) replaced.ended = true;
    const client_id = call.body["client_id"] ?? "";
    const session = {
      id: newId("sid"),
      email: account.user.email,
      client_id,
      transport,
      counter: 1,
      ended: false,
      fresh: true,
      proven,
    };
    sessions.set(session.id, session);
    for (const name of ["sekisho-rt", "sekisho-s", "csrftoken"]) call.jar.delete(name);
    const pair = pairFor(session, call.jar);
    if (transport !== "body") freshCsrf(call.jar);
    return Response.json({ message: "", ...pair, ...given, user: wornIn(session, account) }, { status });
  };

  const end = (session: FakeSession | undefined, jar: Jar) => {
    if (!session) return;
    session.ended = true;
    if (boundTo(jar) === session.id) for (const name of ["sekisho-rt", "sekisho-s", "csrftoken"]) jar.delete(name);
  };

  const login = (call: Call): Response => {
    if (call.body["transport"] !== "body" && !csrfIsGood(call)) return csrfFailed(call);
    const account = accounts.get(call.body["email"] ?? "");
    if (!account || account.password !== call.body["password"]) return refuse(401, "invalid_credentials", call);
    const isTrusted = factors.isTrusted(account.user.email, call.body["device_token"] ?? call.jar.get("sekisho-td"));
    const asked = isTrusted ? undefined : factors.ask(account.user.email);
    if (!asked) return signedIn(account, call, 200);
    begun.set(String(asked["challenge"]), call.body["transport"] ?? "body");
    return Response.json(asked);
  };
  const secondFactor = (call: Call): Response => {
    const transport = begun.get(call.body["challenge"] ?? "") ?? "body";
    if (transport !== "body" && !csrfIsGood(call)) return csrfFailed(call);
    const shown = factors.shown(call.body);
    if (typeof shown === "string") return refuse(400, shown, call);
    const account = accounts.get(shown.email) as FakeAccount;
    const trust = call.body["trust_device"] === undefined ? "" : factors.trust(shown.email);
    if (trust !== "" && transport !== "body") call.jar.set("sekisho-td", trust);
    const given = trust !== "" && transport === "body" ? { device_token: trust } : {};
    const proven = call.body["method"] !== "email";
    return signedIn(account, { ...call, body: { ...call.body, transport } }, 200, given, proven);
  };
  const stepUp = (call: Call, session: FakeSession, account: FakeAccount): Response => {
    const byPassword = call.body["password"] !== undefined;
    const hasFactor = factors.ask(session.email) !== undefined;
    if (byPassword && hasFactor) return refuse(401, "step_up_required", call, { max_age: 300, acr: "aal2" });
    if (byPassword && call.body["password"] !== account.password) return refuse(401, "invalid_credentials", call);
    if (!byPassword && !factors.proves(session.email, call.body)) return refuse(400, "invalid_code", call);
    session.fresh = true;
    session.proven ||= !byPassword && call.body["method"] !== "email";
    const { refresh_token: _, ...pair } = pairFor(session, call.jar);
    return Response.json({ ...pair, user: wornIn(session, account) });
  };

  const sendCode = (call: Call): Response => {
    const { email = "", password = "", client_id = "" } = call.body;
    if (!email.includes("@")) return refuse(400, "validation_error", call, { email: "invalid_email" });
    if (password.length < 8) return refuse(400, "validation_error", call, { password: "too_short" });
    return sentTo({ email, password, client_id, code: newCode() }, newId("pending"));
  };
  const newCode = () => String((made += 1)).padStart(6, "0");
  const sentTo = (sent: Sent, pending: string): Response => {
    pendings.set(pending, sent);
    codes.set(sent.email, sent.code);
    return Response.json({ message: "", email: sent.email, expires_in: CODE_SECONDS, pending });
  };
  const resendCode = (call: Call): Response => {
    const sent = pendings.get(call.body["pending"] ?? "");
    if (!sent) return refuse(400, "session_not_found", call);
    return sentTo({ ...sent, code: newCode() }, call.body["pending"] ?? "");
  };
  const verifyCode = (call: Call): Response => {
    if (call.body["transport"] !== "body" && !csrfIsGood(call)) return csrfFailed(call);
    const sent = pendings.get(call.body["pending"] ?? "");
    if (!sent) return refuse(400, "session_not_found", call);
    if (sent.client_id !== call.body["client_id"]) return refuse(401, "client_id_mismatch", call);
    if (sent.code !== call.body["code"]) return refuse(400, "invalid_code", call);
    pendings.delete(call.body["pending"] ?? "");
    server.addAccount(sent.email, sent.password);
    return signedIn(accounts.get(sent.email) as FakeAccount, call, 201);
  };

  const mailed = (kind: string, email: string): Response => {
    const code = newCode();
    codes.set(email, code);
    resets.set(`${kind} ${email}`, code);
    return Response.json({ message: "", email, expires_in: CODE_SECONDS });
  };
  const resetVerify = (call: Call): Response => {
    const { email = "", code } = call.body;
    if (!accounts.has(email) || resets.get(`reset ${email}`) !== code) return refuse(400, "invalid_code", call);
    resets.delete(`reset ${email}`);
    const reset_token = newId("skp_reset");
    resets.set(reset_token, email);
    return Response.json({ reset_token, expires_in: CODE_SECONDS });
  };
  const resetComplete = (call: Call): Response => {
    const { reset_token = "", password = "" } = call.body;
    const account = accounts.get(resets.get(reset_token) ?? "");
    if (!account) return refuse(400, "reset_token_invalid", call);
    if (password.length < 8) return refuse(400, "validation_error", call, { password: "too_short" });
    resets.delete(reset_token);
    factors.suspend(account.user.email);
    account.password = password;
    for (const session of sessions.values()) if (session.email === account.user.email) session.ended = true;
    return Response.json({ message: "" });
  };

  const refresh = (call: Call): Response => {
    const byCookie = call.body["refresh_token"] === undefined;
    const token = byCookie ? call.jar.get("sekisho-rt") : call.body["refresh_token"]?.replace("skr_", "");
    if (token === undefined) return refuse(401, "refresh_token_invalid", call);
    const [id = "", counter] = token.split(".");
    const believed = call.headers.get("X-Sekisho-Session");
    if (believed !== null && believed !== id) return refuse(409, "session_changed", call);
    if (byCookie && !csrfIsGood(call)) return csrfFailed(call);
    const session = sessions.get(id);
    const isRepeat = session && Number(counter) === session.counter - 1;
    if (!session || session.ended || (Number(counter) !== session.counter && !isRepeat)) {
      return refuse(401, "refresh_token_invalid", call);
    }
    if (!isRepeat) session.counter += 1;
    return Response.json(pairFor(session, call.jar));
  };

  const logout = (call: Call): Response => {
    const token = call.body["refresh_token"]?.replace("skr_", "").split(".")[0];
    const held = boundTo(call.jar);
    if (token === undefined && held !== "pre") {
      const believed = call.headers.get("X-Sekisho-Session");
      if (believed !== null && believed !== held) return refuse(409, "session_changed", call);
      if (!csrfIsGood(call)) return csrfFailed(call);
    }
    end(sessions.get(token ?? held), call.jar);
    return Response.json({ message: "" });
  };

  /** Return the caller's session, or the refusal. */
  const caller = (call: Call, method: string): FakeSession | Response => {
    const bearer = call.headers.get("Authorization")?.replace("Bearer ", "");
    if (bearer !== undefined) {
      const token = tokens.get(bearer);
      if (!token) return refuse(401, "unauthorized", call);
      if (token.isExpired) return refuse(401, "access_token_expired", call);
      const session = sessions.get(token.session);
      return session && !session.ended ? session : refuse(401, "session_revoked", call);
    }
    const held = call.jar.get("sekisho-s");
    if (held === undefined) return refuse(401, "unauthorized", call);
    const believed = call.headers.get("X-Sekisho-Session");
    if (believed !== null && believed !== held) return refuse(409, "session_changed", call);
    if (method !== "GET" && !csrfIsGood(call)) return csrfFailed(call);
    const session = sessions.get(held);
    return session && !session.ended ? session : refuse(401, "session_revoked", call);
  };

  const ofSession = (method: string, call: Call): Response => {
    const session = caller(call, method);
    if (session instanceof Response) return session;
    const account = accounts.get(session.email) as FakeAccount;
    const live = [...sessions.values()].filter((other) => other.email === session.email && !other.ended);
    const isOwnersOnly = OWNERS_ONLY.includes(`${method} ${call.path}`);
    if (isOwnersOnly && !session.fresh && factors.ask(session.email))
      return refuse(401, "step_up_required", call, { max_age: 300, acr: "aal2" });
    switch (`${method} ${call.path}`) {
      case "GET /auth/session":
        return Response.json({
          user: wornIn(session, account),
          session: {
            ...viewOf(session, session.id),
            auth_time: "2026-01-01T00:00:00Z",
            acr: session.proven ? "aal2" : "aal1",
            ...wanting(session),
          },
        });
      case "GET /auth/sessions":
        return Response.json({ sessions: live.map((other) => viewOf(other, session.id)) });
      case "GET /auth/history":
        // One page holds all that happens here, so there is no cursor that would be good.
        return call.query.has("after")
          ? refuse(400, "validation_error", call, { after: "invalid_format" })
          : Response.json({ events: live.map(signInOf), next: null });
      case "POST /auth/sessions/logout-all": {
        const ended = live.filter((other) => !call.body["except_current"] || other !== session);
        for (const other of ended) end(other, call.jar);
        return Response.json({ message: "", ended: ended.length });
      }
      case "GET /user/profile":
        return Response.json(account.user);
      case "PUT /user/profile":
        account.user = { ...account.user, ...call.body };
        return Response.json(account.user);
      case "PUT /user/password": {
        const { current_password, password = "" } = call.body;
        if (account.password !== current_password) return refuse(401, "invalid_credentials", call);
        if (password.length < 8) return refuse(400, "validation_error", call, { password: "too_short" });
        account.password = password;
        const ended = live.filter((other) => !call.body["keep_other_sessions"] && other !== session);
        for (const other of ended) end(other, call.jar);
        return Response.json({ message: "", ended: ended.length });
      }
      case "POST /user/email/send-code":
        if (account.password !== call.body["password"]) return refuse(401, "invalid_credentials", call);
        return mailed("email", call.body["email"] ?? "");
      case "POST /user/email/verify-code": {
        const { email = "", code } = call.body;
        if (accounts.has(email) || resets.get(`email ${email}`) !== code) return refuse(400, "invalid_code", call);
        resets.delete(`email ${email}`);
        for (const other of live) if (other !== session) end(other, call.jar);
        accounts.delete(session.email);
        account.user = { ...account.user, email };
        if (account.recovery?.email === email) account.recovery = undefined;
        accounts.set(email, account);
        session.email = email;
        return Response.json(account.user);
      }
      case "GET /user/recovery-email":
        return Response.json(account.recovery ?? { email: null, verified_at: null });
      case "POST /user/recovery-email/send-code": {
        const { email = "", password } = call.body;
        if (email === session.email) return refuse(400, "validation_error", call, { email: "own_address" });
        if (account.password !== password) return refuse(401, "invalid_credentials", call);
        return mailed("recovery", email);
      }
      case "POST /user/recovery-email/verify-code": {
        const { email = "", code } = call.body;
        if (resets.get(`recovery ${email}`) !== code) return refuse(400, "invalid_code", call);
        resets.delete(`recovery ${email}`);
        account.recovery = { email, verified_at: "2026-01-01T00:00:00.000Z" };
        return Response.json(account.recovery);
      }
      case "DELETE /user/recovery-email": {
        const acr = factors.ask(session.email) ? "aal2" : "aal1";
        if (!session.fresh) return refuse(401, "step_up_required", call, { max_age: 300, acr });
        if (!account.recovery) return refuse(404, "not_found", call);
        account.recovery = undefined;
        return Response.json({ message: "" });
      }
      case "DELETE /user/account":
        if (account.password !== call.body["password"]) return refuse(401, "invalid_credentials", call);
        for (const other of live) end(other, call.jar);
        accounts.delete(session.email);
        return Response.json({ message: "" });
    }
    if (`${method} ${call.path}` === "POST /auth/step-up") return stepUp(call, session, account);
    if (call.path === "/auth/step-up/send-code") return Response.json({ message: "", expires_in: 600 });
    const told = factors.answer(method, call.path, session.email, call.body, session.fresh);
    if (told && "body" in told && call.path.endsWith("/confirm"))
      session.proven ||= (told.body as ConfirmedFactor).factor.kind !== "email";
    if (told && "body" in told) return Response.json(told.body, { status: told.status });
    if (told) {
      const acr = factors.ask(session.email) ? "aal2" : "aal1";
      return refuse(told.status, told.error, call, told.status === 401 ? { max_age: 300, acr } : undefined);
    }
    const [, id] = /^\/auth\/sessions\/([^/]+)$/.exec(call.path) ?? [];
    const found = method === "DELETE" ? live.find((other) => other.id === id) : undefined;
    if (!found) return refuse(404, "not_found", call);
    end(found, call.jar);
    return Response.json({ message: "" });
  };

  const route = (method: string, call: Call): Response => {
    switch (`${method} ${call.path}`) {
      case "GET /auth/csrf":
        return Response.json({ csrf_token: csrfOf(call.jar) });
      case "POST /auth/signup/send-code":
        return sendCode(call);
      case "POST /auth/signup/resend-code":
        return resendCode(call);
      case "POST /auth/signup/verify-code":
        return verifyCode(call);
      case "POST /auth/login":
        return login(call);
      case "POST /auth/password-reset/send-code":
        return mailed("reset", call.body["email"] ?? "");
      case "POST /auth/password-reset/verify-code":
        return resetVerify(call);
      case "POST /auth/password-reset/complete":
        return resetComplete(call);
      case "POST /auth/second-factor":
        return secondFactor(call);
      case "POST /auth/second-factor/send-code":
        return Response.json({ message: "", expires_in: 600 });
      case "POST /auth/refresh":
        return refresh(call);
      case "POST /auth/logout":
        return logout(call);
    }
    return ofSession(method, call);
  };
  const csrfOf = (jar: Jar): string => {
    const held = jar.get("csrftoken");
    return held?.startsWith(`${boundTo(jar)}.`) ? held : freshCsrf(jar);
  };

  const server: FakeServer = {
    skew: 0,
    required: new Set(),
    factors,
    age: () => {
      for (const session of sessions.values()) session.fresh = false;
    },
    answer: async (request, jar) => {
      const url = new URL(request.url);
      const text = await request.text();
      const call: Call = {
        path: url.pathname.replace(/^\/api\/v1/, ""),
        query: url.searchParams,
        headers: request.headers,
        body: text === "" ? {} : (JSON.parse(text) as Record<string, string>),
        jar,
      };
      const response = route(request.method, call);
      response.headers.set("Date", new Date(now() + server.skew).toUTCString());
      return response;
    },
    addAccount: (email, password, profile = {}) => {
      const user: User = {
        id: newId("account"),
        email,
        is_verified: true,
        created_at: "2026-01-01T00:00:00Z",
        name: "",
        locale: "en",
        roles: [],
        ...profile,
      };
      accounts.set(email, { user, password });
      return user;
    },
    codeFor: (email) => {
      const code = codes.get(email);
      if (code === undefined) throw new Error(`no code was mailed to ${email}`);
      return code;
    },
    expireTokens: () => {
      for (const token of tokens.values()) token.isExpired = true;
    },
    endSessions: () => {
      for (const session of sessions.values()) session.ended = true;
    },
  };
  return server;
}
