import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "core", include: ["test/core/**/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "journeys",
          include: ["test/journeys/**/*.test.ts"],
          environment: "node",
          globalSetup: "test/support/server.ts",
          testTimeout: 30_000,
        },
      },
    ],
  },
});
