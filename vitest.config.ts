import { defineConfig } from "vitest/config";
import { directoryInMemory } from "./test/support/memoryDirectory.ts";
import { serversHere } from "./test/support/serversHere.ts";

const memory = directoryInMemory();
if (memory) process.env.TMPDIR = memory;

/** What depends on the server's product or release; it runs on every server. */
const onEveryServer = ["test/servers/*.test.ts"];
const setupFiles = ["test/support/patterns.ts"];

/**
 * Unit tests touch no network and start nothing; integration tests share one MariaDB server that `globalServer` starts, and
 * so do those of each further server; cloud tests share what `globalSynth` synthesises once.
 */
export default defineConfig({
  test: {
    maxWorkers: 3,
    reporters: ["default", "./test/support/closingLine.ts"],
    projects: [
      // One process for all files of a worker: to load the same modules for each file took longer than the tests.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000, isolate: false, setupFiles } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", ...onEveryServer],
          setupFiles,
          globalSetup: ["test/support/globalServer.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      ...serversHere().map(({ name }) => ({
        test: {
          name,
          include: [...onEveryServer, ...(name === "MySQL" ? ["test/servers/mysql/*.test.ts"] : [])],
          setupFiles,
          globalSetup: ["test/support/globalServer.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      })),
      {
        test: {
          name: "cloud",
          include: ["test/cloud/**/*.test.ts"],
          setupFiles,
          globalSetup: ["test/support/globalSynth.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
