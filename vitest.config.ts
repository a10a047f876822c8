import { defineConfig } from "vitest/config";

/**
 * Unit tests touch no network and start nothing; integration tests share one MariaDB server that `globalMariaDb` starts;
 * cloud tests share what `globalSynth` synthesises once.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ["default", "./test/support/closingLine.ts"],
    projects: [
      // One process for all files of a worker: to load the same modules for each file took longer than the tests.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000, isolate: false } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/globalMariaDb.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "cloud",
          include: ["test/cloud/**/*.test.ts"],
          globalSetup: ["test/support/globalSynth.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
