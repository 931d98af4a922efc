/** What is kept on this device: the device part of `client_id`, for `body` the refresh token and that the device is trusted, and ends still to be told. */

import type { KeyValueStorage, Ports } from "./ports.js";

/** A sign-out that the server has not heard of yet. `refreshToken` only for transport `body`. */
export interface Leaving {
  readonly session: string;
  readonly refreshToken?: string;
}

export interface Keeping {
  readonly clientId: () => Promise<string>;
  readonly refreshToken: () => Promise<string | null>;
  readonly keepRefreshToken: (token: string | null, isStillWanted: () => boolean) => Promise<void>;
  /** What a trusted device shows when it signs in, for `body`; browsers have a cookie. */
  readonly deviceToken: () => Promise<string | null>;
  readonly keepDeviceToken: (token: string) => Promise<void>;
  readonly leaving: () => Promise<Leaving | null>;
  readonly keepLeaving: (leaving: Leaving | null) => Promise<void>;
}

export function createKeeping(baseUrl: string, clientId: string, ports: Ports, given?: KeyValueStorage): Keeping {
  const storage = given ?? ports.storage ?? inMemory();
  const [app] = clientId.split(":");
  const key = (name: string) => `sekisho ${baseUrl} ${app} ${name}`;
  let whole: Promise<string> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: storages may be slow, and a sign-out must not be overtaken by an older write. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done;
    return done;
  };
  const write = async (name: string, value: string | null) =>
    value === null ? storage.removeItem(key(name)) : storage.setItem(key(name), value);

  return {
    clientId: () => {
      if (clientId.includes(":")) return Promise.resolve(clientId);
      whole ??= inTurn(async () => {
        const kept = await storage.getItem(key("device"));
        if (kept) return `${clientId}:${kept}`;
        const made = ports.newId();
        await write("device", made);
        return `${clientId}:${made}`;
      });
      return whole;
    },
    refreshToken: () => inTurn(async () => storage.getItem(key("refresh_token"))),
    keepRefreshToken: (token, isStillWanted) =>
      inTurn(async () => (isStillWanted() ? write("refresh_token", token) : undefined)),
    deviceToken: () => inTurn(async () => storage.getItem(key("device_token"))),
    keepDeviceToken: (token) => inTurn(() => write("device_token", token)),
    leaving: () =>
      inTurn(async () => {
        const kept = await storage.getItem(key("leaving"));
        return kept ? (JSON.parse(kept) as Leaving) : null;
      }),
    keepLeaving: (leaving) => inTurn(() => write("leaving", leaving && JSON.stringify(leaving))),
  };
}

function inMemory(): KeyValueStorage {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
