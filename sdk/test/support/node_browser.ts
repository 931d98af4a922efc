/** What Node lacks of a browser: a cookie jar and an Origin, so that the real server sees what it would see. */

import type { Ports } from "../../src/core/index.js";

export interface NodeBrowser {
  readonly tab: () => Partial<Ports>;
  readonly cookies: Map<string, string>;
  readonly stored: Map<string, string>;
  readonly requests: { readonly method: string; readonly path: string; readonly status: number }[];
}

let browsers = 0;

export function nodeBrowser(origin: string): NodeBrowser {
  const mine = `browser ${(browsers += 1)} `;
  const cookies = new Map<string, string>();
  const stored = new Map<string, string>();
  const requests: { method: string; path: string; status: number }[] = [];

  const fetchPort: Ports["fetch"] = async (input, init) => {
    const request = new Request(input, init);
    const headers = new Headers(request.headers);
    const hasCookies = init?.credentials === "include";
    headers.set("Origin", origin);
    if (hasCookies) headers.set("Cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const body = request.body === null ? null : await request.text();
    const answer = await fetch(request.url, { method: request.method, headers, body, signal: request.signal });
    requests.push({ method: request.method, path: new URL(request.url).pathname, status: answer.status });
    for (const line of hasCookies ? answer.headers.getSetCookie() : []) {
      const [pair = ""] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      if (/max-age=0(;|$)/i.test(line)) cookies.delete(name);
      else cookies.set(name, pair.slice(name.length + 1));
    }
    return answer;
  };

  return {
    cookies,
    stored,
    requests,
    tab: () => ({
      fetch: fetchPort,
      origin,
      openChannel: (name, onMessage) => {
        const channel = new BroadcastChannel(mine + name);
        channel.onmessage = (event) => onMessage((event as MessageEvent).data);
        return { post: (message) => channel.postMessage(message), close: () => channel.close() };
      },
      readCookie: (name) => cookies.get(name),
      storage: {
        getItem: (key) => stored.get(key) ?? null,
        setItem: (key, value) => void stored.set(key, value),
        removeItem: (key) => void stored.delete(key),
      },
    }),
  };
}
