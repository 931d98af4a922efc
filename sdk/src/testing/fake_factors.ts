/** The second step of the server in memory: factors, challenges, recovery codes, step-up. */

import type { Factor, TrustedDevice } from "../core/wire.js";

const CHALLENGE_SECONDS = 300;
const CODE_SECONDS = 600;
const HOW_MANY = 10;
const PHONE = /^[0-9+() -]{10,}$/;

interface Held {
  readonly factors: Factor[];
  recovery: string[];
  enrolling: Factor | undefined;
  isSuspended: boolean;
}

export type Fields = Readonly<Record<string, string>>;
/** What to answer: a body with its status, or the code of a refusal with its own. */
export type Told = { readonly body: unknown; readonly status: number } | { readonly error: string; status: number };

export interface FakeFactors {
  /** The code that an app, a mail or a text message brings now. One is good for every method but `recovery_code`. */
  readonly code: string;
  /** As if the person had enrolled already; returns the recovery codes. */
  readonly enrol: (email: string, kind?: string) => readonly string[];
  /** Return the answer of a login that is not finished, or undefined where nothing more is asked for. */
  readonly ask: (email: string) => Record<string, unknown> | undefined;
  /** Say whose challenge and code these are, and with which transport the sign-in began. */
  readonly shown: (fields: Fields) => { readonly email: string } | string;
  readonly proves: (email: string, fields: Fields) => boolean;
  /** As after a password reset by mail: codes by mail beside another factor wait until that one was shown. */
  readonly suspend: (email: string) => void;
  /** For how many days a device may be trusted; 0, as at first: not at all. */
  trustDays: number;
  /** Trust a device; returns what it shows from now on. */
  readonly trust: (email: string) => string;
  readonly isTrusted: (email: string, shown: string | undefined) => boolean;
  readonly answer: (method: string, path: string, email: string, fields: Fields, isFresh: boolean) => Told | undefined;
}

