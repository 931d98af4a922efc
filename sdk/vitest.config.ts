import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const react18 = fileURLToPath(new URL("./test/react18/node_modules", import.meta.url));

// A test that hangs ends here; what it waits for itself has its own, shorter time.
const LONGEST_MS = 120_000;

export default defineConfig({
  test: {
    // Two even where two are all: each waits for the server and the browser most of its time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: { name: "core", include: ["test/core/**/*.test.ts"], environment: "node", testTimeout: LONGEST_MS },
      },
      {
        test: {
          name: "components",
          include: ["test/components/**/*.test.ts"],
          environment: "happy-dom",
          setupFiles: "test/support/patience.ts",
          testTimeout: LONGEST_MS,
        },
      },
      {
        resolve: { alias: { react: `${react18}/react`, "react-dom": `${react18}/react-dom` } },
        test: {
          name: "react 18",
          include: ["test/components/**/*.test.ts"],
          environment: "happy-dom",
          setupFiles: "test/support/patience.ts",
          testTimeout: LONGEST_MS,
          env: { ONLY_REACT: "18" },
        },
      },
      {
        test: {
          name: "journeys",
          include: ["test/journeys/**/*.test.ts", "test/browser/**/*.test.ts"],
          environment: "node",
          globalSetup: "test/support/server.ts",
          testTimeout: LONGEST_MS,
          // Some begin with a sign-up in the browser.
          hookTimeout: LONGEST_MS,
        },
      },
    ],
  },
});
