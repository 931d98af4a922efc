/** The distribution's Chromium, driven by playwright-core; and a server for what Vite built. */

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { extname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const executablePath = PLACES.find((place) => existsSync(place));

/** Whether there is one. Where CI is set its absence is a failure, elsewhere its tests are left out by name. */
export const HAS_CHROMIUM = executablePath !== undefined;

if (!HAS_CHROMIUM && process.env["CI"]) throw new Error("MISSING: chromium. The tests of the browser do not run.");

/** It looks for nothing outside: the tests have the network of this machine only. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const startChromium = (): Promise<Browser> =>
  chromium.launch(executablePath === undefined ? { args: FLAGS } : { executablePath, args: FLAGS });

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export interface Site {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Serve a folder on a free port of localhost; what is no file there is the page. */
export function serveFolder(folder: string): Promise<Site> {
  return serve((request, response) => {
    const asked = join(folder, new URL(request.url ?? "/", "http://localhost").pathname);
    const file = existsSync(asked) && statSync(asked).isFile() ? asked : join(folder, "index.html");
    response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
    createReadStream(file).pipe(response);
  });
}

/** Serve one page at every address, and note what browsers sent along. */
export function serveText(html: string, seen: IncomingHttpHeaders[]): Promise<Site> {
  return serve((request, response) => {
    seen.push(request.headers);
    response.setHeader("Content-Type", "text/html");
    response.end(`<link rel="icon" href="data:,">${html}`);
  });
}

async function serve(answer: RequestListener): Promise<Site> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
