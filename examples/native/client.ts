/**
 * A small client for an app that is no browser: both tokens travel in the body, the refresh token lies in the keychain.
 *
 * Plain TypeScript without a library, to be copied or translated. The rules are in docs/how-to/native-apps.md.
 */

/** The safe place of the platform: Keychain on iOS and macOS, Keystore on Android, the credential store of a desktop. */
export interface Keychain {
  read(): Promise<string | null>;
  write(refreshToken: string | null): Promise<void>;
}

export interface User {
  readonly id: string;
  readonly email: string;
}

interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly user?: User;
}

/** `code` is the server's, or `network_error`. `mayTryAgain` says that nothing was decided. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly mayTryAgain: boolean,
  ) {
    super(code);
  }
}

/** Only these say that the session is over. */
const OVER = ["refresh_token_invalid", "client_id_mismatch", "session_revoked"];
const TRIES = 3;
/** So long before its end a token is renewed, by a clock that runs also while the device sleeps. */
const EARLY_MS = 60_000;

export class SekishoClient {
  private token: { readonly value: string; readonly until: number } | null = null;
  private refreshing: Promise<string> | null = null;
  /** Rises with each sign-in and sign-out: an answer that comes after one of them is thrown away. */
  private generation = 0;

  /** `clientId` is the app and its device, as `app:6f1c…`: make the device part once, at random, and keep it. */
  constructor(
    private readonly server: string,
    private readonly clientId: string,
    private readonly keychain: Keychain,
    private readonly send: (url: string, init: RequestInit) => Promise<Response> = (url, init) => fetch(url, init),
    private readonly sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  ) {}

  async signIn(email: string, password: string): Promise<User | undefined> {
    const pair = await this.post<Pair>("/auth/login", { email, password, client_id: this.clientId });
    this.generation += 1;
    await this.keep(pair);
    return pair.user;
  }

  /** Forgotten here at once. Rejects if the server could not be told; then its session lives until it has been idle too long. */
  async signOut(): Promise<void> {
    const refresh_token = await this.keychain.read();
    this.generation += 1;
    this.token = null;
    await this.keychain.write(null);
    if (refresh_token) await this.post("/auth/logout", { refresh_token, client_id: this.clientId });
  }

  /** Call an API with the access token. A 401 is answered by one refresh and one repetition. */
  async call(url: string, init: RequestInit = {}): Promise<Response> {
    const token = await this.accessToken();
    const answer = await this.send(url, withToken(init, token));
    if (answer.status !== 401) return answer;
    // Another call may have refreshed meanwhile: then its token is tried, not a further refresh.
    if (this.token?.value === token) this.token = null;
    return this.send(url, withToken(init, await this.accessToken()));
  }

  /** Return a token that is good for a while. All who ask meanwhile wait for one refresh. */
  async accessToken(): Promise<string> {
    if (this.token && Date.now() < this.token.until) return this.token.value;
    this.refreshing ??= this.refresh().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async refresh(): Promise<string> {
    const generation = this.generation;
    const refresh_token = await this.keychain.read();
    if (!refresh_token) throw new Refused("unauthorized", 401, false);
    try {
      const pair = await this.patiently(() =>
        this.post<Pair>("/auth/refresh", { refresh_token, client_id: this.clientId }),
      );
      if (generation !== this.generation) throw new Refused("unauthorized", 401, false);
      await this.keep(pair);
      return pair.access_token;
    } catch (cause) {
      if (cause instanceof Refused && OVER.includes(cause.code) && generation === this.generation) {
        this.generation += 1;
        this.token = null;
        await this.keychain.write(null);
      }
      throw cause;
    }
  }

  /** Again with the same token: within the grace time the server answers with the same successor. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (cause) {
        if (!(cause instanceof Refused) || !cause.mayTryAgain || tries === TRIES) throw cause;
        await this.sleep(500 * 2 ** tries * (0.5 + Math.random()));
      }
    }
  }

  /** The keychain first: whoever is killed between the two still has a token that the server takes. */
  private async keep(pair: Pair): Promise<void> {
    await this.keychain.write(pair.refresh_token);
    this.token = { value: pair.access_token, until: Date.now() + pair.expires_in * 1000 - EARLY_MS };
  }

  private async post<T>(path: string, body: object): Promise<T> {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let answer: Response;
    try {
      answer = await this.send(`${this.server}/api/v1${path}`, init);
    } catch {
      throw new Refused("network_error", 0, true);
    }
    if (answer.ok) return (await answer.json()) as T;
    const mayTryAgain = answer.status === 429 || answer.status >= 500;
    const refusal: unknown = await answer.json().catch(() => null);
    const code =
      typeof refusal === "object" && refusal !== null && "error" in refusal ? String(refusal.error) : "unknown";
    throw new Refused(code, answer.status, mayTryAgain);
  }
}

const withToken = (init: RequestInit, token: string): RequestInit => {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return { ...init, headers };
};