export function createFakeFactors(newId: (kind: string) => string): FakeFactors {
  const held = new Map<string, Held>();
  const challenges = new Map<string, string>();
  const trusted = new Map<string, { readonly email: string; readonly device: TrustedDevice }>();
  const of = (email: string): Held => {
    const found = held.get(email) ?? { factors: [], recovery: [], enrolling: undefined, isSuspended: false };
    held.set(email, found);
    return found;
  };
  const newFactor = (kind: string, name = ""): Factor => ({
    id: newId("factor"),
    kind,
    name,
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: null,
  });
  const newCodes = (mine: Held): readonly string[] => {
    mine.recovery = Array.from({ length: HOW_MANY }, () => newId("RECOVERY").toUpperCase());
    return mine.recovery;
  };
  const suspendedOf = (mine: Held): string[] => {
    const kinds = new Set(mine.factors.map((factor) => factor.kind));
    return mine.isSuspended && kinds.has("email") && kinds.size > 1 ? ["email"] : [];
  };
  const methodsOf = (mine: Held): string[] => {
    const suspended = suspendedOf(mine);
    const enrolled = [...new Set(mine.factors.map((factor) => factor.kind))];
    const kinds = enrolled.filter((kind) => !suspended.includes(kind));
    return kinds.length > 0 && mine.recovery.length > 0 ? [...kinds, "recovery_code"] : kinds;
  };

  const ofDevices = (method: string, path: string, email: string): Told => {
    const mine = [...trusted].filter(([, held]) => held.email === email);
    if (method === "GET") return { body: { devices: mine.map(([, held]) => held.device) }, status: 200 };
    const found = mine.find(([, held]) => path.endsWith(`/${held.device.id}`));
    if (!found) return { error: "not_found", status: 404 };
    trusted.delete(found[0]);
    return { body: { message: "" }, status: 200 };
  };

  const fake: FakeFactors = {
    code: "246810",
    enrol: (email, kind = "totp") => {
      const mine = of(email);
      mine.factors.push(newFactor(kind));
      return mine.recovery.length > 0 ? [] : newCodes(mine);
    },
    ask: (email) => {
      const mine = of(email);
      const methods = methodsOf(mine);
      if (methods.length === 0) return undefined;
      const challenge = newId("challenge");
      challenges.set(challenge, email);
      const trust = fake.trustDays > 0 ? { trust_days: fake.trustDays } : {};
      const suspended = suspendedOf(mine);
      const waiting = suspended.length > 0 ? { suspended } : {};
      const expires_in = CHALLENGE_SECONDS;
      return { status: "second_factor_required", challenge, methods, expires_in, ...trust, ...waiting };
    },
    shown: (fields) => {
      const email = challenges.get(fields["challenge"] ?? "");
      if (email === undefined) return "session_not_found";
      if (!fake.proves(email, fields)) return "invalid_code";
      challenges.delete(fields["challenge"] ?? "");
      of(email).isSuspended = false;
      return { email };
    },
    proves: (email, { method = "", code = "" }) => {
      const mine = of(email);
      if (!methodsOf(mine).includes(method)) return false;
      if (method !== "recovery_code") return code === fake.code;
      const isOne = mine.recovery.includes(code);
      mine.recovery = mine.recovery.filter((other) => other !== code);
      return isOne;
    },
    suspend: (email) => {
      of(email).isSuspended = true;
    },
    trustDays: 0,
    trust: (email) => {
      const at = "2026-01-01T00:00:00Z";
      const times = { created_at: at, last_used_at: at, expires_at: "2026-01-31T00:00:00Z" };
      const value = newId("trust");
      trusted.set(value, {
        email,
        device: { id: newId("device"), app: "web", device: "Firefox, Linux", ...times, current: false },
      });
      return value;
    },
    isTrusted: (email, shown) => trusted.get(shown ?? "")?.email === email,
    answer: (method, path, email, fields, isFresh) => {
      if (path.startsWith("/auth/trusted-devices")) return ofDevices(method, path, email);
      const mine = of(email);
      const [, id, end] = /^\/auth\/factors\/([^/]+)(\/confirm)?$/.exec(path) ?? [];
      const found = mine.factors.find((factor) => factor.id === id);
      if (method === "GET" && path === "/auth/factors") {
        const recovery_codes = mine.recovery.length;
        return { body: { factors: mine.factors, recovery_codes, available: ["email", "sms", "totp"] }, status: 200 };
      }
      if (!path.startsWith("/auth/factors")) return undefined;
      if (!isFresh && !end && method !== "PUT") return { error: "step_up_required", status: 401 };
      if (path === "/auth/factors") {
        const { kind = "", name, phone = "" } = fields;
        if (kind === "sms" && !PHONE.test(phone)) return { error: "validation_error", status: 400 };
        const number = kind === "sms" ? { number: `+81 •••• ${phone.slice(-2)}` } : {};
        mine.enrolling = { ...newFactor(kind, name), ...number };
        const key = kind === "totp" ? { secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/x", qr: "<svg/>" } : {};
        return {
          body: { id: mine.enrolling.id, kind, expires_in: CODE_SECONDS, ...key, ...number },
          status: 201,
        };
      }
      if (id === "recovery-codes") return { body: { message: "", recovery_codes: newCodes(mine) }, status: 200 };
      if (end) {
        const factor = mine.enrolling;
        if (!factor || factor.id !== id) return { error: "not_found", status: 404 };
        if (fields["code"] !== fake.code) return { error: "invalid_code", status: 400 };
        const codes = mine.factors.length > 0 ? {} : { recovery_codes: newCodes(mine) };
        mine.factors.push(factor);
        mine.enrolling = undefined;
        return { body: { message: "", factor, ended: 0, ...codes }, status: 200 };
      }
      if (!found) return { error: "not_found", status: 404 };
      mine.factors.splice(mine.factors.indexOf(found), 1);
      if (method === "PUT") mine.factors.push({ ...found, name: fields["name"] ?? "" });
      else if (mine.factors.length === 0) mine.recovery = [];
      return { body: method === "PUT" ? mine.factors.at(-1) : { message: "", ended: 0 }, status: 200 };
    },
  };
  return fake;
}
