/** axios: requests of an instance are paid for by the session, refreshed and repeated like those of `authFetch`. */

import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import type { Authorization } from "../core/calls.js";
import type { AuthClient } from "../core/client.js";

/** Marks of ours on a request's way; a config is copied on it, so they stand in no type of axios. */
interface Marked {
  sekisho?: { readonly used: Authorization; readonly isSecond: boolean };
}

/** The part of an axios error that matters here. */
interface Failure {
  readonly config?: InternalAxiosRequestConfig & Marked;
  readonly response?: AxiosResponse<unknown>;
}

/**
 * Let `auth` pay for the requests of `instance`. Returns the undo.
 *
 * Several instances share one refresh. Requests to other origins, and those that bring an Authorization header of
 * their own, are left alone. What is refused after one repetition rejects as axios rejects.
 */
export function attachAuth(instance: AxiosInstance, auth: Pick<AuthClient, "authorize" | "recover">): () => void {
  const request = instance.interceptors.request.use(async (config: InternalAxiosRequestConfig & Marked) => {
    if (config.headers.has("Authorization") && !config.sekisho) return config;
    const used = await auth.authorize(instance.getUri(config), config.method ?? "get");
    if (!used) return config;
    config.headers.delete("Authorization");
    for (const [name, value] of Object.entries(used.headers)) config.headers.set(name, value);
    if (used.withCredentials) config.withCredentials = true;
    config.sekisho = { used, isSecond: config.sekisho !== undefined };
    return config;
  });

  const response = instance.interceptors.response.use(undefined, async (failure: Failure) => {
    const { config, response: answer } = failure;
    const mark = config?.sekisho;
    if (!config || !answer || !mark || mark.isSecond || isSpent(config.data)) throw failure;
    const body = isRecord(answer.data) ? answer.data : undefined;
    if (!(await auth.recover(mark.used, { status: answer.status, body }))) throw failure;
    return instance.request(config);
  });

  return () => {
    instance.interceptors.request.eject(request);
    instance.interceptors.response.eject(response);
  };
}

/** A stream is spent by the first sending. */
const isSpent = (data: unknown): boolean =>
  typeof data === "object" && data !== null && ("pipe" in data || "getReader" in data);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
